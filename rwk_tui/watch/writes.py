"""What every canary has in common: a write at each beat, the outages between acknowledgements, and the last minute."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

from rwk_tui.board.hub import Hub
from rwk_tui.watch.gaps import Gap, Gaps
from rwk_tui.watch.minute import Minute
from rwk_tui.watch.pace import Pace
from rwk_tui.watch.stalls import Stalls

CALM, CLOSE = 0.2, 0.05
"""Seconds between two writes, in quiet times and around a fault."""
DEADLINE = 1.0
"""Seconds that one write may take, to be multiplied by the backend's slack."""
LATE = 0.05
"""Seconds that an acknowledgement usually takes at most."""
TOLD = 0.5
"""Seconds: shorter gaps are known but not put on the timeline."""
TROUBLE = 60.0
"""Seconds for which a failing canary keeps everything on the alert; a longer outage is watched calmly."""


class Writes(ABC):
    """Writes for ever; `name` is that of the row ("etcd"), `at_once` how many writes may be under way together.

    `rate` is how many writes a second are begun; 0 is the beat of the pace.
    """

    def __init__(
        self, hub: Hub, pace: Pace, stalls: Stalls, *, name: str, words: str, at_once: int, slack: float, rate: int = 0
    ) -> None:
        self._hub = hub
        self._pace = pace
        self._subject = f"canary/{name}"
        self._words = words
        self._at_once = at_once
        self._deadline = DEADLINE * slack
        self._beats = (1 / rate, 1 / rate) if rate else (CALM, CLOSE)
        self._gaps = Gaps(stalls.within)
        self._minute = Minute()
        self._paused = False
        self._trouble_since = 0.0
        self._flying: set[asyncio.Task[None]] = set()

    @abstractmethod
    def _active(self) -> bool:
        """Whether there is something to write to, and nobody paused it."""

    @abstractmethod
    async def _attempt(self, interval: float) -> None:
        """Make one write and say how it ended, by `_heard` or `_missed`."""

    @abstractmethod
    def publish(self) -> None:
        """Put the row on the board as it stands."""

    async def close(self) -> None:
        """End the writes under way; what their outcome was stays unknown."""
        for task in self._flying:
            task.cancel()
        await asyncio.gather(*self._flying, return_exceptions=True)

    def pause(self) -> None:
        """Write no more until `resume`; the pause is no outage."""
        self._paused = True
        self.publish()

    def resume(self) -> None:
        """Write again."""
        self._paused = False
        self._gaps.restart()
        self.publish()

    def gaps(self, since: float = 0.0) -> list[Gap]:
        """The outages that reached beyond `since` (unix, s), oldest first; the last may still go on."""
        found, current = self._gaps.since(since), self.gap()
        return [*found, current] if current is not None else found

    def gap(self) -> Gap | None:
        """The outage that lasts now."""
        return self._gaps.current(self._hub.now(), self.interval) if self._active() else None

    @property
    def interval(self) -> float:
        """Seconds between two writes now."""
        return self._pace.interval(*self._beats)

    def is_late(self) -> bool:
        """Whether the next acknowledgement should have come by now."""
        last = self._gaps.last
        return self._active() and bool(last) and self._hub.now() - last > self.interval + LATE

    @property
    def last_acknowledged(self) -> float:
        """When the newest acknowledgement came (unix, s)."""
        return self._gaps.last

    async def run(self) -> None:
        """Write for ever, at the beat, whatever becomes of the writes under way."""
        while True:
            interval = await self._pace.beat(*self._beats)
            if not self._active():
                self._gaps.restart()
            elif len(self._flying) < self._at_once:
                task = asyncio.create_task(self._attempt(interval))
                self._flying.add(task)
                task.add_done_callback(self._flying.discard)

    def _heard(self, interval: float) -> None:
        """A write was acknowledged; an outage that it ends is told."""
        now = self._hub.now()
        began = not self._gaps.last
        gap = self._gaps.acknowledged(now, interval)
        self._minute.note(now, acknowledged=True)
        self._trouble_since = 0.0
        if gap is not None and gap.end - gap.start >= TOLD:
            self._hub.tell(
                "outage",
                f"{self._words} stopped for {gap.words()}",
                level="warning",
                subject=self._subject,
                duration_ms=round(gap.ms, 1),
                resolution_ms=round(gap.resolution * 1000, 1),
                at=gap.end,
            )
        if gap is not None or began:
            self.publish()

    def _missed(self) -> None:
        """A write was not acknowledged."""
        now = self._hub.now()
        self._minute.note(now, acknowledged=False)
        self._trouble_since = self._trouble_since or now
        if now - self._trouble_since < TROUBLE:
            self._pace.alert(5.0)
        if self.gap() is not None:
            self.publish()
