"""The arithmetic of outages: a gap is a stretch between two acknowledgements that is longer than the beat explains."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rwk_tui.board.wording import seconds, stood_still

GAPS_KEPT = 200
FLOOR = 0.3
"""Seconds: shorter pauses are ordinary life of a disk or a scheduler."""
STILL_TOLD = 0.1
"""Seconds: for less than that in one gap, it is not said that this computer stood still, and nothing is taken off."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without acknowledged writes; unix times (s), `resolution` (s) is how far off its length may be.

    For `still` (s) of it this computer itself stood still.
    """

    start: float
    end: float
    resolution: float
    still: float = 0.0

    @property
    def ms(self) -> float:
        """Its whole length."""
        return (self.end - self.start) * 1000

    @property
    def own_ms(self) -> float:
        """What is left of it for those who were written to: bounds are judged on that."""
        return max(0.0, self.ms - self.still_ms)

    @property
    def still_ms(self) -> float:
        """For how long this computer stood still in it."""
        return self.still * 1000

    def words(self) -> str:
        """How long it was, and how much of that was this computer's."""
        return seconds(self.ms) + stood_still(self.still_ms)


def longest(gaps: Iterable[Gap]) -> Gap | None:
    """The gap with most left of it when the time is taken off in which this computer stood still."""
    return max(gaps, key=lambda gap: gap.own_ms, default=None)


class Gaps:
    """Learns of acknowledgements and of the interval between writes, and knows the gaps.

    `still` says for how many seconds between two moments (unix, s) this computer stood still.
    """

    def __init__(self, still: Callable[[float, float], float] = lambda _start, _end: 0.0) -> None:
        self._still = still
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
            still = self._still(self._last, at)
            return Gap(self._last, at, resolution, still if still >= STILL_TOLD else 0.0)
        return None
