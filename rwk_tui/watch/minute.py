"""The last minute in seconds: how many writes were acknowledged in each, and how many were not."""

from __future__ import annotations

from collections import deque

SECONDS_KEPT = 60


class Minute:
    """Counts by whole second; the running second is not shown before it is over."""

    def __init__(self) -> None:
        self._counts: deque[tuple[int, int, int]] = deque(maxlen=SECONDS_KEPT + 1)

    def note(self, at: float, *, acknowledged: bool) -> None:
        """Count the outcome of one write that ended at `at` (unix, s)."""
        second, good, bad = int(at), int(acknowledged), int(not acknowledged)
        if self._counts and self._counts[-1][0] == second:
            _, before, before_bad = self._counts.pop()
            good, bad = good + before, bad + before_bad
        self._counts.append((second, good, bad))

    def history(self, now: float) -> tuple[tuple[int, int], ...]:
        """Pairs (acknowledged, not acknowledged) of the last minute's whole seconds, oldest first."""
        known = {at: (good, bad) for at, good, bad in self._counts}
        if not known:
            return ()
        second = int(now)
        return tuple(known.get(at, (0, 0)) for at in range(max(min(known), second - SECONDS_KEPT), second))
