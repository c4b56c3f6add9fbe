"""The arithmetic of outages: a gap is a stretch between two acknowledgements that is longer than the beat explains."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

GAPS_KEPT = 200
FLOOR = 0.3
"""Seconds: shorter pauses are ordinary life of a disk or a scheduler."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without acknowledged writes; unix times (s), `resolution` (s) is how far off its length may be."""

    start: float
    end: float
    resolution: float

    @property
    def ms(self) -> float:
        return (self.end - self.start) * 1000


class Gaps:
    """Learns of acknowledgements and of the interval between writes, and knows the gaps."""

    def __init__(self) -> None:
        self._last = 0.0
        self._last_interval = 0.0
        self._done: deque[Gap] = deque(maxlen=GAPS_KEPT)

    @property
    def last(self) -> float:
        """When the newest acknowledgement came; 0 before the first one."""
        return self._last

    def acknowledged(self, at: float, interval: float) -> Gap | None:
        """Take in an acknowledgement; returns the gap that it ends, if there was one."""
        gap = self._between(at, interval)
        if gap is not None:
            self._done.append(gap)
        if at > self._last:
            self._last, self._last_interval = at, interval
        return gap

    def current(self, now: float, interval: float) -> Gap | None:
        """The gap that lasts now, if one does."""
        return self._between(now, interval)

    def since(self, moment: float) -> list[Gap]:
        """The ended gaps that reached beyond that moment, oldest first."""
        return [gap for gap in self._done if gap.end > moment]

    def newest(self) -> Gap | None:
        """The last gap that ended."""
        return self._done[-1] if self._done else None

    def restart(self) -> None:
        """Writes pause on purpose: the time until the next acknowledgement is no outage."""
        self._last = 0.0

    def _between(self, at: float, interval: float) -> Gap | None:
        resolution = max(self._last_interval, interval)
        if self._last and at - self._last > max(FLOOR, 2.5 * resolution):
            return Gap(self._last, at, resolution)
        return None
