"""The leader hands over: asked again where nobody answered in time, because that may be asked twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from rwk_tui.cluster.ops import NO_ANSWER, Around, OpResult, Tell


@dataclass(frozen=True, slots=True)
class HandOver(Around):
    """Make `to` the leader by `op`, which asks the leader that there is, within `deadline` seconds.

    `leads` tells who leads now. The outcome of a transfer without an answer is looked up there, not guessed. A raft
    leader breaks off a transfer after one election timeout, so asking again is safe, and waiting longer is no use.
    """

    to: str
    leads: Callable[[], str]
    deadline: float
    pause: float = 0.5

    async def run(self, tell: Tell) -> OpResult:
        """Ask until it has happened, was refused for good, somebody else leads, or time is over."""
        started = time.monotonic()
        asked = self.leads()
        while True:
            result = await self.op.run(tell)
            if result.exit_code == 0 or not any(words in result.stderr for words in NO_ANSWER):
                return result
            leads = await self._seen(started)
            if leads == self.to:
                tell("note", f"no answer in time, but {self.to} leads now")
                return OpResult(0, result.stdout, result.stderr)
            if leads != asked or time.monotonic() - started >= self.deadline:
                return result
            tell("note", f"{asked} still leads: asking again")

    async def _seen(self, started: float) -> str:
        """Who leads by now; "" only if nobody is seen to before the deadline, as while another one is elected."""
        while True:
            await asyncio.sleep(self.pause)
            leads = self.leads()
            if leads or time.monotonic() - started >= self.deadline:
                return leads
