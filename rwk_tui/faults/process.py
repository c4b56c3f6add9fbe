"""Faults of a process: it dies, or it freezes with its connections open."""

from __future__ import annotations

from dataclasses import dataclass

from rwk_tui.board.board import Board
from rwk_tui.board.rows import FaultRow, UnitRow
from rwk_tui.faults.base import machine_of, unit_is_well, unit_left, unit_of, units
from rwk_tui.lab.protocol import Lab, Unit


def _unit(lab: Lab, target: str) -> Unit:
    return lab.machines[machine_of(target)].unit(unit_of(target))


@dataclass(frozen=True, slots=True)
class KillUnit:
    """SIGKILL: the program is gone from one moment to the next, its disk stays."""

    name: str = "kill-unit"
    title: str = "Kill a process"
    explain: str = "SIGKILL: it gets no chance to say goodbye. Its connections close, so its peers notice soon."
    healable: bool = True
    confirm: bool = False

    def targets(self, board: Board) -> tuple[str, ...]:
        return units(board, "running", "paused")

    def of_leader(self, machine: str) -> str:
        return f"{machine}/etcd"

    def done(self, target: str) -> str:
        return f"{unit_of(target)} on {machine_of(target)} was killed"

    def undone(self, target: str) -> str:
        return f"{unit_of(target)} on {machine_of(target)} is started"

    def seen(self, target: str) -> tuple[tuple[str, str], ...]:
        return ((f"unit/{target}", "failed"),)

    def seen_healed(self, target: str) -> tuple[tuple[str, str], ...]:
        return ((f"unit/{target}", "running"),)

    async def inject(self, lab: Lab, target: str) -> None:
        await _unit(lab, target).kill()

    async def heal(self, lab: Lab, target: str, others: tuple[FaultRow, ...]) -> None:
        unit = _unit(lab, target)
        if (await unit.status()).state not in ("running", "paused"):
            await unit.start()

    def holds(self, board: Board, target: str) -> bool:
        return unit_is_well(board, machine_of(target), unit_of(target))

    def persists(self, board: Board, target: str) -> bool:
        row = board.get(UnitRow, f"unit/{target}")
        return row is not None and row.state in ("failed", "stopped")

    def is_over(self, board: Board, target: str, since: float) -> bool:
        return unit_left(board, target, since, "failed", "stopped")


@dataclass(frozen=True, slots=True)
class PauseUnit:
    """SIGSTOP: the program stands still, and only silence tells."""

    name: str = "pause-unit"
    title: str = "Freeze a process"
    explain: str = (
        "SIGSTOP: connections stay open and nothing answers. Only a deadline can tell that it is not just slow."
    )
    healable: bool = True
    confirm: bool = False

    def targets(self, board: Board) -> tuple[str, ...]:
        return units(board, "running")

    def of_leader(self, machine: str) -> str:
        return f"{machine}/etcd"

    def done(self, target: str) -> str:
        return f"{unit_of(target)} on {machine_of(target)} was frozen"

    def undone(self, target: str) -> str:
        return f"{unit_of(target)} on {machine_of(target)} goes on"

    def seen(self, target: str) -> tuple[tuple[str, str], ...]:
        return ((f"unit/{target}", "paused"),)

    def seen_healed(self, target: str) -> tuple[tuple[str, str], ...]:
        return ((f"unit/{target}", "running"),)

    async def inject(self, lab: Lab, target: str) -> None:
        await _unit(lab, target).pause()

    async def heal(self, lab: Lab, target: str, others: tuple[FaultRow, ...]) -> None:
        unit = _unit(lab, target)
        if (await unit.status()).state == "paused":
            await unit.resume()

    def holds(self, board: Board, target: str) -> bool:
        return unit_is_well(board, machine_of(target), unit_of(target))

    def persists(self, board: Board, target: str) -> bool:
        row = board.get(UnitRow, f"unit/{target}")
        return row is not None and row.state == "paused"

    def is_over(self, board: Board, target: str, since: float) -> bool:
        return unit_left(board, target, since, "paused")
