"""A learner gets its vote: asked again where nobody answered in time, because a member can't get it twice."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from rwk_tui.cluster.ops import NO_ANSWER, Around, OpResult, Tell

VOTES_ALREADY = "can only promote a learner member"
"""What etcd answers about a member that is a voter."""


@dataclass(frozen=True, slots=True)
class Promotion(Around):
    """Give a learner its vote by `op`, within `deadline` seconds."""

    deadline: float
    pause: float = 0.5

    async def run(self, tell: Tell) -> OpResult:
        """Ask until it is a voter, was refused for good, or time is over."""
        until = time.monotonic() + self.deadline
        result = await self.op.run(tell)
        while _unanswered(result) and time.monotonic() < until:
            tell("note", "no answer in time: asking again")
            await asyncio.sleep(self.pause)
            result = await self.op.run(tell)
            if VOTES_ALREADY in result.stderr:
                tell("note", "it has got its vote meanwhile")
                return OpResult(0, result.stdout, result.stderr)
        return result


def _unanswered(result: OpResult) -> bool:
    return result.exit_code != 0 and any(words in result.stderr for words in NO_ANSWER)
