"""After a fault, and after its healing: whether a probe saw it, what it did, and the card in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from rwk_tui.board.card_row import CardRow, Verdict
from rwk_tui.board.frames import Level
from rwk_tui.board.targets import target_machines
from rwk_tui.faults import offers
from rwk_tui.faults.base import Unable
from rwk_tui.faults.book import SHOWN, Book
from rwk_tui.faults.course import Course
from rwk_tui.faults.ground import Ground
from rwk_tui.faults.proof import in_words, prove
from rwk_tui.faults.supervise import fallen, supervised

LOOK = 0.05
"""Seconds between two looks whether a fault shows."""
LEVELS: dict[Verdict, Level] = {"violated": "bad", "not well": "bad", "known": "warning"}
"""How loudly a card is told that is not as it should be."""


class Follower:
    """Watches one course after another, and tells; `shown` is called once a probe has seen a fault."""

    def __init__(self, ground: Ground, book: Book, shown: Callable[[Course], None]) -> None:
        self._ground = ground
        self._hub = ground.hub
        self._book = book
        self._shown = shown

    async def sight(self, course: Course) -> None:
        """Look until a probe sees the fault, as long as that may take."""
        deadline = self._hub.now() + self._ground.within(course.kind.shows_within)
        while course.sight is None and self._hub.now() < deadline:
            try:
                course.sight = await course.kind.shows(course.case)
            except Unable:
                pass  # who is broken may well not answer
            if course.sight is None:
                await asyncio.sleep(LOOK)
        if course.sight is None:
            text = f"{course.row.text}, but no probe saw it within {course.kind.shows_within:g} s"
            self._hub.tell("effect", text, level="warning", subject=course.row.key)
            return
        course.sight_ms = round((self._hub.now() - course.row.since) * 1000, 1)
        for line in course.sight.evidence:
            self._hub.tell("evidence", line, level="bad", subject=course.row.key)
        self._shown(course)

    async def effect(self, course: Course, looking: asyncio.Task[Any]) -> None:
        """Tell what it did to etcd, once that is over, and what the probe saw, once `looking` has ended."""
        deadline = self._ground.within(self._ground.settings.timeouts.election)
        effect = await self._ground.watcher.measure(course.row.since, deadline)
        await asyncio.wait([looking])
        seen = f"{course.sight.words}; " if course.sight else ""
        self._hub.tell(
            "effect",
            f"{course.row.text} → {seen}{effect.words()}",
            level="info" if effect.settled else "bad",
            subject=course.row.key,
            duration_ms=round(effect.outage_ms, 1) if effect.outage_ms is not None else effect.election_ms,
            resolution_ms=round(effect.resolution_ms, 1),
        )

    async def card(self, course: Course, healed: float, first: asyncio.Task[Any] | None = None) -> None:
        """Wait for what comes `first` and until all is well, then hand out the card.

        `healed` (unix, s) is 0 for what can't be healed.
        """
        kind, target, since = course.kind, course.row.target, healed or course.acted
        if first is not None:
            await asyncio.wait([first])
        machines = target_machines(target) or tuple(self._ground.lab.machines)
        async with supervised(self._ground):
            well = await self._hub.wait(
                lambda board: (
                    offers.seen_after(board, machines, since) and kind.holds(board, target) and not fallen(board)
                ),
                self._ground.within(kind.well_within),
            )
        took = (self._hub.now() - since) * 1000
        card = replace(await prove(course, healed, took if well else None), number=self._book.next)
        self._book.add(card)
        self._hub.publish(card)
        self._hub.retract(*(old.key for old in self._book.cards[-SHOWN - 1 : -SHOWN]))
        self._tell(card, took)

    def _tell(self, card: CardRow, took: float) -> None:
        self._hub.tell(
            "card",
            f"{card.number}. {in_words(card)}",
            level=LEVELS.get(card.verdict, "good"),
            subject=card.key,
            duration_ms=round(took, 1),
            resolution_ms=50.0,
        )
        for broken in card.broken:
            evidence = f": {'; '.join(broken.evidence)}" if broken.evidence else ""
            text = f"VIOLATED after {card.text}: {broken.name}, but {broken.saw}{evidence}"
            self._hub.tell("violated", text, level="bad", subject=card.key)
        for known in card.known:
            evidence = f": {'; '.join(known.evidence)}" if known.evidence else ""
            text = f"KNOWN after {card.text}: {known.name}, but {known.saw}{evidence}; {known.known}"
            self._hub.tell("known", text, level="warning", subject=card.key)
