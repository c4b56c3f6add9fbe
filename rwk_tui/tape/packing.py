"""How the lines of a tape are packed: gzip, in parts that each carry a checksum, so that `zcat` reads it too.

A part holds half a minute, and says its number, so that a lost one is missed. What a crash leaves of the last one can
be read up to the last second; a part that is whole but does not match its checksum gives no line at all, since nobody
knows which of them are true.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

import msgspec

from rwk_tui.tape.order import End, Part

LINE_LIMIT = 16 * 1024 * 1024
"""Bytes in the longest line that is taken for a frame."""
PART_LIMIT = 2 * LINE_LIMIT
"""Bytes in the largest part that is unpacked; a few packed bytes may claim to be any number."""
MAGIC = b"\x1f\x8b"
_PART = 30.0
_FLUSH = 1.0
_FULL = 4 * 1024 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_READ = 64 * 1024
_LOOK = 16
CUT_OFF = "is missing: the run crashed, or the file was cut off"


class Damaged(Exception):
    """What follows can't be used; says why in half a sentence."""


class Packer:
    """Packs a header and then frames, a line each.

    `clock` gives seconds, by which parts end and what is packed goes out.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._part = zlib.compressobj(wbits=_GZIP)
        self._size = 0
        self._parts = 0
        self._frames = -1  # The header is none.
        self._began = self._out = -_PART

    def pack(self, line: bytes) -> bytes:
        """Take a line; returns the bytes to write now, b"" if they can wait for some more."""
        now, packed = self._clock(), b""
        if not self._size:
            self._began, self._out = now, now - _FLUSH  # The first line of a part waits for nothing.
            packed = self._begin()
        packed += self._take(line)
        self._frames += 1
        if self._size >= _FULL or now - self._began >= _PART:
            return packed + self._end()
        if now - self._out >= _FLUSH:
            self._out = now
            packed += self._part.flush(zlib.Z_SYNC_FLUSH)
        return packed

    def close(self) -> bytes:
        """End the tape; returns its last bytes."""
        packed = b"" if self._size else self._begin()
        return packed + self._take(_line(End(frames=self._frames))) + self._end()

    def _begin(self) -> bytes:
        self._parts += 1
        return self._take(_line(Part(part=self._parts, frames=self._frames))) if self._parts > 1 else b""

    def _take(self, line: bytes) -> bytes:
        self._size += len(line)
        return self._part.compress(line)

    def _end(self) -> bytes:
        packed, self._part, self._size = self._part.flush(), zlib.compressobj(wbits=_GZIP), 0
        return packed


def _line(entry: Part | End) -> bytes:
    return msgspec.json.encode(entry) + b"\n"


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a tape, packed or plain; one that was cut off comes without its newline. Raises Damaged, OSError."""
    start = file.read(len(MAGIC))
    file.seek(0)
    if start == MAGIC:
        for part in _parts(file):
            yield from part.splitlines(keepends=True)
        return
    while line := file.readline(LINE_LIMIT):
        yield line


def first_line(file: BinaryIO) -> bytes:
    """The first line of a tape, without reading on to the end of its part. Raises Damaged, OSError."""
    start = file.read(_READ)
    if start[: len(MAGIC)] != MAGIC:
        return start.partition(b"\n")[0]
    unpacker, found = zlib.decompressobj(wbits=_GZIP), b""
    try:
        for at in range(0, len(start), _LOOK):  # Little by little: what is wrong behind it is told by who reads on.
            found += unpacker.decompress(start[at : at + _LOOK], _READ)
            if b"\n" in found or len(found) > _READ:
                break
    except zlib.error:
        raise Damaged("does not match its checksum") from None
    return found.partition(b"\n")[0]


def _parts(file: BinaryIO) -> Iterator[bytes]:
    """Each part that matches its checksum; of one that was cut off, what is there."""
    rest = b""
    while rest or (rest := file.read(_READ)):
        part: list[bytes] = []
        size, unpacker = 0, zlib.decompressobj(wbits=_GZIP)
        while not unpacker.eof:
            rest = rest or file.read(_READ)
            if not rest:
                yield b"".join(part)
                raise Damaged(CUT_OFF)
            try:
                part.append(unpacker.decompress(rest, PART_LIMIT - size + 1))
            except zlib.error:
                raise Damaged("does not match its checksum") from None
            size += len(part[-1])
            if size > PART_LIMIT:
                raise Damaged("is larger than any part of a tape")
            rest = unpacker.unconsumed_tail
        rest = unpacker.unused_data
        yield b"".join(part)
