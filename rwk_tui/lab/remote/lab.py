"""A lab of three machines that are reached over SSH, whoever switches them on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rwk_tui.board.rows import Power
from rwk_tui.board.targets import MACHINES
from rwk_tui.board.wording import listed
from rwk_tui.lab.host.address import BALANCED
from rwk_tui.lab.host.desk import Desk
from rwk_tui.lab.host.disk import claim, make_directory, remove_remains
from rwk_tui.lab.host.hold import Hold
from rwk_tui.lab.host.powers import Powers
from rwk_tui.lab.host.process import Processes
from rwk_tui.lab.host.programs import Programs
from rwk_tui.lab.host.record import Record
from rwk_tui.lab.host.together import do_all
from rwk_tui.lab.protocol import Ability, LabError, Narrator
from rwk_tui.lab.remote.balance import Balancers
from rwk_tui.lab.remote.engines import Engines
from rwk_tui.lab.remote.front import Front, front_place
from rwk_tui.lab.remote.ground import Ground
from rwk_tui.lab.remote.known import Known
from rwk_tui.lab.remote.links import Links, RemoteLink
from rwk_tui.lab.remote.logins import Logins
from rwk_tui.lab.remote.machine import RemoteMachine, balanced
from rwk_tui.lab.remote.pins import Pins
from rwk_tui.lab.remote.switch import Switch
from rwk_tui.settings import Settings

_PATIENCE = 1.5
"""Seconds that a machine may take to halt before the next one is asked to."""


class RemoteLab:
    """Making one ends what a crashed lab left running at the presenter's desk; it starts nothing and asks no machine.

    `on_change` may be set: it is called, without arguments and in the event loop, whenever a machine, a unit or a link
    changed. Raises LabError if the directory is not ours, in use, or refuses to be written.
    """

    def __init__(
        self, settings: Settings, programs: Mapping[str, Path], switch: Switch, *, backend: str, slack: float
    ) -> None:
        root = settings.state.absolute() / "lab"
        claim(root)
        self._hold = Hold(root / "lock")
        self._hold.take()
        record = Record(root / "running", root)
        self.reaped = record.reap()
        """What an earlier run left running here and this one ended."""
        self._backups = root / "backups"
        make_directory(self._backups)
        remove_remains(root)
        self.on_change: Callable[[], None] | None = None
        self._backend = backend
        self._slack = settings.slack or slack
        self._switch = switch
        self._processes = Processes(record)
        self._programs = Programs(programs)
        self._desk = Desk(root, self._processes, self._programs, settings.timeouts.stop)
        self._ground = Ground(
            switch=switch,
            powers=Powers(root / "machines.json"),
            pins=Pins(root / "known_hosts"),
            known=Known(root / "units.json"),
            logins=Logins(root / "logins.json", switch),
            engines=Engines(programs),
            timeouts=settings.timeouts,
            slack=self._slack,
            changed=self._changed,
        )
        self._machines = {name: RemoteMachine(self._ground, name) for name in MACHINES}
        hosts = {name: machine.host for name, machine in self._machines.items()}
        self._balancers = Balancers(hosts)
        self._links = Links(hosts, self._changed, self._balancers, self._ground.complaints.add)
        for machine in self._machines.values():
            machine.links, machine.balancers = self._links, self._balancers
        self._front = Front(
            lambda: {name: machine.address for name, machine in self._machines.items()},
            front_place(settings.subnet, root / "front.json"),
        )
        for name in MACHINES:
            if self._power(name) in ("starting", "stopping"):
                self._ground.powers.set(name, "off")  # that broke off: nobody knows, and a start finds out
        self._in_use = False

    @property
    def backend(self) -> str:
        return self._backend

    @property
    def slack(self) -> float:
        return self._slack

    @property
    def outlives(self) -> bool:
        return True

    @property
    def machines(self) -> Mapping[str, RemoteMachine]:
        return self._machines

    @property
    def desk(self) -> Desk:
        return self._desk

    @property
    def backups(self) -> str:
        return str(self._backups)

    @property
    def links(self) -> Sequence[RemoteLink]:
        return self._links.links

    def link(self, source: str, target: str) -> RemoteLink:
        return self._links.link(source, target)

    def any_address(self, port: int) -> tuple[str, int]:
        balanced(port)
        return self._front.address.host, self._front.address.port

    def steer(self, port: int, ready: Sequence[str]) -> None:
        """Say which machines serve that balanced port well. Raises LabError if the port is not balanced."""
        balanced(port)
        self._front.steer(ready)
        self._balancers.steer(ready)

    def provide(self, programs: Mapping[str, Path]) -> None:
        """Have these programs in place of those before; machines get them when they first need them."""
        self._programs.provide(programs)
        self._ground.engines.provide(programs)

    def lacks(self, ability: Ability) -> str:
        """Why this lab can't do that, in one line; "" if it can, or if its machines were never asked yet."""
        if why := self._switch.lacks(ability):
            return why
        return next(filter(None, (machine.host.lacks(ability) for machine in self._machines.values())), "")

    def narrate(self, tell: Narrator, complain: Narrator) -> None:
        """Have `tell` hear what is said while machines are made and get programs, `complain` of clocks and such."""
        self._switch.narrate(tell, self._ground.complaints.add)
        self._ground.engines.tell = tell
        self._ground.complaints.heard_by(complain)

    async def up(self) -> None:
        """Make every machine exist and run. Raises LabError with what to do about it."""
        await self._open()
        await do_all(machine.start() for machine in self._machines.values())

    async def down(self) -> None:
        """Halt every machine and let go of all but the disks, one after another; but none is waited for long.

        Raises LabError when all is done that could be, for what could not be healed too.
        """
        not_healed = await self._try_to_heal()
        stopping: list[asyncio.Future[None]] = []
        for machine in reversed(self._machines.values()):
            stopping.append(asyncio.ensure_future(machine.stop()))
            await asyncio.wait(stopping[-1:], timeout=_PATIENCE)
        try:
            await do_all(stopping)
        finally:
            await self._let_go()
        if not_healed is not None:
            raise not_healed

    async def leave(self) -> None:
        """Let go of the machines, which run on, with their links open and nothing held back."""
        try:
            await self._heal()
        finally:
            await self._let_go()

    async def reset(self) -> None:
        """Bring the lab to three running machines with empty disks and open links, whatever state it is in."""
        self._hold.take()
        self.steer(next(iter(BALANCED)), ())
        not_healed = await self._try_to_heal()
        await self._desk.empty()
        await self._open()
        await do_all(machine.renew() for machine in self._machines.values())
        if not_healed is not None:
            await self._heal()  # what stood in the way, such as a full disk, has gone with all that was there

    async def left_behind(self) -> str:
        """What an earlier run left, in words; "" if there is nothing to resume."""
        if self._in_use:
            return ""
        powers = {name: self._left(name, guess) for name, guess in (await self._switch.exists()).items()}
        if not self._switch.owns_power:
            powers |= {name: self._power(name) for name in MACHINES if self._power(name) != "gone"}
        parts = []
        for power, words in (("up", "up"), ("halted", "halted"), ("off", "without power"), ("gone", "destroyed")):
            if names := [name for name in MACHINES if powers.get(name) == power]:
                parts.append(f"{listed([self._with_units(name) for name in names])} {words}")
        return ", ".join(parts)

    def _left(self, name: str, guess: Power) -> Power:
        """What we believe of a machine that exists; files on disk know less, but that it is there at all."""
        believed = self._power(name)
        return guess if believed == "gone" else believed

    def _with_units(self, name: str) -> str:
        units = self._ground.known.units(name)
        return f"{name} ({', '.join(units)})" if units else name

    async def _open(self) -> None:
        self._hold.take()
        self._in_use = True
        self._desk.open()
        await self._front.open()

    async def _heal(self) -> None:
        """Undo on the network and on disks whatever can be undone; what can't be reached heals by itself."""
        await do_all([self._links.heal_all(), *(machine.mend_disks() for machine in self._machines.values())])

    async def _try_to_heal(self) -> LabError | None:
        """The same; what could not be undone on machines that are up."""
        try:
            await self._heal()
        except LabError as error:
            return error
        return None

    async def _let_go(self) -> None:
        """End all that is ours in this process; each part is ended, whatever becomes of the others."""
        await do_all(
            [
                self._desk.close(),
                self._front.close(),
                self._links.close(),
                self._balancers.close(),
                self._ground.close(),
            ]
        )
        await do_all([*(machine.part() for machine in self._machines.values()), self._switch.close()])
        await self._processes.close()
        self._in_use = False
        self._hold.drop()

    def _power(self, name: str) -> Power:
        return self._ground.powers.get(name)[0]

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change()
