"""When this computer stood still: how late our own event loop was, and how long the disk below the lab took for a sync.

Time that passed in that way is not etcd's. On two cores that four other programs wanted, most of each pause between two
acknowledgements was our own loop's lateness, while no thread of etcd had waited as long as 100 ms for a core. So the
loop stands for the cores, and etcd's own waiting is not read. The disk is asked by a sync of our own and not by what
etcd counts: a fault that holds back etcd's syncs is not the computer's.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

BEAT = 0.025
"""Seconds between two looks at the clock: so much of each stall is missed at most."""
LATE = 0.03
"""Seconds by which a beat may be late before the loop counts as having stood still."""
SLOW = 0.1
"""Seconds that a sync to the disk may take before the disk counts as having stood still."""
PAUSE = 0.1
"""Seconds between two looks at whether the disk should be asked."""
STALLS_KEPT = 4000


@dataclass(frozen=True, slots=True)
class Stall:
    """A time in which this computer stood still; times of the clock (s)."""

    start: float
    end: float


class Stalls:
    """Finds out when this computer stood still; `clock` (s) must be the one by which gaps are measured.

    A clock that is set forward, or a computer that slept, makes a gap and a stall of the same length.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: deque[Stall] = deque(maxlen=STALLS_KEPT)
        self._due = 0.0
        self._syncing = 0.0

    def within(self, start: float, end: float) -> float:
        """For how many seconds between these moments this computer stood still, by loop or by disk or by both."""
        total, reached = 0.0, start
        stalls = (stall for stall in (*self._known, *self._lasting()) if stall.end > start and stall.start < end)
        for stall in sorted(stalls, key=lambda stall: stall.start):
            since, until = max(stall.start, reached), min(stall.end, end)
            if until > since:
                total += until - since
                reached = until
        return total

    async def watch_loop(self) -> None:
        """Look at the clock at each beat, for ever."""
        try:
            while True:
                self._due = self._clock() + BEAT
                await asyncio.sleep(BEAT)
                self.note(self._due, self._clock(), LATE)
        finally:
            self._due = 0.0

    async def watch_disk(self, directory: Path, wanted: Callable[[], bool]) -> None:
        """Sync a little file in `directory` whenever `wanted()`, for ever. Raises OSError if there can't be one."""
        while True:
            if wanted():
                await asyncio.to_thread(self._sync, directory)
            await asyncio.sleep(PAUSE)

    def note(self, start: float, end: float, allowed: float) -> None:
        """Something that should have ended at once or at `start` ended at `end`: a stall, if it took that much (s)."""
        if end - start > allowed:
            self._known.append(Stall(start, end))

    def _sync(self, directory: Path) -> None:
        """Write and sync, in a thread that may outlive the task that waits for it, so the file is its own."""
        began = self._syncing = self._clock()
        try:
            with tempfile.TemporaryFile(dir=directory, buffering=0) as file:
                file.write(b"x")
                os.fsync(file.fileno())
        finally:
            self._syncing = 0.0
        self.note(began, self._clock(), SLOW)

    def _lasting(self) -> list[Stall]:
        """What stands still now: an acknowledgement may be heard before the beat that is late for the same reason."""
        now = self._clock()
        lasting = ((self._due, LATE), (self._syncing, SLOW))
        return [Stall(since, now) for since, allowed in lasting if since and now - since > allowed]
