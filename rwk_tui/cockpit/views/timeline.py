"""The Timeline pane: what happened, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from rwk_tui.board import wording
from rwk_tui.board.board import Board
from rwk_tui.board.card_row import CardRow
from rwk_tui.board.frames import Event
from rwk_tui.cockpit import marks, units
from rwk_tui.cockpit.text import Line, Tone, clean, line, wrap

INDENT = len("12:30:58  ★ ")


class TimelineView(msgspec.Struct, frozen=True):
    """The events to show, newest first; events never change, so comparing their ids is enough."""

    events: tuple[Event, ...] = ()
    title: str = "Timeline"
    troubled: bool = False


def timeline_view(board: Board, now: float, waiting: Sequence[CardRow] = ()) -> TimelineView:
    """What the pane shows of the board; `waiting` are loud cards that nobody has looked at."""
    return TimelineView(tuple(reversed(board.events)), troubled=any(card.verdict == "violated" for card in waiting))


def event_text(event: Event) -> str:
    """The event's words, with its measured duration and who did it unless they say so themselves."""
    text = clean(event.text)
    if event.duration_ms is not None:
        took = wording.seconds(event.duration_ms)
        if took not in text:
            text += f", {took}"
    if event.by_presenter and not text.endswith("(you)"):
        text += " (you)"
    return text


def event_mark(event: Event) -> tuple[str, Tone]:
    """The event's glyph and tone."""
    mark = marks.LEVEL[event.level]
    tone: Tone = "accent" if event.kind == "election" else mark.tone
    return marks.KIND.get(event.kind, mark.glyph), tone


@lru_cache(maxsize=2048)
def event_lines(event: Event, width: int) -> tuple[Line, ...]:
    """One event on as many lines as it needs."""
    glyph, tone = event_mark(event)
    whole = line((units.clock(event.at), "muted"), "  ", (f"{glyph} ", tone), event_text(event))
    return tuple(wrap(whole, width, INDENT))


def timeline_lines(view: TimelineView, width: int) -> list[Line]:
    """The pane's lines."""
    if not view.events:
        return [line(("nothing has happened yet", "muted"))]
    return list(_all(view.events, width))


def _all(events: Iterable[Event], width: int) -> Iterable[Line]:
    for event in events:
        yield from event_lines(event, width)
