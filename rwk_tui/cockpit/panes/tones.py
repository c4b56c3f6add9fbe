"""Tones as terminal styles: worked out once a theme, so that a widget needs no style sheet entry for each."""

from __future__ import annotations

from functools import lru_cache
from typing import get_args

from rich.style import Style

from rwk_tui.cockpit.text import FADED, Tone
from rwk_tui.cockpit.themes import NAMES, PALETTE

BOLD: frozenset[Tone] = frozenset({"strong", "bad", "key", "cursor"})
COLOURS: dict[Tone, str] = {"plain": "text", "key": "accent", "cursor": "on-cursor"}


@lru_cache(maxsize=8)
def tone_styles(theme: str, faded: bool) -> dict[Tone, Style]:
    """The style of every tone in a theme (by textual's name for it)."""
    names = [f"rwk-{name}" for name in NAMES]
    number = names.index(theme) if theme in names else 0
    styles: dict[Tone, Style] = {}
    for tone in get_args(Tone):
        shown: Tone = FADED.get(tone, tone) if faded else tone
        styles[tone] = Style(
            color=PALETTE[COLOURS.get(shown, shown)][number],
            bgcolor=PALETTE["cursor"][number] if shown == "cursor" else None,
            bold=shown in BOLD or None,
            underline=True if shown == "key" else None,
        )
    return styles
