"""Faults of a whole machine: its power goes, or its disk goes with it."""

from __future__ import annotations

from dataclasses import dataclass

from rwk_tui.board.board import Board
from rwk_tui.board.rows import FaultRow, MachineRow
from rwk_tui.faults.base import machine_is_well
from rwk_tui.lab.protocol import Lab, LabError


@dataclass(frozen=True, slots=True)
class PowerCut:
    """All programs of the machine end at once; its disk stays."""

    name: str = "power-cut"
    title: str = "Cut the power"
    explain: str = "Everything on the machine ends at once. Its disk stays: switched on again, it catches up."
    healable: bool = True
    confirm: bool = False

    def targets(self, board: Board) -> tuple[str, ...]:
        return tuple(row.name for row in board.rows(MachineRow) if row.power == "up")

    def of_leader(self, machine: str) -> str:
        return machine

    def done(self, target: str) -> str:
        return f"{target} lost its power"

    def undone(self, target: str) -> str:
        return f"{target} is switched on"

    def seen(self, target: str) -> tuple[tuple[str, str], ...]:
        return ((f"machine/{target}", "off"),)

    def seen_healed(self, target: str) -> tuple[tuple[str, str], ...]:
        return ((f"machine/{target}", "up"),)

    async def inject(self, lab: Lab, target: str) -> None:
        await lab.machines[target].kill()

    async def heal(self, lab: Lab, target: str, others: tuple[FaultRow, ...]) -> None:
        machine = lab.machines[target]
        power = (await machine.status()).power
        if power == "gone":
            raise LabError("it was destroyed meanwhile")  # switched on, it would be another machine
        if power not in ("up", "starting"):
            await machine.start()

    def holds(self, board: Board, target: str) -> bool:
        return machine_is_well(board, target)

    def persists(self, board: Board, target: str) -> bool:
        row = board.get(MachineRow, f"machine/{target}")
        return row is not None and row.power in ("off", "halted")

    def is_over(self, board: Board, target: str, since: float) -> bool:
        row = board.get(MachineRow, f"machine/{target}")
        return row is not None and row.seen_at > since and row.fresh and row.power in ("up", "gone")


@dataclass(frozen=True, slots=True)
class Destroy:
    """The machine goes, and its disk with it: there is nothing to heal, only to replace."""

    name: str = "destroy"
    title: str = "Destroy a machine"
    explain: str = "The machine goes with its disk. It can't be healed: its member must be removed and a new one added."
    healable: bool = False
    confirm: bool = True

    def targets(self, board: Board) -> tuple[str, ...]:
        return tuple(row.name for row in board.rows(MachineRow) if row.power != "gone")

    def of_leader(self, machine: str) -> str:
        return ""

    def done(self, target: str) -> str:
        return f"{target} was destroyed with its disk"

    def undone(self, target: str) -> str:
        return ""

    def seen(self, target: str) -> tuple[tuple[str, str], ...]:
        return ((f"machine/{target}", "gone"),)

    def seen_healed(self, target: str) -> tuple[tuple[str, str], ...]:
        return ()

    async def inject(self, lab: Lab, target: str) -> None:
        await lab.machines[target].destroy()

    async def heal(self, lab: Lab, target: str, others: tuple[FaultRow, ...]) -> None:
        return None

    def holds(self, board: Board, target: str) -> bool:
        return True

    def persists(self, board: Board, target: str) -> bool:
        return False

    def is_over(self, board: Board, target: str, since: float) -> bool:
        return False
