"""The canary: a client that never stops writing, and knows every write that was acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import CanaryRow, CanaryState
from rwk_tui.lab.protocol import Machine
from rwk_tui.watch.aftermath import Aftermath
from rwk_tui.watch.checker import Checker, Targets
from rwk_tui.watch.epochs import Epoch
from rwk_tui.watch.gaps import Gap
from rwk_tui.watch.ledger import Ledger
from rwk_tui.watch.pace import Pace
from rwk_tui.watch.recount import Recount
from rwk_tui.watch.refusals import EtcdError
from rwk_tui.watch.stalls import Stalls
from rwk_tui.watch.succession import Succession
from rwk_tui.watch.verdict import ClientOf, Verdict
from rwk_tui.watch.writes import Writes

AT_ONCE = 48
"""Writes that may be under way together."""


class Canary(Writes):
    """Writes unique values through every reachable member in turn; publishes its row and its outages.

    `rate` is how many writes a second are begun; 0 is the beat of the pace.
    """

    def __init__(
        self,
        hub: Hub,
        pace: Pace,
        stalls: Stalls,
        ledger: Path,
        targets: Targets,
        client: ClientOf,
        *,
        slack: float = 1.0,
        rate: int = 0,
    ) -> None:
        at_once = max(AT_ONCE, rate)
        super().__init__(hub, pace, stalls, name="etcd", words="etcd writes", at_once=at_once, slack=slack, rate=rate)
        self._ledger = Ledger(ledger)
        self._targets = targets
        self._client = client
        self._checker = Checker(hub, self._ledger, targets, client)
        self._recount = Recount(hub, self._ledger, targets, client, timeout=10 * self._deadline, counted=self.publish)
        self._succession = Succession(hub, self._ledger, self._recount, self._begun, self._deadline)
        self._writes_much = rate > 0
        """Whether what is stored must be kept bounded in the middle of a fault too."""
        self._turn = 0
        self._disk = ""

    def open(self) -> None:
        """Read the ledger of an earlier run, or begin one. Raises OSError."""
        self._ledger.open()
        if not self._ledger.epoch.number:
            self._ledger.new_epoch("the lab is new", self._hub.now())
        self._succession.open()

    async def close(self) -> None:
        """End the writes under way; what their outcome was stays unknown."""
        await super().close()
        self._ledger.close()

    def new_epoch(self, why: str) -> None:
        """Count anew: what was written before is not expected to be there any more."""
        old = self._ledger.epoch
        if old.acknowledged_count or old.unknown_count or old.open or self._ledger.restored is not None:
            try:
                self._gaps.restart()
                self._succession.begin(why)
            except OSError as error:
                self._refused(error)
                self._succession.set_up_anew(why)  # the next write that is acknowledged tries it again

    def set_up_anew(self, why: str) -> None:
        """etcd is gone altogether: the first write to the next one opens an epoch."""
        self._succession.set_up_anew(why)
        self._gaps.restart()

    def mark(self, name: str, revision: int) -> None:
        """A backup of that name was made; it holds everything up to `revision` of the cluster that is written to."""
        with self._on_disk():
            self._ledger.mark(name, revision)

    def restored(self, name: str) -> None:
        """The members that will serve next were restored from that backup, or from a lone survivor's own data ("").

        To be said before they serve. Once one of them acknowledges a write, what became of the last epoch is counted.
        """
        with self._on_disk():
            self._succession.restored(name)

    @property
    def aftermath(self) -> Aftermath | None:
        """What became of the epoch before this one, once that is counted; why not, while it can't be."""
        return self._recount.aftermath

    def backward(self, since: float) -> Sequence[str]:
        """A line for each acknowledged write after `since` (unix, s) whose revision did not grow, 50 at most."""
        return self._succession.backward(since)

    @property
    def epoch(self) -> int:
        """The number of the epoch that is written in now."""
        return self._ledger.epoch.number

    @property
    def acknowledged(self) -> int:
        """How many writes of this epoch were acknowledged."""
        return self._ledger.epoch.acknowledged_count

    async def recount(self) -> None:
        """Count what became of an older epoch whenever that is due, for ever."""
        await self._recount.run()

    async def report(self) -> None:
        """Publish the row every second and keep what is stored bounded, for ever."""
        while True:
            await asyncio.sleep(1.0)
            self.publish()
            if self._writes_much or not self._pace.alerted:
                try:
                    await self._checker.trim(10 * self._deadline)
                except OSError as error:
                    self._refused(error)

    async def verify(self, timeout: float = 10.0) -> Verdict:
        """Read every acknowledged write of this epoch again; `timeout` (s) holds for all of it."""
        verdict = await self._checker.verify(timeout)
        self.publish()
        return verdict

    def publish(self) -> None:
        """Put the row on the board as it stands."""
        now, epoch, aftermath = self._hub.now(), self._ledger.epoch, self._ledger.aftermath
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
                known=self._checker.known,
                gap_ms=round(gap.ms, 1) if gap else 0.0,
                resolution_ms=round((gap.resolution if gap else self.interval) * 1000, 1),
                history=self._minute.history(now),
                gone=aftermath.gone if aftermath else 0,
                gone_of=aftermath.acknowledged if aftermath else 0,
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
            sent = self._succession.send(machine.name)
        except OSError as error:
            self._refused(error)
            self._gaps.restart()  # it is not etcd that stopped the writes
            self.publish()
            return
        key, value = self._ledger.key(sent.seq), self._ledger.value(sent.seq)
        try:
            client = await self._client(machine)
            written = await client.put(key, value, timeout=self._deadline)
        except EtcdError as error:
            with self._on_disk():
                (self._ledger.failed if error.definite else self._ledger.unknown)(sent.seq)
            self._missed()
        else:
            with self._on_disk():
                await self._succession.acknowledged(sent, written, client)
            self._heard(interval)

    def _begun(self, old: Epoch) -> None:
        """Another epoch began."""
        self._checker.forget()
        text = f"the canary counts anew (epoch {self.epoch}): {self._ledger.epoch.why}"
        if old.acknowledged_count:
            text += f"; {old.acknowledged_count} writes were acknowledged before"
            self._hub.tell("epoch", text, subject=self._subject)
        self.publish()

    @contextmanager
    def _on_disk(self) -> Iterator[None]:
        """Enter something into the ledger; while the disk refuses, nothing is written to etcd."""
        try:
            yield
            self._disk = ""
        except OSError as error:
            self._refused(error)

    def _refused(self, error: OSError) -> None:
        self._disk = error.strerror or str(error)
