"""A machine that is reached over SSH, and what a lab promises of each."""

from __future__ import annotations

import asyncio
import json
import posixpath
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from rwk_tui.lab.host import show
from rwk_tui.lab.host.address import BALANCED
from rwk_tui.lab.protocol import LabError, MachineStatus, MachineVerb, Terminal, UnitStatus
from rwk_tui.lab.remote import layout
from rwk_tui.lab.remote.balance import Balancers
from rwk_tui.lab.remote.engines import MachineEngines
from rwk_tui.lab.remote.ground import Ground
from rwk_tui.lab.remote.host import RemoteHost
from rwk_tui.lab.remote.links import Links
from rwk_tui.lab.remote.power import PowerButton
from rwk_tui.lab.remote.run import RemoteRun
from rwk_tui.lab.remote.terminal import terminal, write_known
from rwk_tui.lab.remote.unit import RemoteUnit
from rwk_tui.lab.remote.units import Units

_ANSWER_WITHIN = 2.0
_CLIENTS = ("sh", "etcdctl", "etcdutl", "kubectl")
"""What whoever gets a shell finds there at once, if the lab has it; the rest comes with what runs it."""


class RemoteMachine:
    """One host of three; its lab gives it its `links` and `balancers` once all three are there."""

    links: Links
    balancers: Balancers

    def __init__(self, ground: Ground, name: str) -> None:
        self._ground = ground
        self._name = name
        self.host = RemoteHost(ground, name, self._greet, lambda: self.links.lost(name))
        self._engines = MachineEngines(ground.engines, self.host)
        self._units = Units(ground, self.host)
        self._by_name: dict[str, RemoteUnit] = {}
        self._profile: dict[str, str] = {}
        self._power = PowerButton(ground, self.host, self._units, self._emptied)

    @property
    def name(self) -> str:
        return self._name

    @property
    def address(self) -> str:
        return self.host.address

    @property
    def advertised(self) -> str:
        return self.host.address

    @property
    def data(self) -> str:
        return layout.DISK

    async def start(self) -> None:
        """Switch it on; wanted units start. Raises LabError."""
        await self._power.start()

    async def stop(self) -> None:
        """Halt it gracefully; on a host of somebody else's that ends our units. Raises LabError."""
        await self._power.stop()

    async def kill(self) -> None:
        """Cut its power, whatever it is doing. Raises LabError."""
        await self._power.kill()

    async def destroy(self) -> None:
        """Cut its power and lose its disk; a host of somebody else's loses what is ours. Raises LabError."""
        await self._power.destroy()

    async def renew(self) -> None:
        """Have it up with an empty disk and no units, whatever state it is in. Raises LabError."""
        await self._power.renew()

    async def status(self) -> MachineStatus:
        power, since = self._ground.powers.get(self._name)
        contact = self.host.contact
        if power not in ("up", "starting", "stopping"):
            self.host.check_on_it()
            units = self._units.without_power() if power != "gone" else {}
            return MachineStatus(power, since, self.address, units)
        why = contact.why
        if contact.agent_now is not None:
            try:
                async with asyncio.timeout(_ANSWER_WITHIN * self._ground.slack):
                    units = await self._ask_units()
                return MachineStatus(power, since, self.address, units, runtime=self._runtime())
            except TimeoutError:
                why = f"{self._name} does not answer within {_ANSWER_WITHIN * self._ground.slack:g} s"
            except LabError as error:
                why = str(error)
        if power != "up":
            return MachineStatus(power, since, self.address, self._units.last)
        self.host.check_on_it()
        return MachineStatus(power, since, self.address, self._units.last, seen=False, why=why)

    async def run(self, argv: Sequence[str], *, environment: Mapping[str, str] | None = None) -> RemoteRun:
        """Run a command there, without a shell. Raises MachineDown, or LabError if it can't be started."""
        await self.host.agent()
        await self._engines.bring(argv)
        await self.balancers.settled(self._name)
        agent = await self.host.agent()  # only now: contact may have been lost and made anew meanwhile
        program = argv[0]
        if program in self._ground.engines.given:
            program = f"{layout.BIN}/{program}"
        elif "/" in program:
            program = posixpath.join(layout.DISK, program)
        variables = layout.environment(self._name, {**self._profile, **(environment or {})})
        return await agent.run([program, *argv[1:]], variables, layout.DISK)

    async def terminal(self, *, environment: Mapping[str, str] | None = None) -> Terminal:
        """A shell of root's over a connection of its own. Raises MachineDown, or LabError if it can't be had."""
        await self.host.agent()
        await self._engines.bring(_CLIENTS)
        login = await self._ground.logins.of(self._name)
        # A file for each: one that all share would be written while another machine's ssh reads it.
        known = self._ground.pins.file.with_name(f"known_hosts.{self._name}")
        write_known(known, self._name, login.host_keys or self._ground.pins.of(self._name))
        return terminal(self._name, login, known, {**self._profile, **(environment or {})})

    async def set_profile(self, variables: Mapping[str, str]) -> None:
        """Give every command these variables from now on. Raises MachineDown, or LabError if the disk refuses."""
        await self.host.agent()
        await self._keep(self._units.since, variables)

    async def put(self, path: str, content: bytes, mode: int = 0o600) -> None:
        """Write a file on its disk. Raises MachineDown, or LabError if the disk refuses."""
        place = self._place(path)
        await self.host.agent()
        await self.host.put(place, content, mode)

    async def get(self, path: str) -> bytes:
        """Read a file of its disk. Raises MachineDown, or LabError if there is none."""
        place = self._place(path)
        await self.host.agent()
        return await self.host.get(place)

    def unit(self, name: str) -> RemoteUnit:
        """The unit of that name, configured or not. Raises LabError if it can't be a name."""
        if name not in self._by_name:
            self._by_name[name] = RemoteUnit(self._ground, self.host, self._units, self._engines, name)
        return self._by_name[name]

    def url(self, port: int, *, scheme: str = "http") -> str:
        return f"{scheme}://{self.address}:{port}"

    def listen_urls(self, port: int, *, public: bool, scheme: str = "http") -> tuple[str, ...]:
        own = f"{scheme}://127.0.0.1:{port}"
        return (own, self.url(port, scheme=scheme)) if public else (own,)

    def bind(self, port: int, *, public: bool) -> tuple[str, int]:
        return (self.address if public else "127.0.0.1", port)

    def any_url(self, port: int, *, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{balanced(port)}"

    async def reach(self, port: int) -> tuple[str, int]:
        """Its own address where a unit of its serves that port to all, else a way over SSH. Raises LabError."""
        specs = [status.spec for status in self._units.last.values() if status.spec is not None]
        if any(listen.public and listen.port == port for spec in specs for listen in spec.listens):
            return self.address, port
        return await self.host.contact.forward(port)

    def show(self, verb: MachineVerb) -> str:
        return self._ground.switch.show(verb, self._name)

    def show_run(self, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
        return show.run(argv, environment, self._name)

    async def mend_disks(self) -> None:
        """Hold back no sync any more."""
        await asyncio.gather(*(unit.mend_disk() for unit in self._by_name.values()))

    async def part(self) -> None:
        """Let go of it: nothing of ours is left in this process."""
        await self.host.contact.close()

    def _place(self, path: str) -> str:
        place = posixpath.normpath(posixpath.join(layout.DISK, path))
        if not place.startswith(f"{layout.DISK}/"):
            raise LabError(f"{path} lies outside of {self._name}'s disk {layout.DISK}")
        return place

    async def _ask_units(self) -> Mapping[str, UnitStatus]:
        for unit in self._by_name.values():
            unit.note_held()
        await self._heed_clock()
        return await self._units.ask()

    def _runtime(self) -> str:
        return self.host.facts.runtime if self.host.facts is not None else ""

    async def _greet(self) -> None:
        """There is new contact: bring the machine to what it is to be. What fails keeps nothing else from it."""
        self._units.greeted()
        self._engines.forget()
        await self._recall()
        await self._units.ask()
        works: tuple[Callable[[], Awaitable[None]], ...] = (
            partial(self.links.apply, self._name),
            partial(self.balancers.deploy, self._name),
            *(unit.slow_again for unit in self._by_name.values()),
        )
        for work in works:
            try:
                await work()
            except LabError as error:
                self._ground.complaints.add(self._name, str(error))

    async def _recall(self) -> None:
        """What it was told to keep, or the beginning where it keeps nothing yet."""
        try:
            kept = json.loads(await self.host.get(layout.STATE))
            self._profile = {str(name): str(value) for name, value in kept["profile"].items()}
            self._units.begin(float(kept["since"]))
        except (LabError, ValueError, KeyError, TypeError, AttributeError):
            await self._begin()
        await self._heed_clock()

    async def _heed_clock(self) -> None:
        agent = await self.host.agent()
        if self._units.heed_clock(time.time() + agent.offset):
            await self._keep(self._units.since, self._profile)

    async def _begin(self) -> None:
        agent = await self.host.agent()
        await self._keep(time.time() + agent.offset, {})

    async def _keep(self, since: float, profile: Mapping[str, str]) -> None:
        await self.host.put(layout.STATE, json.dumps({"since": since, "profile": dict(profile)}).encode())
        self._profile = dict(profile)
        self._units.begin(since)

    async def _emptied(self) -> None:
        """Its disk was emptied."""
        await self._begin()


def balanced(port: int) -> int:
    """The port of each machine's own balancer for that port. Raises LabError if it is not balanced."""
    if port not in BALANCED:
        raise LabError(f"port {port} is not served for all; only {', '.join(map(str, BALANCED))} is")
    return BALANCED[port]
