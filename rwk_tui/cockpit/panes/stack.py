"""Long contents put together from blocks: lines that are there, and lines that are made once they are in sight."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import overload

from rwk_tui.cockpit.text import Line


class Rows(Sequence[Line]):
    """Many lines alike, one a thing, each made when it is looked at. Equal `token`s stand for equal lines."""

    def __init__(self, keys: Sequence[str], paint: Callable[[int], Line], token: object) -> None:
        self.keys = keys
        self._paint = paint
        self._token = token

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, at: int) -> Line: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Line]: ...
    def __getitem__(self, at: int | slice) -> Line | Sequence[Line]:
        if isinstance(at, slice):
            return [self._paint(number) for number in range(*at.indices(len(self)))]
        if not 0 <= at < len(self):
            raise IndexError(at)
        return self._paint(at)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rows) and self._token == other._token

    __hash__ = None  # type: ignore[assignment]  # what is compared by value and never kept in a set


class Stack(Sequence[Line]):
    """Blocks of lines below each other, as one sequence."""

    def __init__(self, *blocks: Sequence[Line]) -> None:
        self.blocks = tuple(tuple(block) if isinstance(block, list) else block for block in blocks if len(block))
        self._starts: list[int] = []
        self._length = 0
        for block in self.blocks:
            self._starts.append(self._length)
            self._length += len(block)

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, at: int) -> Line: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Line]: ...
    def __getitem__(self, at: int | slice) -> Line | Sequence[Line]:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(self._length))]
        if not 0 <= at < self._length:
            raise IndexError(at)
        number = bisect_right(self._starts, at) - 1
        return self.blocks[number][at - self._starts[number]]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stack) and self.blocks == other.blocks

    __hash__ = None  # type: ignore[assignment]

    def things(self) -> dict[str, int]:
        """Every thing that is shown, in order, with the first line it is on."""
        found: dict[str, int] = {}
        for start, block in zip(self._starts, self.blocks, strict=True):
            if isinstance(block, Rows):
                found.update((key, start + number) for number, key in enumerate(block.keys) if key and key not in found)
            else:
                _add(found, block, start)
        return found


def things_of(lines: Sequence[Line]) -> dict[str, int]:
    """Every thing that lines show, in order, with the first line it is on."""
    if isinstance(lines, Stack):
        return lines.things()
    found: dict[str, int] = {}
    _add(found, lines, 0)
    return found


def _add(found: dict[str, int], lines: Sequence[Line], start: int) -> None:
    for number, parts in enumerate(lines, start):
        for span in parts:
            if span.thing and span.thing not in found:
                found[span.thing] = number
