"""What a host's supervisor does: whoever ended by himself is started again, once what made him end is healed.

A controller manager or scheduler that can't renew its lease ends itself, and relies on being started again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from rwk_tui.board.board import Board
from rwk_tui.board.rows import UnitRow
from rwk_tui.cluster.kubernetes.units import API_SERVER, CONTROLLER_MANAGER, KUBELET, SCHEDULER
from rwk_tui.cluster.ops import UnitOp
from rwk_tui.faults.ground import Ground
from rwk_tui.faults.sights import machines_up, untouched
from rwk_tui.lab.protocol import LabError

ITSELF = "exit code"
"""How the words begin in which a unit's row says that it ended by itself: whoever is killed ends by a signal."""
EVERY = 1.0
"""Seconds between two looks, and so at least between two starts of the same unit."""


def fallen(board: Board) -> list[tuple[str, str]]:
    """The units of Kubernetes, as machine and name, that ended by themselves on machines which no active fault hits."""
    spared = untouched(board, machines_up(board))
    return [
        (row.machine, row.unit)
        for row in board.rows(UnitRow)
        if row.unit in (API_SERVER, CONTROLLER_MANAGER, SCHEDULER, KUBELET)
        and row.fresh
        and row.state == "failed"
        and row.exit.startswith(ITSELF)
        and row.machine in spared
    ]


@contextlib.asynccontextmanager
async def supervised(ground: Ground) -> AsyncIterator[None]:
    """Start fallen units again for as long as the context lasts, each with its command shown."""
    work = asyncio.create_task(_supervise(ground))
    try:
        yield
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def _supervise(ground: Ground) -> None:
    while True:
        for machine, unit in fallen(ground.hub.board):
            try:
                await ground.do("Start what ended itself", [UnitOp(ground.machine(machine), unit, "start")])
            except LabError as error:
                ground.teller("Start what ended itself", machine)("note", str(error))
        await asyncio.sleep(EVERY)
