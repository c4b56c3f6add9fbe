"""The glyph, word and tone of every state: one table, so that panes, timeline and legend say the same."""

from __future__ import annotations

from typing import Literal, NamedTuple

from rwk_tui.board.card_row import Verdict
from rwk_tui.board.frames import Level, StepStatus
from rwk_tui.board.kube_rows import ApiState, EngineState, KubeState, NodeState, PodRow, PodState
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
    "known": Mark("†", "known", "warn"),
    "skipped": Mark("»", "skipped", "warn"),
}

LEVEL: dict[Level, Mark] = {
    "info": Mark("·", "", "plain"),
    "good": Mark("✓", "", "good"),
    "warning": Mark("!", "", "warn"),
    "bad": Mark("✗", "", "bad"),
}

KIND: dict[str, str] = {
    "election": "★",
    "leader": "★",
    "fault": "↯",
    "effect": "∴",
    "evidence": "›",
    "heal": "+",
    "outage": "▃",
    "lost": "✗",
    "card": "≡",
    "violated": "✗",
    "known": "†",
}
"""Glyphs of events whose kind says more than their level."""

VERDICT: dict[Verdict, Mark] = {
    "holds": Mark("✓", "holds", "good"),
    "violated": Mark("✗", "violated", "bad"),
    "not well": Mark("!", "not well", "warn"),
    "known": Mark("†", "known", "warn"),
    "not checked": Mark("○", "not checked", "muted"),
}
"""How a report card, or an invariant of one, is shown."""

KUBE: dict[KubeState, Mark] = {
    "none": Mark("○", "none", "muted"),
    "starting": Mark("△", "starting", "warn"),
    "ready": Mark("●", "ready", "good"),
    "unready": Mark("!", "unready", "bad"),
    "unreachable": Mark("✗", "unreachable", "bad"),
}

API: dict[ApiState, Mark] = {
    "ready": Mark("●", "ready", "good"),
    "unready": Mark("!", "unready", "bad"),
    "down": Mark("✗", "down", "bad"),
}

NODE: dict[NodeState, Mark] = {
    "ready": Mark("●", "ready", "good"),
    "not ready": Mark("✗", "not ready", "bad"),
    "unknown": Mark("?", "unknown", "bad"),
}
CORDONED = Mark("⊘", "cordoned", "warn")

Cell = Literal[PodState, "not ready"]
POD: dict[Cell, Mark] = {
    "running": Mark("■", "running", "good"),
    "not ready": Mark("▣", "not ready", "warn"),
    "starting": Mark("◧", "starting", "accent"),
    "pending": Mark("◫", "pending", "warn"),
    "terminating": Mark("□", "terminating", "warn"),
    "failed": Mark("✗", "failed", "bad"),
    "succeeded": Mark("✓", "succeeded", "muted"),
}
"""In the order in which they are drawn; a running pod that is not ready, as on a lost node, serves nobody."""


def cell_of(pod: PodRow) -> Cell:
    """How a pod is drawn."""
    return "not ready" if pod.state == "running" and not pod.ready else pod.state


ENGINE: dict[EngineState, Mark] = {
    "ready": Mark("●", "installed", "good"),
    "missing": Mark("○", "not installed", "muted"),
    "installing": Mark("△", "installing", "accent"),
    "failed": Mark("✗", "install failed", "bad"),
}

WHOLE = Mark("✓", "all ready", "good")
PARTLY = Mark("◧", "some not ready", "warn")
LEASE = Mark("★", "holds the lease", "accent")
LAPSED = Mark("✗", "lapsed", "bad")
LEADER = Mark("★", "leader", "accent")
STALE = Mark("‖", "stale", "warn")


def was(mark: Mark) -> Mark:
    """A state that is no longer known to last."""
    return Mark(STALE.glyph, f"was {mark.word}", "muted")


CUT = Mark("≠", "cut off", "bad")
SLOW = Mark("≈", "slow or lossy link", "warn")
LIVE = Mark("●", "live", "good")
LOST = Mark("✗", "lost", "bad")
FAULT = Mark("↯", "fault", "bad")

LEGEND: tuple[tuple[str, tuple[Mark, ...]], ...] = (
    ("machine", tuple(POWER.values())),
    ("unit", tuple(UNIT.values())),
    ("member", (LEADER, *HEALTH.values())),
    ("API server", tuple(API.values())),
    ("node", (*NODE.values(), CORDONED)),
    ("pod", tuple(POD.values())),
    ("deployment", (WHOLE, PARTLY)),
    ("lease", (LEASE, LAPSED)),
    ("link", (CUT, SLOW)),
    ("step", tuple(STEP.values())),
    ("report card", tuple(VERDICT.values())),
    ("value", (STALE,)),
    ("screen", (LIVE, STALE, LOST)),
)
