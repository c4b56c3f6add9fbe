"""What a page of details is made of: a title, fields, and long lists that are painted when they are in sight."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from rwk_tui.board.board import Board
from rwk_tui.board.kube_rows import KubeEventRow
from rwk_tui.board.rows import Row, UnitRow
from rwk_tui.cockpit import marks, units
from rwk_tui.cockpit.panes.stack import Stack
from rwk_tui.cockpit.remembered import events_about
from rwk_tui.cockpit.text import Line, Span, Tone, about, cell, clean, fit, line, wrap

NAME = 12
"""Cells of a field's name."""
EVENTS = 100
"""Events that are shown of a thing."""


class Page(msgspec.Struct, frozen=True):
    """Everything about one thing; `stale` says that it can't be asked now."""

    title: str
    lines: Stack
    stale: bool = False


def field(name: str, *parts: Span | str | tuple[str, Tone], thing: str = "", width: int = 0) -> list[Line]:
    """A name and its value, on more lines where one has not enough room."""
    whole = (Span(cell(name, NAME), "muted"), *line(*parts))
    lines = wrap(whole, width, NAME) if width else [whole]
    return [about(thing, parts) for parts in lines] if thing else lines


def heading(text: str) -> list[Line]:
    """A blank line and a title."""
    return [(), line((text, "strong"))]


def freshness(row: Row, now: float, width: int) -> list[Line]:
    """A line that says that a row is old and why, where it is."""
    if row.fresh:
        return []
    why = f": {clean(row.why)}" if row.why else ""
    text = f"{marks.STALE.both} {units.age(now - row.seen_at)}{why} · these are its last values"
    return wrap(line((text, "warn")), width, 2)


def state_of(mark: marks.Mark, since: float, now: float, *, stale: bool = False) -> Span:
    """A state as glyph, word and how long it has lasted, or as one that was."""
    if stale:
        return marks.was(mark).span()
    return mark.span(f" for {units.age(now - since)}" if since else "")


def unit_lines(board: Board, row: UnitRow, now: float, width: int, *, name: str = "") -> list[Line]:
    """A unit in two lines: how it is, and what was started."""
    mark = marks.UNIT[row.state]
    parts = [Span(f"{mark.glyph} ", mark.tone), Span(f"{name or row.unit} ", "strong"), Span(mark.word, mark.tone)]
    if row.state != "running" and row.exit:
        parts.append(Span(f", {clean(row.exit)}", mark.tone))
    if row.pid and row.state in ("running", "paused"):
        parts.append(Span(f" pid {row.pid}", "plain"))
    if row.since:
        parts.append(Span(f" for {units.age(now - row.since)}", "muted"))
    lines = [fit(tuple(parts), width)]
    if row.argv:
        lines.append(fit(line("  ", (clean(" ".join(row.argv)), "code")), width))
    return [about(row.key, parts) for parts in lines]


def argv_lines(argv: Sequence[str], width: int) -> list[Line]:
    """A command with one argument a line."""
    lines: list[Line] = []
    for number, word in enumerate(argv):
        lines += wrap(line("  " if number else "", (clean(word), "code")), width, 4)
    return lines


def event_lines(board: Board, key: str, width: int) -> list[Line]:
    """Kubernetes' own events about a thing, newest first."""
    events = events_about(board).get(key, ())
    if not events:
        return [*heading("Events"), line(("none", "muted"))]
    lines = heading(f"Events ({len(events)}), newest first")
    for event in events[:EVENTS]:
        lines += _event_lines(event, width)
    if len(events) > EVENTS:
        lines.append(line((f"and {len(events) - EVENTS} older ones", "muted")))
    return lines


@lru_cache(maxsize=512)
def _event_lines(event: KubeEventRow, width: int) -> tuple[Line, ...]:
    tone: Tone = "warn" if event.warning else "plain"
    times = f" ×{event.count}" if event.count > 1 else ""
    whole = line(
        (f"{units.clock(event.at)} ", "muted"),
        ("! " if event.warning else "· ", tone),
        (f"{clean(event.reason)}{times}  ", tone),
        (clean(event.message), "muted"),
    )
    return tuple(wrap(whole, width, len("12:30:58 · ")))
