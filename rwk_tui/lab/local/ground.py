"""What all machines of a local lab stand on: addresses, network, processes, programs, and who is switched on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rwk_tui.board.rows import Power
from rwk_tui.board.targets import MACHINES
from rwk_tui.lab.local import procs
from rwk_tui.lab.local.addresses import Address, AddressPlan
from rwk_tui.lab.local.disk import read_json, write_json
from rwk_tui.lab.local.links import Network
from rwk_tui.lab.local.process import Processes
from rwk_tui.lab.local.programs import Programs
from rwk_tui.lab.local.record import LAB_VARIABLE
from rwk_tui.lab.protocol import LabError, Listen, MachineDown, UnitSpec


class Powers:
    """Which machine is in which state of power since when, on disk outside of the machines' own."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._powers: dict[str, tuple[Power, float]] = {}
        self._written = True
        self.load()

    def load(self) -> None:
        """Read what is on disk. Raises LabError if it is damaged."""
        entries = read_json(self._file)
        known: tuple[Power, ...] = ("up", "starting", "stopping", "halted", "off", "gone")
        for name in MACHINES:
            entry = entries.get(name, {})
            power: Power = next((power for power in known if power == entry.get("power")), "gone")
            self._powers[name] = (power, float(entry.get("since", 0.0)))

    def get(self, machine: str) -> tuple[Power, float]:
        """State and since when (unix time, s)."""
        return self._powers[machine]

    def set(self, machine: str, power: Power) -> None:
        """Write down a new state. Raises LabError if the disk refuses; the state in memory is then new all the same."""
        if self._powers[machine][0] != power:
            self._powers[machine] = (power, time.time())
            self._written = False
        self.save()

    def save(self) -> None:
        """Write what a disk refused before. Raises LabError."""
        if not self._written:
            write_json(self._file, {name: {"power": p, "since": s} for name, (p, s) in self._powers.items()})
            self._written = True


@dataclass(frozen=True, slots=True)
class Ground:
    """Handed to all places and units of one lab; `grace` is how long (s) a program may take to end when asked to."""

    root: Path
    plan: AddressPlan
    processes: Processes
    network: Network
    powers: Powers
    programs: Programs
    grace: float
    changed: Callable[[], None]
    complaints: list[str] = field(default_factory=list)

    def require_up(self, machine: str) -> None:
        """Raises MachineDown unless the machine is up."""
        power = self.powers.get(machine)[0]
        if power not in ("up", "starting"):
            raise MachineDown(f"{machine} is {'destroyed' if power == 'gone' else power}, nothing runs there")

    def environment(self, machine: str, home: Path, extra: Mapping[str, str]) -> dict[str, str]:
        """The environment of a program: nothing of ours gets in but what a fresh login would have."""
        return {
            "PATH": self.programs.path,
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "RWK_MACHINE": machine,
            **extra,
            LAB_VARIABLE: str(self.root),  # last: what a crash leaves is told by it
        }

    async def check_ports(self, machine: str, spec: UnitSpec, *, fronts: bool) -> None:
        """Raises LabError, with who holds it and what to do, if an address that the unit needs is taken."""
        await self.check_free(self.addresses(machine, spec.listens, fronts=fronts))

    async def check_free(self, addresses: Iterable[Address]) -> None:
        """Raises LabError that names the first taken address, who holds it and what to do."""
        for address in addresses:
            if not procs.is_free(address):
                who = await asyncio.to_thread(procs.holder, address)
                raise LabError(f"{address} is taken by {who}; end it, or {self.plan.way_out}, then start again")

    def addresses(self, machine: str, listens: Iterable[Listen], *, fronts: bool) -> list[Address]:
        """The addresses that these ports take up."""
        found = []
        for listen in listens:
            found.append(self.plan.localhost(machine, listen.port))
            if listen.public and not listen.bound:
                found.append(self.plan.inside(machine, listen.port))
            if listen.public and fronts:
                found.append(self.plan.front(machine, listen.port))
        return found

    def complain(self, words: str) -> None:
        """Keep a failure that nobody waits for."""
        if words not in self.complaints:
            self.complaints.append(words)
