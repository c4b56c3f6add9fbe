"""Writes the frames of a run to a file, packed as they come, so that a crash keeps all but the last second."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from rwk_tui import __version__
from rwk_tui.board.frames import PROTOCOL
from rwk_tui.tape.packing import Packer

TAPE = 2
"""The version of the file's layout: a header, then one frame a line, the first of them full, and a line for the end.

Version 1 had neither that one nor those that number the parts.
"""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a tape."""

    tape: int
    protocol: int = PROTOCOL
    version: str = __version__


class TapeWriter:
    """Appends frames to a new file; a failure ends the tape with one call of `complain`, and nothing else.

    A file that exists is never overwritten: the next free name with a number is taken, see `path`.
    """

    def __init__(self, path: Path, complain: Callable[[str], None]) -> None:
        self.path = path
        self._complain = complain
        self._handle = -1
        self._packer = Packer()
        try:
            self.path, self._handle = _create(path)
        except OSError as error:
            self._fail(error)
        self.write(msgspec.json.encode(Header(tape=TAPE)) + b"\n")

    @property
    def running(self) -> bool:
        """Whether frames are being kept."""
        return self._handle >= 0

    def write(self, line: bytes) -> None:
        """Append one encoded frame with its newline."""
        if self.running:
            self._put(self._packer.pack(line))

    def close(self) -> None:
        """End the tape; harmless when it has ended."""
        if self.running:
            self._put(self._packer.close())
        self._let_go()

    def _put(self, packed: bytes) -> None:
        try:
            while packed:
                packed = packed[os.write(self._handle, packed) :]
        except OSError as error:
            self._fail(error)

    def _let_go(self) -> None:
        if self.running:
            os.close(self._handle)
            self._handle = -1

    def _fail(self, error: OSError) -> None:
        self._let_go()
        self._complain(f"the tape {self.path} ends here: {error.strerror or error}")


def _create(path: Path) -> tuple[Path, int]:
    if not path.name:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = 1, path
    while True:
        try:
            return name, os.open(name, flags, 0o600)
        except FileExistsError:
            number += 1
            name = path.with_stem(f"{path.stem}-{number}")
