"""A disk that takes its time: each sync of one member is held back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from rwk_tui.board.board import Board
from rwk_tui.board.rows import FaultRow
from rwk_tui.cluster.etcd import UNIT
from rwk_tui.cluster.ops import OpResult, Tell
from rwk_tui.faults import sights
from rwk_tui.faults.base import Case, Sight, machine_of
from rwk_tui.faults.disk import MemberFault
from rwk_tui.faults.ground import Ground
from rwk_tui.faults.members import victim
from rwk_tui.faults.metrics import exposed, total
from rwk_tui.lab.protocol import Machine

MILLISECONDS = 500.0
TELLING = MILLISECONDS / 2
"""ms: what takes longer is slow, and a sync takes at least what it is held back by."""
SYNC = "etcd_disk_wal_fsync_duration_seconds"
LOOK, LOOKS = 0.1, 50
"""Seconds between two looks at what the member counts, and looks until a measurement is begun anew."""


@dataclass(frozen=True, slots=True)
class SlowDiskOp:
    """Hold back each sync of a unit by that long (ms); 0 is for no more."""

    on: Machine
    unit: str
    milliseconds: float

    @property
    def machine(self) -> str:
        return self.on.name

    async def resolve(self) -> None:
        return None

    def command(self) -> str:
        late = f"ends {self.milliseconds:g} ms late" if self.milliseconds else "is as fast as ever"
        return f"# {self.on.name}: each sync of {self.unit} to the disk {late}"

    async def run(self, tell: Tell) -> OpResult:
        await self.on.unit(self.unit).slow_disk(self.milliseconds)
        return OpResult()


class SlowDisk(MemberFault):
    """Every fsync and fdatasync of one member takes half a second longer."""

    name = "slow-disk"
    title = "Slow the disk down"
    explain = f"Each time that etcd waits until its log is on the disk, it waits {MILLISECONDS:g} ms longer."
    look = "If it leads, every write waits for its disk. If it follows, nobody does: the other two are a majority."
    must = "Slow is not dead: nobody is elected for it, and what is acknowledged is on two disks at least."
    volatile = True

    def why_not(self, ground: Ground) -> str:
        return ground.lab.lacks("slow disk")

    def targets(self, board: Board) -> tuple[str, ...]:
        running = sights.units(board, "running")
        return tuple(
            target for target in (f"{name}/{UNIT}" for name in sorted(sights.voters(board))) if target in running
        )

    def done(self, target: str) -> str:
        return f"the disk of etcd on {machine_of(target)} became slow"

    def undone(self, target: str) -> str:
        return f"the disk of etcd on {machine_of(target)} is as fast as ever"

    async def inject(self, case: Case) -> None:
        await case.ground.do(self.title, [SlowDiskOp(victim(case), UNIT, MILLISECONDS)])

    async def shows(self, case: Case) -> Sight | None:
        """How long its syncs take by its own count, which grows with each entry of the log, whoever leads."""
        machine = machine_of(case.target)
        # One that is under way now may have begun before the disk was slow.
        first = await _next_sync(case, machine, await _counted(case, machine))
        later = await _next_sync(case, machine, first) if first is not None else None
        if first is None or later is None:
            return None
        took = (later[0] - first[0]) / (later[1] - first[1]) * 1000
        return Sight(f"a sync to the disk of {machine} takes {took:.0f} ms") if took >= TELLING else None

    async def heal(self, case: Case, others: tuple[FaultRow, ...]) -> None:
        await case.ground.do("Let it be fast", [SlowDiskOp(victim(case), UNIT, 0)])

    def persists(self, board: Board, target: str) -> bool:
        row = sights.unit(board, target)
        return row is not None and row.state == "running"

    def is_over(self, board: Board, target: str, since: float) -> bool:
        return sights.unit_left(board, target, since, "running", "paused")


async def _next_sync(case: Case, machine: str, before: tuple[float, float]) -> tuple[float, float] | None:
    """What it counts once there are more syncs than before; None if there are none for a while."""
    for _ in range(LOOKS):
        now = await _counted(case, machine)
        if now[1] > before[1]:
            return now
        await asyncio.sleep(LOOK)
    return None


async def _counted(case: Case, machine: str) -> tuple[float, float]:
    """How long its syncs have taken altogether (s), and how many there were."""
    text = await exposed(case.ground, machine)
    return total(text, f"{SYNC}_sum"), total(text, f"{SYNC}_count")
