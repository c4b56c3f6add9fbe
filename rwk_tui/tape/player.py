"""Plays a reel: where it is, how fast it runs, and which frames come next. Knows neither files nor screens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from rwk_tui.board.frames import Frame
from rwk_tui.tape.reel import Reel

SPEEDS = (0.5, 1.0, 2.0, 5.0, 10.0)
SKIP = 10.0
"""Seconds of the tape that one key skips."""
LEAP = 2.0
"""Seconds of real time that may go by at once; whoever was put to sleep for an hour has not seen that hour."""
NEAR = 1.0
"""Seconds of real time behind a mark in which "the one before" still means the one before that mark."""


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where the player is: `at` and `length` in seconds from the beginning; `reading` while more is still read."""

    at: float = 0.0
    length: float = 0.0
    speed: float = 1.0
    state: Literal["playing", "paused", "ended"] = "playing"
    reading: bool = False


class Player:
    """A position on a reel that goes on with real time times a speed; `clock` gives that, in seconds."""

    def __init__(self, reel: Reel, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._reel = reel
        self._clock = clock
        self._at = 0.0
        self._settled = clock()
        self._speed = SPEEDS.index(1.0)
        self._paused = False
        self._shown = 0
        self._jumped = False

    @property
    def now(self) -> float:
        """The time of the run at this position (unix, s): what ages are counted to."""
        self._settle()
        return self._reel.began + self._at

    @property
    def position(self) -> Position:
        """Where it is."""
        self._settle()
        state: Literal["playing", "paused", "ended"] = "paused" if self._paused else "playing"
        return Position(
            at=self._at,
            length=self._reel.length,
            speed=SPEEDS[self._speed],
            state="ended" if self._ended else state,
            reading=not self._reel.complete,
        )

    def due(self) -> Iterator[Frame]:
        """The frames that came up since the last time; after a jump, the whole board first."""
        self._settle()
        if self._jumped:
            self._jumped = False
            yield self._reel.board_after(self._shown)
        first, self._shown = self._shown, max(self._shown, self._reel.count_until(self._at))
        yield from self._reel.frames(first, self._shown)

    def wait(self) -> float | None:
        """Seconds of real time until the next frame is due; None if none will be unless something is done."""
        self._settle()
        if self._jumped:
            return 0.0
        if self._paused or self._shown >= len(self._reel):
            return None
        return max(0.0, self._reel.moment(self._shown) - self._at) / SPEEDS[self._speed]

    def pause(self) -> None:
        """Pause, or go on; at the end, begin anew."""
        self._settle()
        if self._ended:
            self._paused = False
            self.seek(0.0)
        else:
            self._paused = not self._paused

    def seek(self, moment: float) -> None:
        """Go to a moment, as far as there is one."""
        self._settle()
        self._at = min(max(0.0, moment), self._reel.length)
        self._shown = self._reel.count_until(self._at)
        self._jumped = True

    def back(self) -> None:
        """Some seconds back."""
        self._settle()
        self.seek(self._at - SKIP)

    def on(self) -> None:
        """Some seconds on."""
        self._settle()
        self.seek(self._at + SKIP)

    def start(self) -> None:
        """To the beginning."""
        self.seek(0.0)

    def end(self) -> None:
        """To the end of what was read."""
        self.seek(self._reel.length)

    def event_before(self) -> None:
        """To the event before, or to the beginning."""
        self._settle()
        near = 0.0 if self._paused or self._ended else NEAR * SPEEDS[self._speed]
        self.seek(max((mark for mark in self._reel.marks if mark < self._at - near), default=0.0))

    def event_after(self) -> None:
        """To the next event, or to the end."""
        self._settle()
        self.seek(min((mark for mark in self._reel.marks if mark > self._at), default=self._reel.length))

    def faster(self) -> None:
        """The next higher speed."""
        self._settle()
        self._speed = min(self._speed + 1, len(SPEEDS) - 1)

    def slower(self) -> None:
        """The next lower speed."""
        self._settle()
        self._speed = max(self._speed - 1, 0)

    @property
    def _ended(self) -> bool:
        return self._reel.complete and self._at >= self._reel.length

    def _settle(self) -> None:
        """Go on by the real time since the last look."""
        now = self._clock()
        if not self._paused:
            passed = min(now - self._settled, LEAP) * SPEEDS[self._speed]
            self._at = min(self._at + passed, self._reel.length)
        self._settled = now
