"""Faults of the network: a machine that runs and can reach nobody."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from rwk_tui.board.board import Board
from rwk_tui.board.rows import FaultRow, LinkRow, MachineRow
from rwk_tui.faults.base import machine_is_up, member_is_well
from rwk_tui.lab.protocol import Lab

PARTITION = "partition"


@dataclass(frozen=True, slots=True)
class Partition:
    """Both directions of all links of one machine are cut."""

    name: str = PARTITION
    title: str = "Cut off a machine"
    explain: str = "It runs on, but reaches no other machine and none reaches it. A cut leader steps down by itself."
    healable: bool = True
    confirm: bool = False

    def targets(self, board: Board) -> tuple[str, ...]:
        open_ends = {end for row in board.rows(LinkRow) if row.state == "open" for end in (row.source, row.target)}
        return tuple(row.name for row in board.rows(MachineRow) if row.power == "up" and row.name in open_ends)

    def of_leader(self, machine: str) -> str:
        return machine

    def done(self, target: str) -> str:
        return f"{target} was cut off from the others"

    def undone(self, target: str) -> str:
        return f"the links of {target} are open"

    def seen(self, target: str) -> tuple[tuple[str, str], ...]:
        return ()

    def seen_healed(self, target: str) -> tuple[tuple[str, str], ...]:
        return ()

    async def inject(self, lab: Lab, target: str) -> None:
        await asyncio.gather(*(link.cut() for link in lab.links if target in (link.source, link.target)))

    async def heal(self, lab: Lab, target: str, others: tuple[FaultRow, ...]) -> None:
        """Open the machine's links, but for those to machines that stay cut off by a fault of their own."""
        still_cut = {fault.target for fault in others if fault.fault == PARTITION}
        mine = [link for link in lab.links if target in (link.source, link.target)]
        await asyncio.gather(*(link.heal() for link in mine if not {link.source, link.target} & still_cut))

    def holds(self, board: Board, target: str) -> bool:
        return not machine_is_up(board, target) or member_is_well(board, target)

    def persists(self, board: Board, target: str) -> bool:
        return True

    def is_over(self, board: Board, target: str, since: float) -> bool:
        return False
