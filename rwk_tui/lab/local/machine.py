"""A machine of the local lab: a directory as its disk and process groups as what runs on it."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import signal
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from rwk_tui.board.rows import Power
from rwk_tui.lab.host import show
from rwk_tui.lab.host.disk import lose_tree, make_directory, read_file, write_file
from rwk_tui.lab.host.profile import Profile
from rwk_tui.lab.host.run import HostRun
from rwk_tui.lab.host.shells import Shells
from rwk_tui.lab.local.ground import Ground
from rwk_tui.lab.local.unit import LocalUnit
from rwk_tui.lab.protocol import LabError, Listen, MachineStatus, MachineVerb, Terminal


class LocalMachine:
    """One host of three."""

    def __init__(self, ground: Ground, name: str) -> None:
        self._ground = ground
        self._name = name
        self._disk = ground.root / "machines" / name
        self._profile = Profile(self._disk / "etc" / "profile.json")
        self._lock = asyncio.Lock()
        self._units: dict[str, LocalUnit] = {}
        self._looked = False
        self._shells = Shells(ground.root, name)

    @property
    def name(self) -> str:
        return self._name

    @property
    def address(self) -> str:
        return self._ground.plan.host(self._name)

    @property
    def advertised(self) -> str:
        """One that is kept free for documentation: API servers refuse to advertise loopback."""
        return f"192.0.2.{100 + int(self._name.rpartition('-')[2])}"

    @property
    def data(self) -> str:
        return str(self._disk)

    @property
    def disk(self) -> Path:
        """The directory that stands for its disk."""
        return self._disk

    async def start(self) -> None:
        """Switch it on; wanted units start, and what keeps one from it shows in its status."""
        async with self._lock:
            if self._power() == "up":
                return
            try:
                self._set("starting")
                make_directory(self._disk / "etc" / "units")
                make_directory(self._disk / "log")
                await self._ground.network.attach(self._name)
                await asyncio.gather(*(unit.boot() for unit in self._known()))
            except BaseException:
                if self._power() == "starting":
                    self._kill_all()
                    self._note("off")
                raise
            if self._power() == "starting":  # its power may have been cut meanwhile
                self._set("up")

    async def stop(self) -> None:
        """Halt it: every program is asked to end, and made to after the grace time."""
        async with self._lock:
            if self._power() not in ("up", "starting"):
                return
            self._note("stopping")
            try:
                for units in _in_order(self._units.values()):
                    await asyncio.gather(*(unit.end() for unit in units))
                left = self._ground.processes.of(self._name)
                await asyncio.gather(*(group.end(self._ground.grace) for group in left))
                await self._shells.hang_up()
            finally:
                if self._power() == "stopping":
                    self._kill_all()
                    self._set("halted")

    async def mend_disk(self) -> None:
        """Hold back no sync any more, so that nothing is slow to halt."""
        await asyncio.gather(*(unit.mend_disk() for unit in self._units.values()))

    async def kill(self) -> None:
        """Cut its power, whatever it is doing. A disk that refuses to note it keeps nothing alive."""
        if self._power() in ("up", "starting", "stopping"):
            self._note("off")
        self._kill_all()
        async with self._lock:
            await self._bury()
        self._ground.powers.save()

    async def destroy(self) -> None:
        """Cut its power and lose its disk, which is what makes room on a full one. Nothing stops it half-way."""
        if self._power() in ("up", "starting", "stopping"):
            self._note("off")
        self._kill_all()
        async with self._lock:
            # Whoever waited for the lock before us may have switched it on again.
            self._note("gone")
            await self._bury()
            for unit in self._units.values():
                unit.forget()
            await lose_tree(self._disk)
            self._ground.powers.save()
        self._ground.changed()

    async def status(self) -> MachineStatus:
        power, since = self._ground.powers.get(self._name)
        units = {unit.name: unit.look() for unit in self._known() if unit.spec is not None}
        return MachineStatus(power, since, self.address, units)

    async def run(self, argv: Sequence[str], *, environment: Mapping[str, str] | None = None) -> HostRun:
        """Run a command on the machine, without a shell. Raises MachineDown, or LabError if it can't be started."""
        self._ground.require_up(self._name)
        program = self._ground.programs.find(argv[0], self._disk, f"on {self._name}")
        variables = {**self._profile.read(), **(environment or {})}
        group = self._ground.processes.spawn(
            [program, *argv[1:]],
            machine=self._name,
            what="run",
            environment=self._ground.environment(self._name, self._disk, variables),
            directory=self._disk,
            output=subprocess.PIPE,
            errors=subprocess.PIPE,
        )
        return HostRun(group)

    async def terminal(self, *, environment: Mapping[str, str] | None = None) -> Terminal:
        """The user's own shell in its directory. Raises MachineDown, or LabError if the profile can't be read."""
        self._ground.require_up(self._name)
        variables = {**self._profile.read(), **(environment or {}), **self._shells.prompt}
        return await self._shells.terminal(self._ground.environment(self._name, self._disk, variables), self._disk)

    async def set_profile(self, variables: Mapping[str, str]) -> None:
        """Give every command these variables from now on. Raises MachineDown, or LabError if the disk refuses."""
        self._ground.require_up(self._name)
        await asyncio.to_thread(self._profile.write, variables)

    async def put(self, path: str, content: bytes, mode: int = 0o600) -> None:
        """Write a file on its disk. Raises MachineDown, or LabError if the disk refuses."""
        self._ground.require_up(self._name)
        await asyncio.to_thread(write_file, self._place(path), content, mode)

    async def get(self, path: str) -> bytes:
        """Read a file of its disk. Raises MachineDown, or LabError if there is none."""
        self._ground.require_up(self._name)
        return await asyncio.to_thread(read_file, self._place(path))

    def unit(self, name: str) -> LocalUnit:
        """The unit of that name, configured or not. Raises LabError if it can't be a name."""
        if name not in self._units:
            if not name or name.startswith(".") or "/" in name:
                raise LabError(f"{name!r} can't be the name of a unit")
            self._units[name] = LocalUnit(self._ground, self._name, self._disk, name)
        return self._units[name]

    def url(self, port: int, *, scheme: str = "http") -> str:
        return f"{scheme}://{self._ground.plan.front(self._name, port)}"

    def listen_urls(self, port: int, *, public: bool, scheme: str = "http") -> tuple[str, ...]:
        plan = self._ground.plan
        own = f"{scheme}://{plan.localhost(self._name, port)}"
        return (own, f"{scheme}://{plan.inside(self._name, port)}") if public else (own,)

    def bind(self, port: int, *, public: bool) -> tuple[str, int]:
        address = self._ground.plan.localhost(self._name, port)
        return address.host, address.port

    def any_url(self, port: int, *, scheme: str = "http") -> str:
        return f"{scheme}://{self._ground.network.balancer(port).address(self._name)}"

    async def reach(self, port: int) -> tuple[str, int]:
        return self.bind(port, public=False)

    def show(self, verb: MachineVerb) -> str:
        pids = [group.pid for group in self._ground.processes.of(self._name)]
        idle = f"nothing runs on {self._name}"
        disk = shlex.quote(self.data)
        match verb:
            case "start":
                units = [unit.show("start") for unit in self._known() if unit.wanted]
                return "\n".join([f"mkdir -p {disk}", *units])
            case "stop":
                return show.signal_groups("TERM", pids, idle)
            case "kill":
                return show.signal_groups("KILL", pids, idle)
            case "destroy":
                return f"{show.signal_groups('KILL', pids, idle)}\nrm -rf -- {disk}"

    def show_run(self, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
        return show.run(argv, environment, self._name)

    def wanted_units(self) -> list[str]:
        """The names of the units that come back with it."""
        return [unit.name for unit in self._known() if unit.wanted]

    def configured_listens(self) -> list[Listen]:
        """The ports of all its units."""
        return [listen for unit in self._known() if unit.spec is not None for listen in unit.spec.listens]

    def _known(self) -> list[LocalUnit]:
        """Every unit, those that only its disk knows included."""
        if self._power() != "gone" and not self._looked:
            for file in sorted((self._disk / "etc" / "units").glob("*.json")):
                self.unit(file.stem)
            self._looked = True
        return list(self._units.values())

    def _power(self) -> Power:
        return self._ground.powers.get(self._name)[0]

    def _set(self, power: Power) -> None:
        try:
            self._ground.powers.set(self._name, power)
        finally:
            self._ground.changed()

    def _note(self, power: Power) -> None:
        """Be in a new state; where the disk refuses to keep it, that is tried again with the next one."""
        with contextlib.suppress(LabError):
            self._set(power)

    def _place(self, path: str) -> Path:
        place = (self._disk / path).resolve()
        if not place.is_relative_to(self._disk.resolve()):
            raise LabError(f"{path} lies outside of {self._name}'s disk {self._disk}")
        return place

    def _kill_all(self) -> None:
        self._ground.network.detach(self._name)
        for group in self._ground.processes.of(self._name):
            group.signal(signal.SIGKILL)

    async def _bury(self) -> None:
        """Kill what runs, and wait until its end was noticed."""
        groups = self._ground.processes.of(self._name)
        self._kill_all()
        await asyncio.gather(*(group.wait() for group in groups))
        await self._shells.hang_up()
        for unit in self._units.values():
            await unit.settled()


def _in_order(units: Iterable[LocalUnit]) -> Iterator[list[LocalUnit]]:
    """The units in the rounds in which they end: none before those that are its clients."""
    left = {unit.name: unit for unit in units}
    while left:
        needed = {name for unit in left.values() if unit.spec is not None for name in unit.spec.after}
        # Two that are each after the other can't be told apart: then all end together.
        free = [unit for name, unit in left.items() if name not in needed] or list(left.values())
        for unit in free:
            del left[unit.name]
        yield free
