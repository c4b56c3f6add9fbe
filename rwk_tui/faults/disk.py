"""What faults of a member's disk have in common: they hit one etcd member, and most are healed by joining anew."""

from __future__ import annotations

import asyncio
import contextlib
import time
from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import ClassVar

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import Domain
from rwk_tui.board.rows import FaultRow
from rwk_tui.cluster.etcd import UNIT
from rwk_tui.cluster.ops import UnitOp
from rwk_tui.faults import sights
from rwk_tui.faults.base import Case, Fault, Sight, machine_of
from rwk_tui.faults.last_words import last_words
from rwk_tui.faults.members import join_again, require_up, spared, victim, votes_again
from rwk_tui.faults.supervise import ITSELF
from rwk_tui.lab.protocol import LabError

ENDS_WITHIN = 15.0
"""Seconds in which etcd must have found out that it can't go on with what is on its disk."""
LOOK = 0.05


class MemberFault(Fault):
    """What faults of one etcd member have in common."""

    domain: ClassVar[Domain] = "disk"

    def of_leader(self, machine: str) -> str:
        return f"{machine}/{UNIT}"

    def holds(self, board: Board, target: str) -> bool:
        return votes_again(board, machine_of(target)) and sights.etcd_is_whole(board)


class DataFault(MemberFault):
    """A member's data is worthless afterwards: it must join anew, and is only hit where the others can do without."""

    confirm = True
    well_within = 60.0

    def targets(self, board: Board) -> tuple[str, ...]:
        return tuple(f"{name}/{UNIT}" for name in spared(board))

    def undone(self, target: str) -> str:
        return f"{machine_of(target)} joins anew, with an empty disk"

    def seen(self, target: str) -> tuple[tuple[str, str], ...]:
        return tuple((f"unit/{target}", state) for state in ("stopped", "running", "failed"))

    def seen_healed(self, target: str) -> tuple[tuple[str, str], ...]:
        return ((f"unit/{target}", "running"),)

    async def inject(self, case: Case) -> None:
        async with _started_after_all(case):
            await self.harm(case)
            await self.works(case)

    @abstractmethod
    async def harm(self, case: Case) -> None:
        """Stop the member, do something to its data, and start it. Raises LabError."""

    async def works(self, case: Case) -> None:
        """See that it did harm: who looks earlier may still take the member for a healthy one. Raises LabError."""
        unit = victim(case).unit(UNIT)
        deadline = time.monotonic() + case.ground.within(ENDS_WITHIN)
        while (await unit.status()).state == "running":
            if time.monotonic() >= deadline:
                raise LabError("etcd goes on all the same")
            await asyncio.sleep(LOOK)

    async def shows(self, case: Case) -> Sight | None:
        """That etcd does not run, and what it said at its end."""
        row = sights.unit(case.ground.hub.board, case.target)
        if row is None or row.state not in ("failed", "stopped") or not row.exit.startswith(ITSELF):
            return None
        why = await last_words(victim(case).unit(UNIT))
        return Sight(f"etcd ended with {row.exit}: {why}") if why else None

    async def heal(self, case: Case, others: tuple[FaultRow, ...]) -> None:
        machine = victim(case)
        await require_up(machine)
        await join_again(case.ground, machine)

    def is_over(self, board: Board, target: str, since: float) -> bool:
        machine = machine_of(target)
        row, member = sights.unit(board, target), sights.member(board, machine)
        if row is None or member is None:
            return sights.unit_left(board, target, since, "running", "paused", "stopped", "failed")
        return member.fresh and member.seen_at > since and votes_again(board, machine)


@contextlib.asynccontextmanager
async def _started_after_all(case: Case) -> AsyncIterator[None]:
    """Start the member again if something goes wrong meanwhile, for then nobody knows of a fault to heal."""
    try:
        yield
    except LabError:
        with contextlib.suppress(LabError):
            await case.ground.do("Start it all the same", [UnitOp(victim(case), UNIT, "start")])
        raise
