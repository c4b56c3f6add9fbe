"""What is painted: every piece of text in sight, with its colour and its ground, as the terminal gets them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.color import Color, ColorType
from textual.app import App
from textual.content import Content

DRAWN = frozenset(chr(code) for code in (*range(0x2500, 0x25A0), 0x20))
"""Lines and blocks that frames and scrollbars are made of: no text."""

BOXES = ".box, CommandInput, SearchIcon, CommandList"
"""What lies above the veil of a dialog."""


def texts_in(app: App[Any]) -> Iterator[tuple[str, str, str]]:
    """Text, colour and ground of everything in sight that is not behind a dialog's veil."""
    boxes = [widget.region for widget in app.screen.query(BOXES)] if len(app.screen_stack) > 1 else []
    for y, strip in enumerate(app.screen._compositor.render_strips()):
        x = 0
        for text, style, _ in strip:
            at, x = x, x + len(text)
            if set(text) <= DRAWN or style is None or style.color is None or style.bgcolor is None:
                continue
            if boxes and not any(box.contains(at, y) for box in boxes):
                continue
            yield text, _hex(style.color), _hex(style.bgcolor)


def title_of(app: App[Any]) -> str:
    """What stands on the upper edge of the open dialog's box."""
    return Content.from_markup(app.screen.query_one(".box").border_title or "").plain


def _hex(colour: Color) -> str:
    assert colour.type is ColorType.TRUECOLOR and colour.triplet is not None
    return colour.triplet.hex
