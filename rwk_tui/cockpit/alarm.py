"""What must not be overlooked: report cards that say that something was violated or did not get well."""

from __future__ import annotations

from collections.abc import Sequence

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import CardRow

LOUD = ("violated", "not well")
"""The verdicts that nobody may overlook, the worst first."""


class Alarm:
    """Cards of this lab with such a verdict, until each has been looked at."""

    def __init__(self) -> None:
        self._known: set[tuple[int, float]] | None = None
        self._waiting: dict[tuple[int, float], CardRow] = {}
        self._there: set[tuple[int, float]] = set()
        self._changes = -1

    @property
    def waiting(self) -> tuple[CardRow, ...]:
        """The cards on the board that nobody has looked at, the worst first and then the newest."""
        there = (card for key, card in self._waiting.items() if key in self._there)
        return tuple(sorted(there, key=lambda card: (LOUD.index(card.verdict), -card.number)))

    def hear(self, board: Board) -> Sequence[CardRow]:
        """Take in what the board says; returns the cards that came since the last time.

        Of those that were there from the first, the ones that this timeline knows nothing of are of earlier labs: they
        are no news, and call nobody.
        """
        changes = board.changes(CardRow)
        if not board.at or changes == self._changes:
            return ()
        self._changes = changes
        cards = {(card.number, card.injected): card for card in board.all_of(CardRow)}
        self._there = set(cards)
        loud = {key: card for key, card in cards.items() if card.verdict in LOUD}
        if self._known is None:
            told = {event.subject for event in board.events}
            self._waiting = {key: card for key, card in loud.items() if card.key in told}
            self._known = set(cards)
            return ()
        new = {key: card for key, card in loud.items() if key not in self._known}
        self._waiting |= new
        self._known |= set(cards)
        return tuple(new.values())

    def looked(self, card: CardRow) -> bool:
        """The card was looked at; whether it had waited for that."""
        return self._waiting.pop((card.number, card.injected), None) is not None
