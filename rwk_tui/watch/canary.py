"""The canary: a client that never stops writing, and knows every write that was acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import CanaryRow, CanaryState
from rwk_tui.lab.protocol import Machine
from rwk_tui.watch.answers import Written
from rwk_tui.watch.checker import Checker, Targets
from rwk_tui.watch.gaps import Gap
from rwk_tui.watch.ledger import Ledger
from rwk_tui.watch.pace import Pace
from rwk_tui.watch.refusals import EtcdError
from rwk_tui.watch.verdict import ClientOf, Verdict
from rwk_tui.watch.writes import Writes

AT_ONCE = 48
"""Writes that may be under way together."""


class Canary(Writes):
    """Writes unique values through every reachable member in turn; publishes its row and its outages."""

    def __init__(
        self, hub: Hub, pace: Pace, ledger: Path, targets: Targets, client: ClientOf, *, slack: float = 1.0
    ) -> None:
        super().__init__(hub, pace, name="etcd", words="etcd writes", at_once=AT_ONCE, slack=slack)
        self._ledger = Ledger(ledger)
        self._targets = targets
        self._client = client
        self._checker = Checker(hub, self._ledger, targets, client)
        self._turn = 0
        self._anew = ""
        self._newest = (0, 0)
        self._disk = ""

    def open(self) -> None:
        """Read the ledger of an earlier run, or begin one. Raises OSError."""
        self._ledger.open()
        if not self._ledger.epoch.number:
            self._ledger.new_epoch("the lab is new", self._hub.now())

    async def close(self) -> None:
        """End the writes under way; what their outcome was stays unknown."""
        await super().close()
        self._ledger.close()

    def new_epoch(self, why: str) -> None:
        """Count anew: what was written before is not expected to be there any more."""
        old = self._ledger.epoch
        if not old.acknowledged_count and not old.unknown_count and not old.open:
            return
        self._begin(why)

    def set_up_anew(self, why: str) -> None:
        """etcd is gone altogether: the first write to the next one opens an epoch."""
        self._anew = why
        self._gaps.restart()

    @property
    def epoch(self) -> int:
        """The number of the epoch that is written in now."""
        return self._ledger.epoch.number

    async def report(self) -> None:
        """Publish the row every second and keep what is stored bounded, for ever."""
        while True:
            await asyncio.sleep(1.0)
            self.publish()
            if not self._pace.alerted:
                try:
                    await self._checker.trim(10 * self._deadline)
                except OSError as error:
                    self._disk = error.strerror or str(error)

    async def verify(self, timeout: float = 10.0) -> Verdict:
        """Read every acknowledged write of this epoch again; `timeout` (s) holds for all of it."""
        verdict = await self._checker.verify(timeout)
        self.publish()
        return verdict

    def publish(self) -> None:
        """Put the row on the board as it stands."""
        now, epoch = self._hub.now(), self._ledger.epoch
        current = self.gap()
        gap = current or self._gaps.newest()
        self._hub.publish(
            CanaryRow(
                seen_at=now,
                name="etcd",
                why=self._why(current),
                state=self._state(current),
                epoch=epoch.number,
                rate=round(1 / self.interval, 1),
                acknowledged=epoch.acknowledged_count,
                failed=epoch.failed_count,
                unknown=epoch.unknown_count,
                lost=self._checker.lost,
                gap_ms=round(gap.ms, 1) if gap else 0.0,
                resolution_ms=round((gap.resolution if gap else self.interval) * 1000, 1),
                history=self._minute.history(now),
            )
        )

    def _state(self, current: Gap | None) -> CanaryState:
        if self._paused or self._disk:
            return "stopped"
        if not self._targets():
            return "idle"
        if current is not None or not self._gaps.last:
            return "failing"
        return "flowing"

    def _why(self, current: Gap | None) -> str:
        if self._disk:
            return f"the ledger can't be written: {self._disk}"
        return {"stopped": "paused", "idle": "no member to write to", "failing": "writes are not acknowledged"}.get(
            self._state(current), ""
        )

    def _active(self) -> bool:
        return not self._paused and bool(self._targets())

    async def _attempt(self, interval: float) -> None:
        targets = self._targets()
        if targets:
            self._turn += 1
            await self._write(targets[self._turn % len(targets)], interval)

    async def _write(self, machine: Machine, interval: float) -> None:
        try:
            seq = self._ledger.intend()
        except OSError as error:
            self._disk = error.strerror or str(error)
            self._gaps.restart()  # it is not etcd that stopped the writes
            self.publish()
            return
        epoch, before = self._ledger.epoch.number, self._newest
        try:
            client = await self._client(machine)
            written = await client.put(self._ledger.key(seq), self._ledger.value(seq), timeout=self._deadline)
        except EtcdError as error:
            self._enter(self._ledger.failed if error.definite else self._ledger.unknown, seq, epoch)
            self._missed()
        else:
            self._acknowledged(seq, epoch, written, before, interval)

    def _acknowledged(self, seq: int, epoch: int, written: Written, before: tuple[int, int], interval: float) -> None:
        if epoch == self._ledger.epoch.number:
            place = (written.term, written.revision)
            if self._another_cluster(written.cluster_id, went_back=place < before):
                return
            self._newest = max(self._newest, place)
        self._enter(self._ledger.acknowledged, seq, epoch)
        self._heard(interval)

    def _another_cluster(self, cluster: str, *, went_back: bool) -> bool:
        """Open an epoch if a write was acknowledged by another cluster than this epoch's; True if that happened.

        A cluster set up again with the same names and URLs has the same ID, but its history begins anew: its term and
        revision went back. A cluster that merely lost writes would have gone to a higher term, and is not excused.
        """
        known = self._ledger.epoch.cluster
        if known == cluster and not self._anew and not went_back:
            return False
        try:
            if not known and not self._anew:
                self._ledger.bind(cluster)
                return False
        except OSError as error:
            self._disk = error.strerror or str(error)
            return True
        seen = "etcd's history began anew" if known == cluster else "another etcd cluster answers"
        self._begin(self._anew or seen, cluster)
        return True

    def _begin(self, why: str, cluster: str = "") -> None:
        old = self._ledger.epoch
        try:
            self._ledger.new_epoch(why, self._hub.now(), cluster)
        except OSError as error:
            self._disk = error.strerror or str(error)
            self._anew = why  # The next write that is acknowledged tries it again.
            return
        self._anew, self._newest = "", (0, 0)
        self._checker.forget()
        self._gaps.restart()
        text = f"the canary counts anew (epoch {self._ledger.epoch.number}): {why}"
        if old.acknowledged_count:
            text += f"; {old.acknowledged_count} writes were acknowledged before"
            self._hub.tell("epoch", text, subject=self._subject)
        self.publish()

    def _enter(self, enter: Callable[[int], None], seq: int, epoch: int) -> None:
        if epoch != self._ledger.epoch.number:
            return
        try:
            enter(seq)
            self._disk = ""
        except OSError as error:
            self._disk = error.strerror or str(error)
