"""How often everything is asked: calmly by default, closely around a fault, and at once on demand."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable


class Pace:
    """The common beat of all probes and of the canary.

    Beats lie on a common grid, so that answers arrive together and the board is worked out once for all of them.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._alert_until = -math.inf
        self._kick = asyncio.Event()

    @property
    def alerted(self) -> bool:
        """Whether everything is watched closely now."""
        return self._clock() < self._alert_until

    def alert(self, seconds: float) -> None:
        """Watch closely for that long; wakes everyone up if they were calm."""
        calm = not self.alerted
        self._alert_until = max(self._alert_until, self._clock() + seconds)
        if calm:
            self.refresh()

    def refresh(self) -> None:
        """End every beat that is being waited for: everything is asked now."""
        kick, self._kick = self._kick, asyncio.Event()
        kick.set()

    def interval(self, calm: float, close: float) -> float:
        """The interval that holds now."""
        return close if self.alerted else calm

    async def beat(self, calm: float, close: float) -> float:
        """Wait for the next beat of that many seconds, or for a refresh; returns the interval that was waited for."""
        interval = self.interval(calm, close)
        now = self._clock()
        due = (math.floor(now / interval) + 1) * interval
        kick = self._kick
        try:
            async with asyncio.timeout(due - now):
                await kick.wait()
        except TimeoutError:
            pass
        return interval
