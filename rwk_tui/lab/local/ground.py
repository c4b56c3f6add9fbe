"""What all machines of a local lab stand on: addresses, network, processes, programs, and who is switched on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rwk_tui.lab.host import procs
from rwk_tui.lab.host.address import Address
from rwk_tui.lab.host.complaints import Complaints
from rwk_tui.lab.host.powers import Powers
from rwk_tui.lab.host.process import Processes
from rwk_tui.lab.host.programs import Programs
from rwk_tui.lab.local.addresses import AddressPlan
from rwk_tui.lab.local.links import Network
from rwk_tui.lab.protocol import LabError, Listen, MachineDown, UnitSpec


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
    complaints: Complaints = field(default_factory=Complaints)

    def require_up(self, machine: str) -> None:
        """Raises MachineDown unless the machine is up."""
        power = self.powers.get(machine)[0]
        if power not in ("up", "starting"):
            raise MachineDown(f"{machine} is {'destroyed' if power == 'gone' else power}, nothing runs there")

    def environment(self, machine: str, home: Path, extra: Mapping[str, str]) -> dict[str, str]:
        """The environment of a program of this lab."""
        return self.programs.environment(machine, home, extra, self.root)

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
