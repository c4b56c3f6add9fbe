"""Palettes as themes of textual: their colours by name for the style sheets, and what is painted without those."""

from __future__ import annotations

from textual.theme import Theme

from rwk_tui.cockpit.palettes import PALETTES, Palette


def theme_name(name: str) -> str:
    """The name under which textual knows our theme."""
    return f"rwk-{name}"


class CockpitTheme(Theme):
    """A theme that knows its palette; each is itself and no other, so that things can be kept for it."""

    def __init__(self, palette: Palette) -> None:
        colour = palette.colours
        super().__init__(
            name=theme_name(palette.name),
            primary=colour["accent"],
            secondary=colour["code"],
            accent=colour["accent"],
            foreground=colour["text"],
            background=colour["ground"],
            surface=colour["ground"],
            panel=colour["raised"],
            success=colour["good"],
            warning=colour["warn"],
            error=colour["bad"],
            dark=palette.dark,
            text_alpha=1.0,
            variables={f"rwk-{key}": value for key, value in colour.items()},
        )
        self.palette = palette

    __hash__ = object.__hash__
    __eq__ = object.__eq__


THEMES = tuple(CockpitTheme(palette) for palette in PALETTES.values())
DEFAULTS = THEMES[0].variables


def themes_with(palette: Palette) -> tuple[CockpitTheme, ...]:
    """Our themes, with that of the palette before them where it is none of ours."""
    ours = palette.name in PALETTES
    return THEMES if ours else (CockpitTheme(palette), *THEMES)
