"""A tape in memory, packed: any moment of it is near, because the whole board is kept at short distances."""

from __future__ import annotations

import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property

import msgspec

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Frame

PACK = 128
"""Frames between two whole boards; so many are unpacked and applied at most to see any moment."""
CLUSTER = 1.0
"""Seconds; events that are closer to each other count as one place to jump to."""


class _Pack(msgspec.Struct, frozen=True):
    """Some frames, packed, and the whole board before them."""

    before: Frame
    frames: bytes


class Reel:
    """Frames in the order of the run; moments are seconds since its beginning, and never run backwards.

    It can be used while frames are still added; `complete` says that none will come.
    """

    def __init__(self) -> None:
        self.began = 0.0
        self.complete = False
        self.marks: list[float] = []
        self._moments = array("d")
        self._packs: list[_Pack] = []
        self._open: list[Frame] = []
        self._before = Board().snapshot(0, 0.0)
        self._board = Board()
        self._unpacked: tuple[int, list[Frame]] = (-1, [])

    def __len__(self) -> int:
        return len(self._moments)

    @property
    def length(self) -> float:
        """The moment of the last frame."""
        return self._moments[-1] if self._moments else 0.0

    def add(self, frame: Frame) -> None:
        """Append a frame."""
        if not self._moments:
            self.began = frame.at
        if len(self._open) == PACK:
            self._packs.append(_Pack(self._before, zlib.compress(msgspec.json.encode(self._open), 1)))
            self._open = []
            self._before = self._board.snapshot(frame.seq, self._board.at)
        moment = max(self.length, frame.at - self.began)
        if frame.events and not frame.full and (not self.marks or moment - self.marks[-1] >= CLUSTER):
            self.marks.append(moment)
        self._moments.append(moment)
        self._open.append(frame)
        self._board.apply(frame)

    def moment(self, number: int) -> float:
        """When the frame of that number was seen; the first is 0."""
        return self._moments[number]

    def count_until(self, moment: float) -> int:
        """How many frames had been seen by then."""
        return bisect_right(self._moments, moment)

    def frames(self, first: int, end: int) -> Iterator[Frame]:
        """The frames from `first` up to but without `end`."""
        for number in range(first, end):
            yield self._pack(number // PACK)[number % PACK]

    def board_after(self, count: int) -> Frame:
        """The whole board after so many frames, as one frame."""
        if not count:
            return self._before_of(0)
        board, pack = Board(), (count - 1) // PACK
        board.apply(self._before_of(pack))
        seq = 0
        for frame in self.frames(pack * PACK, count):
            board.apply(frame)
            seq = frame.seq
        return board.snapshot(seq, board.at)

    def _before_of(self, pack: int) -> Frame:
        return self._packs[pack].before if pack < len(self._packs) else self._before

    def _pack(self, number: int) -> list[Frame]:
        if number == len(self._packs):
            return self._open
        if self._unpacked[0] != number:
            self._unpacked = number, self._decoder.decode(zlib.decompress(self._packs[number].frames))
        return self._unpacked[1]

    @cached_property
    def _decoder(self) -> msgspec.json.Decoder[list[Frame]]:
        return msgspec.json.Decoder(list[Frame])
