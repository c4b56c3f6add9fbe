"""How much may be on its way to a machine, so that what else is said on the same connection gets through in time."""

from __future__ import annotations

import math
from collections import deque

BLOCK = 64 * 1024
"""Bytes that the other side takes before it says so, as in assets/machine/agent/files.py."""
_MOST = 1024 * 1024
"""Ten megabytes a second to a machine at the other end of a continent, and not for long where a line becomes slow."""
_QUEUED = 0.25
"""Seconds that a byte may wait for those before it: a sign of life that is asked for waits as long."""


class Pace:
    """Bytes ahead of what the other side took: more as long as it takes them fast, fewer where it does not."""

    def __init__(self) -> None:
        self._taken = 0
        self._sent = 0
        self._ahead = BLOCK
        self._under_way: deque[tuple[int, float]] = deque()
        self._least = math.inf

    @property
    def is_open(self) -> bool:
        """Whether a block may be sent."""
        return self._sent - self._taken < self._ahead

    def sent(self, size: int, now: float) -> None:
        """So many bytes more are on their way, at that time in seconds."""
        self._sent += size
        self._under_way.append((self._sent, now))

    def took(self, taken: int, now: float) -> None:
        """The other side has taken that many bytes in all."""
        self._taken = taken
        while self._under_way and self._under_way[0][0] <= taken:
            _, begun = self._under_way.popleft()
            delay = now - begun
            self._least = min(self._least, delay)
            if delay - self._least <= _QUEUED:
                self._ahead = min(self._ahead + BLOCK, _MOST)
            else:
                self._ahead = max(self._ahead // 2, BLOCK)
