"""The book of report cards: a line of JSON each, so that a report can be had after the lab has gone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from rwk_tui.board.card_row import CardRow
from rwk_tui.private import make_private, write_whole

KEPT = 1000
"""Cards that stay when a new lab begins to write."""
SHOWN = 100
"""The newest cards that are on the board."""


class Book:
    """Cards on disk and in memory, oldest first; what the disk refuses is complained of and holds nothing up."""

    def __init__(self, path: Path, complain: Callable[[str], object]) -> None:
        self._path = path
        self._complain = complain
        self.cards: list[CardRow] = read_cards(path)
        if len(self.cards) > KEPT:
            self.cards = self.cards[-KEPT:]
            self._guarded(self._rewrite)

    @property
    def next(self) -> int:
        """The number of the next card."""
        return self.cards[-1].number + 1 if self.cards else 1

    def add(self, card: CardRow) -> None:
        """Enter a card."""
        self.cards.append(card)
        del self.cards[:-KEPT]
        self._guarded(lambda: self._append(card))

    def _append(self, card: CardRow) -> None:
        make_private(self._path.parent)
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, msgspec.json.encode(card) + b"\n")
        finally:
            os.close(handle)

    def _rewrite(self) -> None:
        write_whole(self._path, b"".join(msgspec.json.encode(card) + b"\n" for card in self.cards))

    def _guarded(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            self._complain(f"{self._path} can't be written, so the report will lack a card: {error.strerror or error}")


def read_cards(path: Path) -> list[CardRow]:
    """The cards in a book, oldest first; a line that a crash cut short is left out. [] where there is no book."""
    try:
        return decode_cards(path.read_bytes())[0]
    except OSError:
        return []


def decode_cards(data: bytes) -> tuple[list[CardRow], int]:
    """The cards in what a book holds, oldest first, and how many of its lines could not be read."""
    decode = msgspec.json.Decoder(CardRow).decode
    cards, damaged = [], 0
    for line in data.splitlines():
        try:
            cards.append(decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError):
            damaged += 1
    return cards, damaged
