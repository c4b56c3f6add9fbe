"""A program in a terminal of its own, which the test types into and reads as far as a person would."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import struct
import subprocess
import termios
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from support.remote_lab import BUSY

_ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\-_=>])|[\x00-\x08\x0b-\x1f]")
WITHIN = 20.0


class InTerminal:
    """`mark` is the place in the output from which on the next wait looks."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self.mark = 0
        self._master = master
        self._heard = bytearray()

    @property
    def raw(self) -> str:
        """What was written since the mark, with the escape sequences."""
        return bytes(self._heard[self.mark :]).decode(errors="replace")

    @property
    def text(self) -> str:
        """The same without."""
        return _ESCAPES.sub("", self.raw)

    def hear(self) -> None:
        """Take what there is."""
        try:
            self._heard += os.read(self._master, 64 * 1024)
        except OSError:  # nobody has it open at the other end any more
            asyncio.get_running_loop().remove_reader(self._master)

    def type(self, keys: str) -> None:
        """Type, and look from here on."""
        self.mark = len(self._heard)
        os.write(self._master, keys.encode())

    async def until(self, holds: Callable[[], bool], what: str, within: float = WITHIN) -> None:
        """Wait until something is true of what was written; fails with what was there instead."""
        until = time.monotonic() + within * BUSY
        while not holds():
            assert time.monotonic() < until, f"no {what} within {within * BUSY:g} s, but {self.text[-2000:]!r}"
            await asyncio.sleep(0.02)

    async def reads(self, words: str, within: float = WITHIN) -> None:
        """Wait until that can be read."""
        await self.until(lambda: words in self.text, repr(words), within)

    async def code(self, within: float = WITHIN) -> int:
        """Wait for its end; the exit code."""
        await self.until(lambda: self.process.poll() is not None, "end", within)
        return self.process.returncode


@asynccontextmanager
async def in_terminal(
    argv: Sequence[str], environment: Mapping[str, str], *, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[InTerminal]:
    """Run it as the leader of a session with a terminal of that many columns and rows; it is ended on the way out."""
    opened, master = _open(argv, environment, size)
    loop = asyncio.get_running_loop()
    loop.add_reader(master, opened.hear)
    try:
        yield opened
    finally:
        loop.remove_reader(master)
        os.close(master)  # as a window that is closed: all in it are hung up on
        if opened.process.poll() is None:
            opened.process.kill()
        opened.process.wait(10 * BUSY)


def _without_size(environment: Mapping[str, str]) -> dict[str, str]:
    """Workers of pytest-xdist have COLUMNS set, which would count more than what the terminal says."""
    return {name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES")}


def _open(argv: Sequence[str], environment: Mapping[str, str], size: tuple[int, int]) -> tuple[InTerminal, int]:
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    try:
        process = subprocess.Popen(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**_without_size(environment), "TERM": "xterm-256color"},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
    finally:
        os.close(slave)
    return InTerminal(process, master), master
