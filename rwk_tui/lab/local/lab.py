"""The local lab: three machines made of directories and process groups, and the links between them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random

from rwk_tui.board.targets import MACHINES
from rwk_tui.board.wording import listed
from rwk_tui.lab.host.address import NO_MACHINE, Address
from rwk_tui.lab.host.desk import Desk
from rwk_tui.lab.host.disk import claim, has_files, make_directory, remove_remains
from rwk_tui.lab.host.hold import Hold
from rwk_tui.lab.host.powers import Powers
from rwk_tui.lab.host.process import Processes
from rwk_tui.lab.host.programs import Programs
from rwk_tui.lab.host.record import Record
from rwk_tui.lab.host.together import do_all
from rwk_tui.lab.local.abilities import why_not
from rwk_tui.lab.local.addresses import USUAL_PORTS, choose_plan
from rwk_tui.lab.local.ground import Ground
from rwk_tui.lab.local.links import LocalLink, Network
from rwk_tui.lab.local.machine import LocalMachine
from rwk_tui.lab.local.who import Dialler
from rwk_tui.lab.protocol import Ability, Listen, Narrator
from rwk_tui.settings import Settings

_PATIENCE = 1.5
"""Seconds that a machine may take to halt before the next one is asked to."""


class LocalLab:
    """Making one ends whatever a crashed lab left running in the same directory; it starts nothing.

    `on_change` may be set: it is called, without arguments and in the event loop, whenever a machine, a unit or a link
    changed; `chance` decides what is random in it. Raises LabError if the directory is not ours, in use, or refuses to
    be written.
    """

    def __init__(self, settings: Settings, programs: Mapping[str, Path], *, chance: Random | None = None) -> None:
        root = settings.state.absolute() / "lab"
        claim(root)
        self._hold = Hold(root / "lock")
        self._hold.take()
        record = Record(root / "running", root)
        self.reaped = record.reap()
        """What an earlier run left running and this one ended, such as "core-01/etcd"."""
        self._backups = root / "backups"
        for directory in (root / "machines", self._backups):
            make_directory(directory)
        remove_remains(root / "machines")
        remove_remains(root)
        self.on_change: Callable[[], None] | None = None
        plan = choose_plan(settings)
        processes = Processes(record)
        dialler = Dialler(lambda: {group.pid: group.machine for group in processes.live.values()})
        self._ground = Ground(
            root=root,
            plan=plan,
            processes=processes,
            network=Network(plan, dialler, self._changed, chance or Random()),
            powers=Powers(root / "machines.json"),
            programs=Programs(programs),
            grace=settings.timeouts.stop,
            changed=self._changed,
        )
        self._desk = Desk(root, processes, self._ground.programs, settings.timeouts.stop)
        self._machines = {name: LocalMachine(self._ground, name) for name in MACHINES}
        self._broke_off = [name for name in MACHINES if self._power(name) in ("up", "starting", "stopping")]
        for name in self._broke_off:
            self._ground.powers.set(name, "off")
        self._in_use = False

    @property
    def backend(self) -> str:
        return "local"

    @property
    def slack(self) -> float:
        return 1.0

    @property
    def outlives(self) -> bool:
        return False

    @property
    def machines(self) -> Mapping[str, LocalMachine]:
        return self._machines

    @property
    def desk(self) -> Desk:
        return self._desk

    def any_address(self, port: int) -> tuple[str, int]:
        address = self._ground.network.balancer(port).address(NO_MACHINE)
        return address.host, address.port

    def steer(self, port: int, ready: Sequence[str]) -> None:
        """Say which machines serve that balanced port well. Raises LabError if the port is not balanced."""
        self._ground.network.balancer(port).steer(ready)

    def provide(self, programs: Mapping[str, Path]) -> None:
        """Have these programs in place of those before; what runs goes on."""
        self._ground.programs.provide(programs)

    def link(self, source: str, target: str) -> LocalLink:
        return self._ground.network.link(source, target)

    @property
    def links(self) -> Sequence[LocalLink]:
        return self._ground.network.links

    def lacks(self, ability: Ability) -> str:
        """Why this lab can't do that, in one line; "" if it can. Whether a disk can be slowed is tried out once."""
        return why_not(ability)

    @property
    def backups(self) -> str:
        return str(self._backups)

    async def up(self) -> None:
        """Make every machine exist and run. Raises LabError, with what to do, if a port is taken."""
        self._hold.take()
        self._in_use = True
        await self._ground.check_free(self._needed())
        self._desk.open()
        await self._ground.network.attach(NO_MACHINE)
        await do_all(machine.start() for machine in self._machines.values())

    async def down(self) -> None:
        """Halt every machine and let go of everything but the disks.

        One after another, so that each hands over to the others in order; but none is waited for long.
        """
        self._ground.network.heal_all()
        await do_all(machine.mend_disk() for machine in self._machines.values())
        stopping = [asyncio.ensure_future(self._desk.close())]
        for machine in reversed(self._machines.values()):
            stopping.append(asyncio.ensure_future(machine.stop()))
            await asyncio.wait(stopping[-1:], timeout=_PATIENCE)
        await do_all(stopping)
        await self._ground.network.shut()
        await self._ground.processes.close()
        self._in_use = False
        self._hold.drop()

    async def leave(self) -> None:
        """Halt every machine: they are processes of ours."""
        await self.down()

    def narrate(self, tell: Narrator, complain: Narrator) -> None:
        """Have `complain` hear of what fails in the background, such as a log that can't be rotated on a full disk."""
        self._ground.complaints.heard_by(complain)  # and nothing here takes long enough to be told

    async def reset(self) -> None:
        """Bring the lab to three running machines with empty disks and open links, whatever state it is in."""
        self._hold.take()
        self._ground.network.heal_all()  # first, so that a reset that is cancelled leaves no link cut behind
        await do_all([self._desk.empty(), *(machine.destroy() for machine in self._machines.values())])
        self._broke_off = []
        await self.up()

    async def left_behind(self) -> str:
        """What an earlier run left on disk, in words; "" if there is nothing to resume."""
        with_files = [name for name, machine in self._machines.items() if has_files(machine.disk)]
        if self._in_use or not with_files:
            return ""
        parts = []
        for words, names in (
            ("broke off while up", self._broke_off),
            ("halted", [name for name in MACHINES if self._power(name) == "halted"]),
            ("without power", [n for n in MACHINES if self._power(n) == "off" and n not in self._broke_off]),
            ("destroyed", [name for name in MACHINES if self._power(name) == "gone"]),
        ):
            if names:
                parts.append(f"{listed([self._with_units(name) for name in names])} {words}")
        return ", ".join(parts)

    def _with_units(self, name: str) -> str:
        units = self._machines[name].wanted_units()
        return f"{name} ({', '.join(units)})" if units else name

    def _needed(self) -> list[Address]:
        """The addresses that machines which are not up will need, and the presenter's."""
        balancers = self._ground.network.balancers.values()
        usual = [Listen(port, True) for port in USUAL_PORTS]
        needed = [balancer.address(NO_MACHINE) for balancer in balancers if not balancer.is_open(NO_MACHINE)]
        for name, machine in self._machines.items():
            if self._power(name) != "up":
                needed += self._ground.addresses(name, [*usual, *machine.configured_listens()], fronts=True)
                needed += [balancer.address(name) for balancer in balancers]
        return needed

    def _power(self, name: str) -> str:
        return self._ground.powers.get(name)[0]

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change()
