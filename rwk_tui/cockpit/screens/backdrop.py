"""What is seen beside a dialog: the main screen, dimmed. Textual's own dims every piece of text at each refresh."""

from __future__ import annotations

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.color import Color
from textual.css.styles import RulesMap
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import Screen
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual


class Backdrop(Visual):
    """The screen below in `color`, which lets some of it through."""

    def __init__(self, below: Screen[object], color: Color) -> None:
        self._below = below
        self._color = color

    def render_strips(self, width: int, height: int | None, style: Style, options: RenderOptions) -> list[Strip]:
        """The lines of the screen below."""
        base, color = style.rich_style, self._color
        return [
            Strip([Segment(text, dimmed(painted, base, color)) for text, painted, _ in strip], strip.cell_length)
            for strip in self._below._compositor.render_strips()
        ][:height]

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        """All there is."""
        return container_width

    def get_height(self, rules: RulesMap, width: int) -> int:
        """All there is."""
        return self._below.size.height


@lru_cache(maxsize=512)
def dimmed(style: RichStyle | None, base: RichStyle, color: Color) -> RichStyle:
    """The style behind a veil, and no longer clickable; a screen has few styles, so each is worked out once."""
    veiled = next(iter(BackgroundScreen.process_segments([Segment("", style)], color)))
    return base + veiled.style
