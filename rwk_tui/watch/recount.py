"""Counts what became of the last epoch's writes as soon as another history goes on in its place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rwk_tui.board.frames import Level
from rwk_tui.board.hub import Hub
from rwk_tui.watch.aftermath import Aftermath, reckon
from rwk_tui.watch.checker import Targets
from rwk_tui.watch.epochs import Epoch
from rwk_tui.watch.known_bugs import known_bug, tell_violation, versions_that_run
from rwk_tui.watch.ledger import Ledger
from rwk_tui.watch.refusals import EtcdError
from rwk_tui.watch.verdict import ClientOf, read_back

AGAIN = 0.5
"""Seconds between two tries to read what is there."""
SUBJECT = "canary/etcd"


class Recount:
    """Reads the keys of the ledger's last epoch again where that is due, until it succeeds; `timeout` (s) for each try.

    `counted` is called once the result stands in the ledger.
    """

    def __init__(
        self,
        hub: Hub,
        ledger: Ledger,
        targets: Targets,
        client: ClientOf,
        *,
        timeout: float,
        counted: Callable[[], None],
    ) -> None:
        self._hub = hub
        self._ledger = ledger
        self._targets = targets
        self._client = client
        self._timeout = timeout
        self._counted = counted
        self._why = ""

    async def run(self) -> None:
        """Count whatever is due, for ever."""
        while True:
            if self._ledger.due is not None and self._ledger.last is not None:
                await self._count(self._ledger.last, self._ledger.due)
            await asyncio.sleep(AGAIN)

    def unfinished(self) -> str:
        """What is due, could not be counted by now, and never will be if another epoch begins; "" if nothing is."""
        blank = self._blank("there was no time to")
        return blank.words(self._source(blank)) if blank is not None else ""

    @property
    def aftermath(self) -> Aftermath | None:
        """What became of the epoch before this one; while that can't be counted, why not."""
        return (self._blank() if self._why else None) or self._ledger.aftermath

    async def _count(self, last: Epoch, name: str) -> None:
        keys = {seq: self._ledger.key(seq, last.number) for seq in last.acknowledged}
        there = await self._read(last)
        if there is None or self._ledger.last is not last or self._ledger.due != name:
            return
        found = {seq for seq, key in keys.items() if there.get(key) == self._ledger.value(seq, last.number)}
        aftermath = reckon(last, keys, found, self._ledger.backup(name), name)
        try:
            self._ledger.settle(aftermath)
        except OSError as error:
            self._why = f"the ledger can't be written: {error.strerror or error}"
            return
        self._why = ""
        self._tell(aftermath)
        self._counted()

    async def _read(self, last: Epoch) -> dict[str, str] | None:
        """Every key of that epoch with its value; None if nobody tells."""
        first, end = self._ledger.key(last.low, last.number), self._ledger.key(10**10 - 1, last.number)
        self._why = self._why or "no member answers"
        for machine in self._targets():
            try:
                async with asyncio.timeout(self._timeout):
                    return await read_back(await self._client(machine), first, end, timeout=self._timeout)
            except (EtcdError, TimeoutError) as error:
                self._why = str(error) or f"no answer within {self._timeout:g} s"
        return None

    def _blank(self, why: str = "") -> Aftermath | None:
        last, name = self._ledger.last, self._ledger.due
        if last is None or name is None:
            return None
        return Aftermath(last.number, name, last.acknowledged_count, why=self._why or why)

    def _source(self, aftermath: Aftermath) -> str:
        return f"restored from {aftermath.name}" if aftermath.name else self._ledger.epoch.why

    def _tell(self, aftermath: Aftermath) -> None:
        known = known_bug("lost write", versions_that_run(self._hub.board)) if aftermath.missing_before else ""
        level: Level = "warning" if known else aftermath.level
        self._hub.tell("epoch", aftermath.words(self._source(aftermath)), level=level, subject=SUBJECT)
        if aftermath.missing_before:
            text = f"the backup {aftermath.name} must hold {aftermath.missing_before[0]}, which is not there"
            tell_violation(self._hub, "violated", text, SUBJECT, known)
