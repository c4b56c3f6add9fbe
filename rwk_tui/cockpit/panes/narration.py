"""The narration of present mode: placed in the middle of whatever room there is."""

from __future__ import annotations

from collections.abc import Sequence

from rwk_tui.cockpit.panes.lines import Lines
from rwk_tui.cockpit.text import Line
from rwk_tui.cockpit.views.present import NarrationView, narration_lines


class Narration(Lines):
    """What the presenter tells; it scrolls where it is longer than the screen, and each step is read from its top."""

    def __init__(self) -> None:
        super().__init__(id="narration")
        self._view: NarrationView | None = None

    def show(self, view: NarrationView) -> None:
        """Show a view; an equal one costs a comparison."""
        if view == self._view:
            return
        another = self._view is None or view.title != self._view.title
        self._view = view
        self.repaint()
        if another:
            self.scroll_home(animate=False)

    def lines_for(self, width: int) -> Sequence[Line]:
        """The view as lines."""
        return () if self._view is None else narration_lines(self._view, width, self.room.height)
