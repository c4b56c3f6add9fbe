"""The glyph, word and tone of every state: one table, so that panes, timeline and legend say the same."""

from __future__ import annotations

from typing import NamedTuple

from rwk_tui.board.frames import Level, StepStatus
from rwk_tui.board.rows import Health, Power, UnitState
from rwk_tui.cockpit.text import Span, Tone


class Mark(NamedTuple):
    """How one state is shown: never by colour alone, so a glyph and a word come with the tone."""

    glyph: str
    word: str
    tone: Tone

    @property
    def both(self) -> str:
        """Glyph and word."""
        return f"{self.glyph} {self.word}"

    def span(self, more: str = "") -> Span:
        """Glyph, word and what follows them, in the tone."""
        return Span(self.both + more, self.tone)


POWER: dict[Power, Mark] = {
    "up": Mark("▲", "up", "good"),
    "starting": Mark("△", "starting", "warn"),
    "stopping": Mark("▽", "stopping", "warn"),
    "halted": Mark("✗", "halted", "bad"),
    "off": Mark("↯", "power cut", "bad"),
    "gone": Mark("∅", "gone", "bad"),
}

UNIT: dict[UnitState, Mark] = {
    "running": Mark("●", "running", "good"),
    "stopped": Mark("○", "stopped", "muted"),
    "failed": Mark("✗", "failed", "bad"),
    "paused": Mark("‖", "paused", "warn"),
}

HEALTH: dict[Health, Mark] = {
    "healthy": Mark("●", "healthy", "good"),
    "no leader": Mark("?", "no leader", "bad"),
    "down": Mark("✗", "down", "bad"),
    "unstarted": Mark("○", "not started", "warn"),
}

STEP: dict[StepStatus, Mark] = {
    "waiting": Mark("○", "next", "muted"),
    "running": Mark("▶", "running", "accent"),
    "passed": Mark("✓", "passed", "good"),
    "failed": Mark("✗", "failed", "bad"),
    "skipped": Mark("»", "skipped", "warn"),
}

LEVEL: dict[Level, Mark] = {
    "info": Mark("·", "", "plain"),
    "good": Mark("✓", "", "good"),
    "warning": Mark("!", "", "warn"),
    "bad": Mark("✗", "", "bad"),
}

KIND: dict[str, str] = {"election": "★", "leader": "★", "fault": "↯", "heal": "+", "outage": "▃", "lost": "✗"}
"""Glyphs of events whose kind says more than their level."""

LEADER = Mark("★", "leader", "accent")
STALE = Mark("‖", "stale", "warn")
CUT = Mark("≠", "cut off", "bad")
LIVE = Mark("●", "live", "good")
LOST = Mark("✗", "lost", "bad")
FAULT = Mark("↯", "fault", "bad")

LEGEND: tuple[tuple[str, tuple[Mark, ...]], ...] = (
    ("machine", tuple(POWER.values())),
    ("unit", tuple(UNIT.values())),
    ("member", (LEADER, *HEALTH.values())),
    ("step", tuple(STEP.values())),
    ("value", (STALE, CUT)),
    ("screen", (LIVE, STALE, LOST)),
)
