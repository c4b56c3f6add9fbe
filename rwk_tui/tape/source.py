"""A tape as a source for a cockpit: the same frames, at the pace of the run, faster, or all at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from rwk_tui.board.frames import Frame
from rwk_tui.board.source import CommandRefused
from rwk_tui.tape.read import Tape


class TapeSource:
    """Feeds a tape's frames; `speed` is a factor on real time, None means as fast as they are taken.

    With `hold`, the source stays open after the last frame until it is closed, as a live one would.
    Raises BadTape if the file is none. `problem` says afterwards what was wrong with the tape.
    """

    def __init__(self, path: Path, *, speed: float | None = 1.0, hold: bool = False) -> None:
        self._tape = Tape(path)
        self._speed = speed
        self._hold = hold
        self._closed = asyncio.Event()
        self._stream: AsyncIterator[Frame] | None = None

    @property
    def problem(self) -> str:
        """What was wrong with the tape, in one line; "" if nothing was, or not yet."""
        return self._tape.problem

    def __aiter__(self) -> AsyncIterator[Frame]:
        if self._stream is None:
            self._stream = self._frames()
        return self._stream

    async def __anext__(self) -> Frame:
        return await anext(aiter(self))

    async def call(self, command: msgspec.Struct) -> None:
        """Nothing can be done to what is past. Always raises CommandRefused."""
        raise CommandRefused("this is a recording: nothing can be done in it")

    async def close(self) -> None:
        """End the iteration."""
        self._closed.set()

    async def _frames(self) -> AsyncIterator[Frame]:
        began, first = time.monotonic(), None
        for frame in self._tape:
            first = frame.at if first is None else first
            if self._speed is None:
                await asyncio.sleep(0)  # whoever takes the frames must come to paint them
            else:
                await self._until(began + (frame.at - first) / self._speed)
            if self._closed.is_set():
                return
            yield frame
        if self._hold:
            await self._closed.wait()

    async def _until(self, moment: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, moment - time.monotonic())):
                await self._closed.wait()
        except TimeoutError:
            pass
