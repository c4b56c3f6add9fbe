"""The figures of present mode: what an audience asks for most, in digits that are three lines high."""

from __future__ import annotations

import re

import msgspec

from rwk_tui.board.board import Board
from rwk_tui.board.rows import CanaryRow, QuorumRow, QuorumState
from rwk_tui.cockpit import marks
from rwk_tui.cockpit.text import Line, Span, Tone, clean, fit
from rwk_tui.cockpit.views.present import CHANGED

NONE = "-"
"""Stands for a figure that nobody knows."""
FIGURES = ("leader", "term", "quorum", "nodes", "pods", "gap")
"""Their names, in order from the left; nodes and pods take the place of the quorum once there is a Kubernetes."""

WORDS: dict[QuorumState, tuple[str, Tone]] = {
    "healthy": ("● quorum", "good"),
    "degraded": ("! quorum", "warn"),
    "lost": ("✗ no quorum", "bad"),
}


class FigureView(msgspec.Struct, frozen=True):
    """One figure: words that say it all, and the digits of it."""

    label: str = ""
    digits: str = NONE
    tone: Tone = "muted"
    changed: bool = False


def figure_views(board: Board, changed: frozenset[str]) -> dict[str, FigureView]:
    """The figures of etcd by their names."""
    quorum = board.get(QuorumRow, "quorum")
    return {
        "leader": _leader(quorum, "leader" in changed),
        "term": _term(quorum, "term" in changed),
        "quorum": _quorum(quorum, "quorum" in changed),
        "gap": _gap(board, "writes" in changed),
    }


def _leader(quorum: QuorumRow | None, changed: bool) -> FigureView:
    if quorum is None or quorum.state == "none":
        return FigureView("no cluster yet")
    if not quorum.leader:
        return FigureView("✗ no leader", tone="bad", changed=changed)
    number = re.search(r"\d+$", quorum.leader)
    said = "new leader" if changed else "leader"
    tone: Tone = "accent" if quorum.fresh else "muted"
    return FigureView(f"★ {said} {clean(quorum.leader)}", number[0] if number else NONE, tone, changed)


def _term(quorum: QuorumRow | None, changed: bool) -> FigureView:
    if quorum is None or not quorum.term:
        return FigureView("term")
    return FigureView("term", str(quorum.term), "strong" if quorum.fresh else "muted", changed)


def _quorum(quorum: QuorumRow | None, changed: bool) -> FigureView:
    if quorum is None or quorum.state == "none":
        return FigureView("quorum")
    digits = f"{quorum.reachable}/{quorum.voters}"
    if not quorum.fresh:
        return FigureView(f"{marks.STALE.both}: reached / voters", digits, "warn", changed)
    words, tone = WORDS.get(quorum.state, WORDS["healthy"])
    return FigureView(f"{words} {quorum.reachable} of {quorum.voters}", digits, tone, changed)


def _gap(board: Board, changed: bool) -> FigureView:
    """The outage that lasts, or the last one, in seconds."""
    row = board.get(CanaryRow, "canary/etcd")
    if row is None or not row.acknowledged:
        return FigureView("no writes yet")
    seconds = row.gap_ms / 1000
    digits = f"{seconds:.2f}" if seconds < 100 else f"{seconds:.0f}"
    if row.state == "failing":
        return FigureView("✗ no writes, seconds", digits, "bad", changed)
    if row.gap_ms > 0:
        return FigureView("! last gap, seconds", digits, "warn", changed)
    return FigureView("● no gap, seconds", "0", "good", changed)


def label_line(view: FigureView, width: int) -> Line:
    """The words above the digits."""
    return fit((Span(CHANGED if view.changed else "  ", "accent"), Span(view.label, view.tone)), width)
