"""Tones as terminal styles: worked out once a theme, so that a widget needs no style sheet entry for each."""

from __future__ import annotations

from functools import lru_cache
from typing import get_args

from rich.style import Style
from textual.theme import Theme

from rwk_tui.cockpit.text import FADED, Tone
from rwk_tui.cockpit.themes import THEMES, CockpitTheme

BOLD: frozenset[Tone] = frozenset({"strong", "bad", "key", "cursor", "replay"})
GROUNDS: dict[Tone, str] = {"cursor": "cursor", "replay": "replay"}
COLOURS: dict[Tone, str] = {"plain": "text", "key": "accent", "cursor": "on-cursor", "replay": "on-replay"}


def tone_styles(theme: Theme, faded: bool) -> dict[Tone, Style]:
    """The style of every tone in a theme; in one that is not ours, as in our first."""
    return _styles(theme if isinstance(theme, CockpitTheme) else THEMES[0], faded)


@lru_cache(maxsize=8)
def _styles(theme: CockpitTheme, faded: bool) -> dict[Tone, Style]:
    colours = theme.palette.colours
    styles: dict[Tone, Style] = {}
    for tone in get_args(Tone):
        shown: Tone = FADED.get(tone, tone) if faded else tone
        styles[tone] = Style(
            color=colours[COLOURS.get(shown, shown)],
            bgcolor=colours[GROUNDS[shown]] if shown in GROUNDS else None,
            bold=shown in BOLD or None,
            underline=True if shown == "key" else None,
        )
    return styles
