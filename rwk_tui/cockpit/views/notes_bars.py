"""The one-line bars of the speaker notes: where the story is, what was refused, and the keys."""

from __future__ import annotations

import msgspec

from rwk_tui.board.board import Board
from rwk_tui.cockpit import units
from rwk_tui.cockpit.contact import Contact
from rwk_tui.cockpit.keymap import USUAL, KeyMap
from rwk_tui.cockpit.notes_actions import NOTES_ACTIONS, notes_key
from rwk_tui.cockpit.talk_timer import TalkTimer
from rwk_tui.cockpit.text import Line, Span, Tone, clean, cut, line, spread
from rwk_tui.cockpit.views.bars import liveness, strip_view

REFUSAL_SHOWN = 20.0
"""Seconds for which a refusal is worth a line."""


class Refusal(msgspec.Struct, frozen=True):
    """A command that was not taken: when (unix time, s), why, and whether it was the screen's or ours."""

    at: float
    why: str
    ours: bool = False


class NotesHeader(msgspec.Struct, frozen=True):
    """The chapter, the timer and the stream."""

    chapter: str = ""
    read_only: bool = False
    timer: str = "0:00"
    paused: bool = False
    live: str = ""
    tone: Tone = "muted"


def notes_header(board: Board, contact: Contact, now: float, timer: TalkTimer, *, read_only: bool) -> NotesHeader:
    """What stands at the top."""
    live, tone = liveness(contact, now)
    chapter = f"{board.story.chapter} · {clean(board.story.title)}" if board.story.chapter else ""
    return NotesHeader(chapter, read_only, timer.words(now), bool(timer.paused), live, tone)


def notes_header_line(view: NotesHeader, width: int) -> Line:
    """The top line: the chapter gives way to the timer."""
    left = line(("notes", "strong"), (" read-only" if view.read_only else "", "muted"))
    if view.chapter:
        left = (*left, Span(" · ", "muted"), Span(view.chapter, "accent"))
    timer: Line = (Span(f"‖ paused {view.timer}", "warn"),) if view.paused else (Span(f"talk {view.timer}", "strong"),)
    return spread(left, (*timer, Span("   "), Span(view.live, view.tone)), width)


class WordView(msgspec.Struct, frozen=True):
    """One line that wants the presenter's eye ("" where nothing does)."""

    text: str = ""
    tone: Tone = "bad"


def word_view(board: Board, contact: Contact, now: float, refusal: Refusal | None) -> WordView:
    """What is wrong: the stream first, then what was refused a moment ago."""
    if contact.state == "ended":
        return WordView(f"✗ {clean(contact.reason)}; waiting for a lab")
    if contact.state == "lost":
        return WordView(f"✗ daemon lost, trying again: {clean(contact.reason)}")
    if refusal is not None and 0 <= now - refusal.at < REFUSAL_SHOWN:
        who = "not done" if refusal.ours else "refused on the screen"
        return WordView(f"! {who} {units.age(now - refusal.at)} ago: {clean(refusal.why)}", "warn")
    strip = strip_view(board, contact, now)
    return WordView() if strip.text.startswith("↯") else WordView(strip.text, strip.tone)


def word_line(view: WordView, width: int) -> Line:
    """That line, cut where it must be."""
    return line((cut(view.text, width), view.tone))


class KeysView(msgspec.Struct, frozen=True):
    """The actions that are offered, those that mean something now, and the user's keys."""

    offered: tuple[str, ...] = ()
    valid: frozenset[str] = frozenset()
    keys: KeyMap = USUAL


def keys_line(view: KeysView, width: int) -> Line:
    """The keys at the bottom; what makes no sense now is greyed and not underlined."""
    spans: list[Span] = [Span(" ")]
    for action in NOTES_ACTIONS:
        if action.id in view.offered:
            on = action.id in view.valid
            spans.append(Span(notes_key(action.id, view.keys), "key" if on else "muted", action.id if on else ""))
            spans.append(Span(f" {action.label}", "plain" if on else "muted", action.id if on else ""))
            spans.append(Span("  "))
    return tuple(spans[:-1])
