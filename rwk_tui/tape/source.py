"""A tape as a source for a cockpit: the daemon's frames once more, at the pace of the run, wherever it is wound to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec

from rwk_tui.board.frames import Frame
from rwk_tui.board.source import CommandRefused
from rwk_tui.tape.player import Player, Position
from rwk_tui.tape.read import BadTape, Tape
from rwk_tui.tape.reel import Reel

TURN = 0.01
"""Seconds for which it reads on before others get their turn."""
LOOK = 0.5
"""Seconds between two looks at the clock at most, so that a long silence on the tape is not taken for a sleep."""


class ReplaySource:
    """Feeds a tape's frames while it is read, and takes no command. Raises BadTape if there is nothing to show.

    It stays open after the last frame until it is closed, since it may be wound back.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._tape = Tape(path)
        self._frames = iter(self._tape)
        self._reel = Reel()
        first = next(self._frames, None)
        if first is None:
            raise BadTape(self._tape.problem or f"{path}: the tape is empty")
        self._reel.add(first)
        self._player = Player(self._reel, clock=clock)
        self._moved = asyncio.Event()
        self._closed = False

    @property
    def problem(self) -> str:
        """What was wrong with the tape, in one line; "" if nothing was, or not yet."""
        return self._tape.problem

    @property
    def position(self) -> Position:
        """Where the player is."""
        return self._player.position

    def now(self) -> float:
        """The time of the run that is shown (unix, s)."""
        return self._player.now

    def wind(self, move: Callable[[Player], None]) -> None:
        """Let a key do something to the player."""
        move(self._player)
        self._moved.set()

    async def __aiter__(self) -> AsyncIterator[Frame]:
        reading = asyncio.create_task(self._read(), name="read the tape")
        try:
            while not self._closed:
                for frame in self._player.due():
                    yield frame
                await self._wait()
        finally:
            reading.cancel()

    async def call(self, command: msgspec.Struct) -> None:
        """Nothing can be done to what is past. Always raises CommandRefused."""
        raise CommandRefused("this is a recording: nothing can be done in it")

    async def close(self) -> None:
        """End the iteration."""
        self._closed = True
        self._moved.set()

    async def _wait(self) -> None:
        self._moved.clear()
        due = self._player.wait()
        try:
            async with asyncio.timeout(None if due is None else min(due, LOOK)):
                await self._moved.wait()
        except TimeoutError:
            pass

    async def _read(self) -> None:
        began = time.monotonic()
        for frame in self._frames:
            self._reel.add(frame)
            if time.monotonic() - began > TURN:
                self._moved.set()
                await asyncio.sleep(0)
                began = time.monotonic()
        self._reel.complete = True
        self._moved.set()
