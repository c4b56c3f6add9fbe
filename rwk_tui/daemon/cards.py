"""The report cards that come while a front end without a screen follows a lab."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import CardRow
from rwk_tui.board.rows import FaultRow
from rwk_tui.daemon.client import DaemonError
from rwk_tui.daemon.hold import Follower


class Cards:
    """Collects and tells each card as it comes; those of earlier runs don't count. Use as an asynchronous context."""

    def __init__(self, lab: Follower, tell: Callable[[CardRow], None]) -> None:
        self.all: list[CardRow] = []
        self._lab = lab
        self._tell = tell
        self._known = {card.key for card in lab.board.all_of(CardRow)}
        self._changes = lab.board.changes(CardRow)
        self._first_event = 0
        self._following: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Cards:
        self._following = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        self._take(self._lab.board)

    def begin(self) -> None:
        """From now on another chapter is told: building its start undoes all faults, and their cards never come."""
        self._first_event = self._lab.board.events[-1].id + 1 if self._lab.board.events else 0

    async def settled(self, within: float) -> tuple[str, ...]:
        """Wait at most `within` seconds for the cards of healed faults; returns the faults that still lack theirs.

        Raises DaemonError if the lab ends meanwhile.
        """
        try:
            async with asyncio.timeout(within):
                await self._lab.until(lambda board: not awaited(board, self._first_event))
        except TimeoutError:
            pass
        self._take(self._lab.board)
        return awaited(self._lab.board, self._first_event)

    async def _follow(self) -> None:
        try:
            while True:
                await self._lab.until(lambda board: board.changes(CardRow) != self._changes)
                self._take(self._lab.board)
        except DaemonError:
            return  # whoever plays the chapters hears of it too

    def _take(self, board: Board) -> None:
        self._changes = board.changes(CardRow)
        new = [card for card in board.all_of(CardRow) if card.key not in self._known]
        for card in sorted(new, key=lambda card: card.number):
            self._known.add(card.key)
            self.all.append(card)
            self._tell(card)


def awaited(board: Board, first_event: int) -> tuple[str, ...]:
    """What was done since that event and is healed, or can't be, and still has no card; in the timeline's words."""
    done = {card.injected for card in board.all_of(CardRow)}
    waiting: dict[str, str] = {}
    for event in board.events:
        if event.id < first_event:
            continue
        if event.kind == "fault" and event.by_presenter:
            if event.at not in done and board.get(FaultRow, event.subject) is None:
                waiting[event.subject] = event.text
        elif event.kind == "heal" and not event.by_presenter and event.level != "bad":
            waiting.pop(event.subject, None)  # it was mended by other means, which is nobody's to report on
    return tuple(waiting.values())
