"""A figure with its words above it, three lines high; an equal view costs a comparison."""

from __future__ import annotations

from typing import get_args

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Digits

from rwk_tui.cockpit.panes.pane import Bar
from rwk_tui.cockpit.text import Tone
from rwk_tui.cockpit.views.figures import FigureView, label_line


class Figure(Vertical):
    """One figure by its name; its colour and whether it changed are classes, for the style sheet."""

    def __init__(self, name: str) -> None:
        super().__init__(id=name, classes="figure")
        self._view: FigureView | None = None

    def compose(self) -> ComposeResult:
        """Words, then digits."""
        yield Bar(f"{self.id}-label", label_line)
        yield Digits()

    def show(self, view: FigureView) -> None:
        """Show a view."""
        if view == self._view:
            return
        self._view = view
        self.query_one(Bar).show(view)
        self.query_one(Digits).update(view.digits)
        for tone in get_args(Tone):
            self.set_class(tone == view.tone, f"-{tone}")
        self.set_class(view.changed, "-changed")
