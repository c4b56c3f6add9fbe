"""A unit's output: a file that never grows without bound, read from its end and followed across rotations."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from rwk_tui.lab.host.disk import make_directory, said

ROTATE_AT = 8 * 1024 * 1024
_POLL = 0.1
_BLOCK = 256 * 1024


class Output:
    """One log file and its predecessor, `NAME.log` and `NAME.log.1`.

    The program holds the file open for appending, so rotation copies it away and empties it. Lines that are written
    between the two are lost; that is a few milliseconds once in eight megabytes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rotations = 0

    @property
    def old(self) -> Path:
        """The predecessor."""
        return self.path.with_name(self.path.name + ".1")

    def open(self) -> int:
        """A descriptor for the program to write to. Raises LabError."""
        make_directory(self.path.parent)
        with said(f"can't write {self.path}"):
            return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def size(self) -> int:
        """Bytes in the file, 0 if there is none."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    async def rotate(self, limit: int = ROTATE_AT) -> None:
        """Copy the file away and empty it if it is larger than `limit` bytes. Raises LabError."""
        if self.size() > limit:
            with said(f"can't rotate {self.path}"):
                await asyncio.to_thread(shutil.copyfile, self.path, self.old)
                os.truncate(self.path, 0)
            self.rotations += 1

    async def lines(self, count: int, *, follow: bool) -> AsyncIterator[str]:
        """The newest `count` lines, then, with `follow`, every one that comes."""
        rotations = self.rotations
        text, position = await asyncio.to_thread(self._tail, count)
        whole, _, rest = text.rpartition(b"\n")
        for line in whole.split(b"\n")[-count:] if whole and count else ():
            yield _plain(line)
        if not follow:
            if rest:
                yield _plain(rest)
            return
        while True:
            came = b""
            if rotations != self.rotations:
                # What came after the last look and before the rotation is in the predecessor now.
                came = await asyncio.to_thread(_read, self.old, position) if self.rotations == rotations + 1 else b""
                rotations, position = self.rotations, 0
            elif self.size() != position:
                if self.size() < position:  # a new file: the disk was lost
                    position, rest = 0, b""
                came = await asyncio.to_thread(_read, self.path, position, _BLOCK)
                position += len(came)
            if not came:
                await asyncio.sleep(_POLL)
                continue
            *done, rest = (rest + came).split(b"\n")
            for line in done:
                yield _plain(line)

    def _tail(self, count: int) -> tuple[bytes, int]:
        """The end of the file with at least `count` lines, if there are so many, and the size of the file."""
        size = self.size()
        length = _BLOCK
        while True:
            text = _read(self.path, max(0, size - length), length)
            if text.count(b"\n") > count or length >= size:
                break
            length *= 4
        position = max(0, size - length) + len(text)
        if text.count(b"\n") <= count:
            text = _read(self.old, 0) + text
        return text, position


def _read(path: Path, position: int, length: int = -1) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(position)
            return file.read(length)
    except OSError:
        return b""


def _plain(line: bytes) -> str:
    return line.rstrip(b"\r").decode(errors="replace")
