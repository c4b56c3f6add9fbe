"""A command that runs on a machine, line by line."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from typing import IO, Literal

from rwk_tui.lab.host.process import Group
from rwk_tui.lab.protocol import Line

_BLOCK = 64 * 1024
_LONGEST = 1024 * 1024
"""Characters after which a line without an end is cut in two."""
_AFTERWARDS = 1.0
"""Seconds that children which left the group may go on writing after the command ended."""


class HostRun:
    """Iterate the lines, then read the exit code."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self._lines: asyncio.Queue[Line | None] = asyncio.Queue(maxsize=256)
        self._over = False
        self._reading = asyncio.create_task(self._read(), name=f"run-{group.pid}")

    def __aiter__(self) -> AsyncIterator[Line]:
        return self._iterate()

    async def wait(self) -> int:
        """Read whatever is left and return the exit code (128 + signal where a signal ended it)."""
        async for _ in self:
            pass
        code = await self._group.wait()
        return code if code >= 0 else 128 - code

    async def kill(self) -> None:
        """End the command with all its children; harmless when it has ended."""
        self._group.signal(signal.SIGKILL)
        await self._group.wait()

    async def _iterate(self) -> AsyncIterator[Line]:
        while not (self._over and self._lines.empty()):
            try:
                line = await self._lines.get()
            except asyncio.CancelledError:
                self._group.signal(signal.SIGKILL)
                self._reading.cancel()
                raise
            if line is not None:
                yield line

    async def _read(self) -> None:
        process = self._group.process
        assert process.stdout is not None
        assert process.stderr is not None
        loop = asyncio.get_running_loop()
        streams: tuple[tuple[IO[bytes], Literal["out", "err"]], ...] = (
            (process.stdout, "out"),
            (process.stderr, "err"),
        )
        transports, pumps = [], []
        try:
            for pipe, name in streams:
                reader = asyncio.StreamReader()
                transport, _ = await loop.connect_read_pipe(
                    lambda reader=reader: asyncio.StreamReaderProtocol(reader),  # type: ignore[misc]
                    pipe,
                )
                transports.append(transport)
                pumps.append(asyncio.create_task(self._pump(reader, name)))
            await self._group.wait()
            while pending := [pump for pump in pumps if not pump.done()]:
                done, _ = await asyncio.wait(pending, timeout=_AFTERWARDS)
                if not done and self._lines.empty():  # not just a slow reader: nothing more comes
                    break
        finally:
            for pump in pumps:
                pump.cancel()
            for transport in transports:
                transport.close()
            self._over = True
            with contextlib.suppress(asyncio.QueueFull):
                self._lines.put_nowait(None)  # wakes who waits; if the queue is full, nobody does

    async def _pump(self, reader: asyncio.StreamReader, name: Literal["out", "err"]) -> None:
        rest = b""
        while block := await reader.read(_BLOCK):
            *whole, rest = (rest + block).split(b"\n")
            for text in whole:
                await self._lines.put(_line(name, text))
            if len(rest) > _LONGEST:
                await self._lines.put(_line(name, rest))
                rest = b""
        if rest:
            await self._lines.put(_line(name, rest))


def _line(name: Literal["out", "err"], text: bytes) -> Line:
    return Line(name, text.rstrip(b"\r").decode(errors="replace"))
