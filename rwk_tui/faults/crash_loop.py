"""A program that dies again and again, however often it is started."""

from __future__ import annotations

import asyncio
from itertools import chain, repeat

from rwk_tui.board.board import Board
from rwk_tui.board.rows import FaultRow
from rwk_tui.faults import sights
from rwk_tui.faults.base import Case, NothingToHeal, Sight, machine_of, unit_of
from rwk_tui.faults.process import UnitFault, switch, unit
from rwk_tui.lab.protocol import LabError, MachineDown

PAUSES = (0.5, 1.0, 2.0)
"""Seconds until it is started again; the last one holds from then on."""
LIVES = 0.4
"""Seconds for which it lives each time."""
LOOK = 5.0
"""Seconds for which a look waits for the second fall."""


class CrashLoop(UnitFault):
    """What a bad configuration or a bug at start does: a supervisor starts it, and it falls again."""

    name = "crash-loop"
    title = "Crash it again and again"
    explain = "It is killed, started as a supervisor would after a pause that grows, and killed again."
    look = "The unit comes and goes. Each time it joins, it takes part for a moment and is missed again."
    must = "The others neither wait for it nor trust it; no acknowledged write is lost; in the end it catches up."
    volatile = True

    def done(self, target: str) -> str:
        return f"{unit_of(target)} on {machine_of(target)} crashes again and again"

    def undone(self, target: str) -> str:
        return f"{unit_of(target)} on {machine_of(target)} is started for good"

    def seen(self, target: str) -> tuple[tuple[str, str], ...]:
        return ((f"unit/{target}", "failed"),)

    async def inject(self, case: Case) -> None:
        await switch(case, self.title, "kill")

    async def keep_up(self, case: Case) -> None:
        """Start it and kill it, for ever; one that was stopped on purpose, or with its machine, is left alone."""
        victim = unit(case)
        for pause in chain(PAUSES, repeat(PAUSES[-1])):
            await asyncio.sleep(pause)
            try:
                state = (await victim.status()).state
                if state == "failed":
                    await victim.start()
                    await asyncio.sleep(LIVES)
                    state = (await victim.status()).state
                if state == "running":
                    await victim.kill()
            except MachineDown:
                continue

    async def shows(self, case: Case) -> Sight | None:
        falls: set[float] = set()

        def fell_twice(board: Board) -> bool:
            row = sights.unit(board, case.target)
            if row is not None and row.state == "failed":
                falls.add(row.since)
            return len(falls) >= 2

        if not await case.ground.hub.wait(fell_twice, LOOK):
            return None
        apart = max(falls) - min(falls)
        return Sight(f"{unit_of(case.target)} failed twice within {apart:.1f} s")

    async def heal(self, case: Case, others: tuple[FaultRow, ...]) -> None:
        if (await unit(case).status()).state == "running":
            return
        try:
            await switch(case, "Start it for good", "start")
        except LabError as error:
            raise NothingToHeal(str(error)) from error

    def is_over(self, board: Board, target: str, since: float) -> bool:
        row = sights.unit(board, target)
        if row is None:
            return sights.unit_left(board, target, since)
        # Whoever looks in the moment in which it falls may not know yet how it ended.
        stopped = row.fresh and row.seen_at > since and row.state == "stopped" and bool(row.exit)
        return stopped and sights.machine_is_up(board, machine_of(target))
