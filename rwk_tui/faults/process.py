"""Faults of a process: it dies, or it freezes with its connections open."""

from __future__ import annotations

from typing import ClassVar

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import Domain
from rwk_tui.board.rows import FaultRow
from rwk_tui.cluster.ops import UnitOp
from rwk_tui.faults import sights
from rwk_tui.faults.base import Case, Fault, NothingToHeal, Sight, machine_of, unit_of
from rwk_tui.lab.protocol import LabError, Unit, UnitVerb


class UnitFault(Fault):
    """What faults of one unit have in common."""

    domain: ClassVar[Domain] = "process"

    def targets(self, board: Board) -> tuple[str, ...]:
        return sights.units(board, "running")

    def of_leader(self, machine: str) -> str:
        return f"{machine}/etcd"

    def seen_healed(self, target: str) -> tuple[tuple[str, str], ...]:
        return ((f"unit/{target}", "running"),)

    def holds(self, board: Board, target: str) -> bool:
        return sights.unit_is_well(board, machine_of(target), unit_of(target))


def unit(case: Case) -> Unit:
    """The unit that a case is about. Raises LabError."""
    return case.ground.machine(machine_of(case.target)).unit(unit_of(case.target))


async def switch(case: Case, title: str, verb: UnitVerb) -> None:
    """Do something to the unit of a case, with its command shown. Raises LabError."""
    await case.ground.do(title, [UnitOp(case.ground.machine(machine_of(case.target)), unit_of(case.target), verb)])


class KillUnit(UnitFault):
    """SIGKILL: the program is gone from one moment to the next, its disk stays."""

    name = "kill-unit"
    title = "Kill a process"
    explain = "SIGKILL: it gets no chance to say goodbye. Its connections close, so its peers notice soon."
    look = "The unit fails. If it led, another member is elected after about the election timeout."
    must = "Two of three go on; no acknowledged write is lost; started again, it catches up."

    def targets(self, board: Board) -> tuple[str, ...]:
        return sights.units(board, "running", "paused")

    def done(self, target: str) -> str:
        return f"{unit_of(target)} on {machine_of(target)} was killed"

    def undone(self, target: str) -> str:
        return f"{unit_of(target)} on {machine_of(target)} is started"

    def seen(self, target: str) -> tuple[tuple[str, str], ...]:
        return ((f"unit/{target}", "failed"),)

    async def inject(self, case: Case) -> None:
        await switch(case, self.title, "kill")

    async def shows(self, case: Case) -> Sight | None:
        row = sights.unit(case.ground.hub.board, case.target)
        return Sight(f"{row.unit}: {row.exit or 'failed'}") if row is not None and row.state == "failed" else None

    async def heal(self, case: Case, others: tuple[FaultRow, ...]) -> None:
        if (await unit(case).status()).state in ("running", "paused"):
            return
        try:
            await switch(case, "Start it again", "start")
        except LabError as error:
            raise NothingToHeal(str(error)) from error

    def persists(self, board: Board, target: str) -> bool:
        row = sights.unit(board, target)
        return row is not None and row.state in ("failed", "stopped")

    def is_over(self, board: Board, target: str, since: float) -> bool:
        return sights.unit_left(board, target, since, "failed", "stopped")


class PauseUnit(UnitFault):
    """SIGSTOP: the program stands still, and only silence tells."""

    name = "pause-unit"
    title = "Freeze a process"
    explain = "SIGSTOP: connections stay open and nothing answers. Only a deadline can tell that it is not just slow."
    look = "The unit is paused. Whoever asks it waits; a leader that is silent is replaced."
    must = "Nobody else hangs; no acknowledged write is lost; on waking, an old leader steps down."

    def done(self, target: str) -> str:
        return f"{unit_of(target)} on {machine_of(target)} was frozen"

    def undone(self, target: str) -> str:
        return f"{unit_of(target)} on {machine_of(target)} goes on"

    def seen(self, target: str) -> tuple[tuple[str, str], ...]:
        return ((f"unit/{target}", "paused"),)

    async def inject(self, case: Case) -> None:
        await switch(case, self.title, "pause")

    async def shows(self, case: Case) -> Sight | None:
        row = sights.unit(case.ground.hub.board, case.target)
        return Sight(f"{row.unit} is stopped in mid-air") if row is not None and row.state == "paused" else None

    async def heal(self, case: Case, others: tuple[FaultRow, ...]) -> None:
        if (await unit(case).status()).state == "paused":
            await switch(case, "Let it go on", "resume")

    def persists(self, board: Board, target: str) -> bool:
        row = sights.unit(board, target)
        return row is not None and row.state == "paused"

    def is_over(self, board: Board, target: str, since: float) -> bool:
        return sights.unit_left(board, target, since, "paused")
