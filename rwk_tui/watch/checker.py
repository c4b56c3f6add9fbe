"""Reads the canary's writes again, remembers what was lost, and deletes what was checked long ago."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from rwk_tui.board.hub import Hub
from rwk_tui.lab.protocol import Machine
from rwk_tui.watch.known_bugs import known_bug, tell_violation, versions_that_run
from rwk_tui.watch.ledger import PREFIX, Ledger
from rwk_tui.watch.refusals import EtcdError
from rwk_tui.watch.verdict import ClientOf, Verdict, check

Targets = Callable[[], Sequence[Machine]]

KEPT, KEPT_AT_MOST = 1000, 3000
"""How many checked keys stay when the older ones are deleted, and how many make that worth while."""
DELETE_DEADLINE = 5.0


class Checker:
    """Makes the check, one at a time; `lost` is what the last one that could be made did not find.

    `known` says of which bug of etcd that is known, by the members that ran when it was first seen; "" if of none.
    """

    def __init__(self, hub: Hub, ledger: Ledger, targets: Targets, client: ClientOf) -> None:
        self._hub = hub
        self._ledger = ledger
        self._targets = targets
        self._client = client
        self._told: set[str] = set()
        self._one = asyncio.Lock()
        self.lost = 0
        self.known = ""

    def forget(self) -> None:
        """A new epoch: what the last one lost does not count in it."""
        self.lost, self.known = 0, ""
        self._told.clear()

    async def verify(self, timeout: float) -> Verdict:
        """Check all of the epoch within `timeout` s; a newly found loss is told once, and loudly unless it is known."""
        async with self._one:
            verdict = await check(self._ledger, self._targets(), self._client, timeout)
        if not verdict.done or verdict.epoch != self._ledger.epoch.number:
            return verdict
        if verdict.lost > self.lost:
            self.known = known_bug("lost write", versions_that_run(self._hub.board))
        self.lost = verdict.lost
        verdict = replace(verdict, known=self.known if verdict.lost else "")
        if set(verdict.missing) - self._told:
            self._told.update(verdict.missing)
            text = f"{verdict.lost} of {verdict.acknowledged} acknowledged writes are lost: {verdict.missing[0]} …"
            tell_violation(self._hub, "lost", text, "canary/etcd", verdict.known)
        return verdict

    async def trim(self, timeout: float) -> None:
        """Delete the older keys once all were found again, so that neither etcd nor the ledger grows for ever.

        Raises OSError if the ledger can't be rewritten. The ledger gives the keys up before they go, never after.
        """
        if len(self._ledger.epoch.acknowledged) <= KEPT_AT_MOST or self._ledger.due is not None:
            return  # nor while the keys of an older epoch are to be read again
        verdict = await self.verify(timeout)
        targets = self._targets()
        if not verdict.holds or not targets:
            return
        async with self._one:
            if verdict.epoch != self._ledger.epoch.number or len(self._ledger.epoch.acknowledged) < KEPT:
                return  # another epoch began while we waited
            low = sorted(self._ledger.epoch.acknowledged)[-KEPT]
            self._ledger.trim(low)
            try:
                client = await self._client(targets[0])
                await client.delete(PREFIX, self._ledger.key(low), timeout=DELETE_DEADLINE)
            except EtcdError:
                return  # They stay a little longer: the next round's range begins at the same prefix.
