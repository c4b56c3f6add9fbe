"""What a disturbance did: which leader came, after how long, and for how long no write was acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import QuorumRow
from rwk_tui.board.wording import seconds, stood_still
from rwk_tui.watch.canary import Canary
from rwk_tui.watch.gaps import Gap, longest
from rwk_tui.watch.leadership import Election, Leadership

SETTLE = 1.0
"""Seconds in which an effect must have begun to show; a leader that is lost stops writes at once."""
QUIET = 0.3
"""Seconds for which writes must flow again before an outage counts as over."""


@dataclass(frozen=True, slots=True)
class Effect:
    """The measured effect of a disturbance; None where there was none, milliseconds otherwise.

    For `still_ms` of the outage this computer itself stood still.
    `settled` is False when writes still did not flow at the deadline; `outage_ms` is then what had passed.
    """

    election_ms: float | None = None
    outage_ms: float | None = None
    still_ms: float = 0.0
    new_leader: str = ""
    resolution_ms: float = 0.0
    settled: bool = True
    why: str = ""
    etcd: bool = True
    """Whether there is an etcd at all, of which something can be measured."""

    def words(self) -> str:
        """The effect in words."""
        if not self.etcd:
            return "there is no etcd that could feel it"
        parts: list[str] = []
        if self.new_leader:
            after = f" after {seconds(self.election_ms)}" if self.election_ms is not None else ""
            parts.append(f"new leader {self.new_leader}{after}")
        if not self.settled:
            why = f" ({self.why})" if self.why else ""
            parts.append(f"no write for {seconds(self.outage_ms or 0)} and on{why}{stood_still(self.still_ms)}")
        elif self.outage_ms is not None:
            parts.append(f"writes stopped for {seconds(self.outage_ms)}{stood_still(self.still_ms)}")
        elif not self.new_leader:
            parts.append("the leader stays, writes go on")
        else:
            parts.append("writes went on")
        return ", ".join(parts)


async def measure(hub: Hub, canary: Canary, leadership: Leadership, since: float, deadline: float) -> Effect:
    """Say what the disturbance at `since` (unix, s) did, once writes flow again or `deadline` seconds have passed."""
    start = hub.now()
    while True:
        now = hub.now()
        quorum = hub.board.get(QuorumRow, "quorum")
        if now - since >= SETTLE and (quorum is None or quorum.state == "none"):
            return Effect(etcd=False)
        quiet = canary.gap() is None and now - canary.last_acknowledged < QUIET
        led = quorum is not None and bool(quorum.leader) and not leadership.undecided
        # The first write is acknowledged before a probe can see who leads now.
        flowing = all(now - gap.end >= QUIET for gap in canary.gaps(since))
        settled = now - since >= SETTLE and quiet and flowing and led
        if settled or now - start >= deadline:
            return _effect(
                canary.gaps(since), leadership.elections, since, settled, quorum.why if quorum is not None else ""
            )
        await asyncio.sleep(0.05)


def _effect(gaps: Sequence[Gap], elections: Sequence[Election], since: float, settled: bool, why: str) -> Effect:
    election = next((one for one in elections if one.at > since), None)
    outage = longest(gaps)
    resolution = max(
        election.resolution_ms if election is not None else 0.0,
        outage.resolution * 1000 if outage is not None else 0.0,
    )
    return Effect(
        election_ms=(election.at - since) * 1000 if election is not None else None,
        outage_ms=outage.ms if outage is not None else None,
        still_ms=outage.still_ms if outage is not None else 0.0,
        new_leader=election.leader if election is not None else "",
        resolution_ms=resolution,
        settled=settled,
        why=why,
    )
