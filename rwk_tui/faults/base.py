"""What a fault is: a pair of inject and heal, with what it can be aimed at and what must be seen in the end."""

from __future__ import annotations

from typing import Protocol

from rwk_tui.board.board import Board
from rwk_tui.board.rows import FaultRow, MachineRow, MemberRow, QuorumRow, UnitRow
from rwk_tui.lab.protocol import Lab

LEADER = "leader"
"""The target that means: whatever machine leads etcd when the fault is injected."""


class FaultRefused(Exception):
    """A fault that can't be injected, in one line."""


class Fault(Protocol):
    """One way in which a lab can break. Targets are `machine` or `machine/unit`."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def explain(self) -> str: ...

    @property
    def healable(self) -> bool: ...

    @property
    def confirm(self) -> bool:
        """Whether the presenter must type the machine's name."""

    def targets(self, board: Board) -> tuple[str, ...]:
        """What it can be aimed at now, without the alias "leader"."""

    def of_leader(self, machine: str) -> str:
        """The target that the alias "leader" stands for, when that machine leads; "" where the alias makes no sense."""

    def done(self, target: str) -> str:
        """What was done, in words: "core-01 lost its power"."""

    def undone(self, target: str) -> str:
        """What healing does, in words: "core-01 is switched on"."""

    def seen(self, target: str) -> tuple[tuple[str, str], ...]:
        """The rows and states in which the probes will see the fault itself."""

    def seen_healed(self, target: str) -> tuple[tuple[str, str], ...]:
        """The rows and states in which the probes will see the healing itself."""

    async def inject(self, lab: Lab, target: str) -> None:
        """Break it. Raises LabError."""

    async def heal(self, lab: Lab, target: str, others: tuple[FaultRow, ...]) -> None:
        """Mend it, as far as it is still broken; `others` are the faults that stay. Raises LabError."""

    def holds(self, board: Board, target: str) -> bool:
        """Whether the target is well again."""

    def persists(self, board: Board, target: str) -> bool:
        """Whether the fault is still there when an earlier run's lab goes on."""

    def is_over(self, board: Board, target: str, since: float) -> bool:
        """Whether it was seen after `since` (unix, s) that somebody mended it by other means than healing."""


def machine_of(target: str) -> str:
    """The machine that a target lies on."""
    return target.partition("/")[0]


def unit_of(target: str) -> str:
    """The unit of a target, "" where it is a whole machine."""
    return target.partition("/")[2]


def leader(board: Board) -> str:
    """The machine that leads etcd, or ""."""
    quorum = board.get(QuorumRow, "quorum")
    return quorum.leader if quorum is not None and quorum.fresh else ""


def machine_is_up(board: Board, machine: str) -> bool:
    row = board.get(MachineRow, f"machine/{machine}")
    return row is not None and row.power == "up"


def units(board: Board, *states: str) -> tuple[str, ...]:
    """The units, as machine/unit, that are in one of the states on a machine that is up."""
    return tuple(
        f"{row.machine}/{row.unit}"
        for row in board.rows(UnitRow)
        if row.state in states and machine_is_up(board, row.machine)
    )


def unit_left(board: Board, target: str, since: float, *states: str) -> bool:
    """Whether the unit was seen after `since` (unix, s) in none of the states, or went with its machine's disk."""
    row = board.get(UnitRow, f"unit/{target}")
    if row is not None:
        return row.fresh and row.seen_at > since and row.state not in states
    machine = board.get(MachineRow, f"machine/{machine_of(target)}")
    return machine is not None and machine.fresh and machine.seen_at > since and machine.power == "gone"


def unit_is_well(board: Board, machine: str, unit: str) -> bool:
    """Whether the unit runs and, if it is a listed etcd member, follows a leader."""
    row = board.get(UnitRow, f"unit/{machine}/{unit}")
    if row is None or not row.fresh or row.state != "running":
        return False
    return unit != "etcd" or member_is_well(board, machine)


def member_is_well(board: Board, machine: str) -> bool:
    """Whether the machine's etcd member, if it has one, is healthy."""
    return all(row.fresh and row.health == "healthy" for row in board.rows(MemberRow) if row.machine == machine)


def machine_is_well(board: Board, machine: str) -> bool:
    """Whether the machine is up with every unit that belongs there, its member included."""
    if not machine_is_up(board, machine):
        return False
    rows = [row for row in board.rows(UnitRow) if row.machine == machine]
    has_etcd = any(row.unit == "etcd" for row in rows)
    return all(row.state in ("running", "stopped") for row in rows) and (not has_etcd or member_is_well(board, machine))
