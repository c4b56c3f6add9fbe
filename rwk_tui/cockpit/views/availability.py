"""The Availability pane: what the canary saw in the last minute, and its verdict."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rwk_tui.board import wording
from rwk_tui.board.board import Board
from rwk_tui.board.card_row import KEPT, MONOTONIC, CardRow
from rwk_tui.board.rows import CanaryRow
from rwk_tui.cockpit import marks, units
from rwk_tui.cockpit.text import Line, Span, Tone, cell, cut, line, width_of
from rwk_tui.cockpit.views.spark import share

TITLE = "Availability · last 60 s"
PLAIN: Tone = "plain"
WARN: Tone = "warn"
WORDS = 38
"""Cells that the words beside the bar may take."""
FEW_WORDS = 18
"""Cells that the gap alone may take, where there is no room for more."""
BAD: Tone = "bad"
OF_CANARY = (KEPT, MONOTONIC)
"""The invariants of report cards that a canary checks."""

STATE: dict[str, marks.Mark] = {
    "idle": marks.Mark("○", "waits for a member", "muted"),
    "flowing": marks.Mark("●", "flowing", "good"),
    "failing": marks.Mark("✗", "failing", "bad"),
    "stopped": marks.Mark("‖", "stopped", "muted"),
}


class CanaryView(msgspec.Struct, frozen=True):
    """One canary: its state, a bar of (glyph, tone) a second, what it says about the gap and about the last restore."""

    name: str
    state: marks.Mark
    bar: tuple[tuple[str, Tone], ...]
    gap: str
    gap_tone: Tone
    restored: str = ""


class AvailabilityView(msgspec.Struct, frozen=True):
    """All canaries; the verdict on what was acknowledged stands in the title, where it is always in sight.

    `violated` says that something which must hold did not: writes are lost, or a report card says so. Where a known bug
    of the engine explains it, the title names that, and it is no violation.
    """

    canaries: tuple[CanaryView, ...] = ()
    title: str = TITLE
    titles: tuple[str, ...] = ()
    violated: bool = False

    @property
    def troubled(self) -> bool:
        """Whether the pane shows something that is not well."""
        return self.violated or any(canary.state.tone == "bad" for canary in self.canaries)


def availability_view(board: Board, now: float, waiting: Sequence[CardRow] = ()) -> AvailabilityView:
    """What the pane shows of the board; `waiting` are loud cards that nobody has looked at."""
    rows = sorted(board.rows(CanaryRow), key=lambda row: row.name != "etcd")  # What the others stand on comes first.
    acknowledged, lost = sum(row.acknowledged for row in rows), sum(row.lost for row in rows)
    broken = [name for name in OF_CANARY if any(_is_broken(card, name) for card in waiting)]
    unexplained = any(row.lost and not row.known for row in rows)
    bug = "" if unexplained else next((row.known for row in rows if row.lost), "")
    violated = unexplained or bool(broken)
    said = [f"✗ violated: {name}" for name in broken if not (unexplained and name == KEPT)]
    if acknowledged:
        mark = "✗ " if unexplained else f"{marks.VERDICT['known'].glyph} " if lost else ""
        words = f"{mark}{units.number(lost)} of {units.number(acknowledged)} acknowledged writes lost"
        said.insert(0, ", ".join(filter(None, (words, bug))))
    titles = (" · ".join(("Writes", *said)), " · ".join(said[-1:])) if lost or violated else ()
    return AvailabilityView(
        tuple(_canary(row, now) for row in rows), " · ".join((TITLE, *said)), titles=titles, violated=violated
    )


def _is_broken(card: CardRow, name: str) -> bool:
    return any(one.name == name for one in card.broken)


def _canary(row: CanaryRow, now: float) -> CanaryView:
    state = STATE[row.state]
    if not row.fresh:
        state = marks.Mark(marks.STALE.glyph, f"stale {units.age(now - row.seen_at)}", "warn")
    if row.state == "failing":
        gap, tone = f"no writes for {wording.seconds(row.gap_ms)}", BAD
    elif row.gap_ms > 0:
        gap, tone = f"last gap {wording.seconds(row.gap_ms)}", WARN
    else:
        gap, tone = "no gap", PLAIN
    restored = f"restore lost {units.number(row.gone)} of {units.number(row.gone_of)}" if row.gone else ""
    return CanaryView(f"{row.name} writes", state, _bar(row), gap if row.acknowledged else "", tone, restored)


def _bar(row: CanaryRow) -> tuple[tuple[str, Tone], ...]:
    bar: list[tuple[str, Tone]] = []
    begun = False
    for good, bad in row.history:
        begun = begun or good > 0 or bad > 0
        if not begun:
            bar.append(("·", "muted"))
        elif good == 0:
            bar.append((share(0, bad), "bad"))
        else:
            bar.append((share(good, bad), "warn" if bad else "good"))
    return tuple(bar)


def availability_lines(view: AvailabilityView, width: int) -> list[Line]:
    """The pane's lines: one a canary where it fits, else two."""
    if not view.canaries:
        return [line(("nothing writes yet: the canary starts with the first member", "muted"))]
    lines: list[Line] = []
    label = max(len(canary.name) for canary in view.canaries)
    for canary in view.canaries:
        head = (Span(cell(canary.name, label), "strong"), Span(" "))
        room = max(0, width - label - 1)
        cells = max(1, (room - WORDS) // 60)  # A second takes more than one cell on a projector.
        seconds = min(60, room)
        padded = (Span("·" * (seconds - len(canary.bar)) * cells, "muted"), *_runs(canary.bar[-seconds:], cells))
        beside = room - seconds * cells - 2
        if beside + 2 >= WORDS:
            lines.append((*head, *padded, Span("  "), *_words(canary, beside)))
        elif len(view.canaries) > 1 and beside >= FEW_WORDS:  # On two lines each, one would be out of sight.
            few = f"{canary.state.glyph} {canary.gap or canary.state.word}"
            lines.append((*head, *padded, Span("  "), Span(cut(few, beside), canary.state.tone)))
        else:
            lines += [(*head, *padded), (Span(" " * (label + 1)), *_words(canary, room))]
    return lines


def _words(canary: CanaryView, width: int) -> Line:
    """What is said beside the bar: the state, the gap and what a restore lost, in as few words as must be."""
    glyph, gap = canary.state.glyph, Span(canary.gap, canary.gap_tone)
    said = _joined(canary.state.span(), gap)
    if not canary.restored:
        return said
    restored = Span(canary.restored, WARN)
    ways = [
        (*said, Span(" · ", "muted"), restored),
        _joined(Span(f"{glyph} {gap.text.removeprefix('last ')}", gap.tone), restored),
    ]
    if canary.state.tone != "bad":  # An outage that lasts comes first.
        ways.append(_joined(Span(f"{glyph} {canary.restored}", WARN)))
    return next((way for way in ways if width_of(way) <= width), said)


def _joined(*parts: Span) -> Line:
    spans: list[Span] = []
    for span in parts:
        if span.text:
            spans += [Span(" · ", "muted"), span] if spans else [span]
    return tuple(spans)


def _runs(bar: tuple[tuple[str, Tone], ...], cells: int) -> Line:
    """Seconds of one tone as one span, each that many cells wide."""
    spans: list[Span] = []
    for once, tone in bar:
        glyph = once * cells
        if spans and spans[-1].tone == tone:
            spans[-1] = Span(spans[-1].text + glyph, tone)
        else:
            spans.append(Span(glyph, tone))
    return tuple(spans)
