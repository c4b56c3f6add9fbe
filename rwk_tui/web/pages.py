"""The pages: one with the terminal in it, one that says that there is no more room. Both are whole in themselves."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from string import Template

SMALLEST, USUAL, LARGEST = 6, 16, 60
"""Pixels of a letter."""


def view_page(host: str, size: str | None) -> str:
    """The page with the terminal, for a browser that knows us as `host`."""
    return _page("view.html").substitute(socket=escape(f"ws://{host}/ws"), size=letter_size(size))


def full_page(visitors: int) -> str:
    """The page for whoever comes when all places are taken; it tries again by itself."""
    return _page("full.html").substitute(visitors=visitors)


def letter_size(asked: str | None) -> int:
    """The size that `?fontsize=` asks for, if it is one that can be read."""
    if asked is None or not asked.isascii() or not asked.isdigit() or len(asked) > 4:
        return USUAL
    return max(SMALLEST, min(int(asked), LARGEST))


def _page(name: str) -> Template:
    return Template(files("rwk_tui.web").joinpath(name).read_text("utf-8"))
