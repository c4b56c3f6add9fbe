"""A command that the agent runs on a machine, line by line."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Literal

from rwk_tui.lab.protocol import LabError, Line

WINDOW = 512 * 1024
"""Bytes of output that may be under way, as in assets/machine: whoever does not read holds back the command."""
_LONGEST = 1024 * 1024
"""Characters after which a line without an end is cut in two."""

Stream = Literal["out", "err"]


class Pieces:
    """What the agent sends for one request, in order: pieces of bytes, then the end or what went wrong."""

    def __init__(self, read: Callable[[int], None]) -> None:
        self._read = read
        self._pieces: deque[tuple[Stream, bytes]] = deque()
        self._unsaid = 0
        self._news = asyncio.Event()
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.ended.add_done_callback(lambda _: self._news.set())

    def put(self, name: Stream, data: bytes) -> None:
        """From the agent."""
        self._pieces.append((name, data))
        self._news.set()

    def end(self, code: int) -> None:
        """It ended with that exit code, and no more comes."""
        if not self.ended.done():
            self.ended.set_result(code)

    def fail(self, error: LabError) -> None:
        """It could not be done, or the connection was lost."""
        if not self.ended.done():
            self.ended.set_exception(error)
            self.ended.exception()  # whoever does not ask need not hear it

    def __aiter__(self) -> AsyncIterator[tuple[Stream, bytes]]:
        return self

    async def __anext__(self) -> tuple[Stream, bytes]:
        """The next piece. Raises LabError if it did not come to its end."""
        while not self._pieces:
            if self.ended.done():
                self.ended.result()
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        name, data = self._pieces.popleft()
        self._unsaid += len(data)
        if self._unsaid >= WINDOW // 4 and not self.ended.done():
            self._read(self._unsaid)
            self._unsaid = 0
        return name, data


class RemoteRun:
    """Iterate the lines, then read the exit code; LabError where the machine is lost in between."""

    def __init__(self, pieces: Pieces, kill: Callable[[], None]) -> None:
        self._pieces = pieces
        self._kill = kill
        self._rest: dict[Stream, list[bytes]] = {"out": [], "err": []}
        self._lines: deque[Line] = deque()

    def __aiter__(self) -> AsyncIterator[Line]:
        return self._iterate()

    async def wait(self) -> int:
        """Read whatever is left and return the exit code (128 + signal where a signal ended it). Raises LabError."""
        async for _ in self:
            pass
        return await asyncio.shield(self._pieces.ended)

    async def kill(self) -> None:
        """End the command with all its children; harmless when it has ended, or when the machine is lost."""
        if not self._pieces.ended.done():
            self._kill()
        with contextlib.suppress(LabError):
            await asyncio.shield(self._pieces.ended)

    async def _iterate(self) -> AsyncIterator[Line]:
        try:
            while True:
                while self._lines:
                    yield self._lines.popleft()
                try:
                    name, data = await anext(self._pieces)
                except StopAsyncIteration:
                    break
                self._cut(name, data)
        except asyncio.CancelledError:
            if not self._pieces.ended.done():
                self._kill()
            raise
        for name in ("out", "err"):
            if rest := b"".join(self._rest[name]):
                self._rest[name].clear()
                yield _line(name, rest)

    def _cut(self, name: Stream, data: bytes) -> None:
        """Add a piece; lines that are whole now can be had."""
        rest = self._rest[name]
        first, *others = data.split(b"\n")
        rest.append(first)
        for text in others:
            self._lines.append(_line(name, b"".join(rest)))
            rest[:] = [text]
        if sum(map(len, rest)) > _LONGEST:
            self._lines.append(_line(name, b"".join(rest)))
            rest.clear()


def _line(name: Stream, text: bytes) -> Line:
    return Line(name, text.rstrip(b"\r").decode(errors="replace"))
