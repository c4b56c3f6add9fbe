"""What the cockpit and the speaker notes have in common: colours of ours, or of the user's own."""

from __future__ import annotations

from textual.app import App

from rwk_tui.cockpit import themes
from rwk_tui.cockpit.palettes import PALETTES, Palette


class ThemedApp(App[None]):
    """An app in one of our themes."""

    def __init__(self, theme: str, palette: Palette | None) -> None:
        """Begin with the palette of the user's own, or with the theme of that name."""
        super().__init__()
        chosen = palette or PALETTES.get(theme, PALETTES["dark"])
        self._themes = themes.themes_with(chosen)
        for known in self._themes:
            self.register_theme(known)
        # Set before anything is painted: a change of theme later costs another pass over every widget.
        self.set_reactive(App.theme, themes.theme_name(chosen.name))
        self.stylesheet.set_variables(self.get_css_variables())

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our colours exist in textual's own themes too."""
        return themes.DEFAULTS

    def next_theme(self) -> None:
        """The next of our themes."""
        names = [theme.name for theme in self._themes]
        at = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at + 1) % len(names)]
