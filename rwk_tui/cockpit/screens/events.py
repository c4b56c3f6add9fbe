"""The timeline on the whole screen."""

from __future__ import annotations

from pathlib import PurePath
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from rwk_tui.board.board import Board
from rwk_tui.cockpit.screens.dialog import HERE, Dialog
from rwk_tui.cockpit.screens.sheet import Sheet
from rwk_tui.cockpit.views.timeline import TimelineView, timeline_lines, timeline_view


class EventsScreen(Dialog[None]):
    """Everything that happened, newest first, as long as the board remembers it."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [HERE / "base.tcss", HERE / "events.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("e", "leave", "close", show=False)]

    def __init__(self, board: Board) -> None:
        super().__init__()
        self._view: TimelineView = timeline_view(board, 0.0)

    def compose(self) -> ComposeResult:
        """One long sheet."""
        with Vertical(classes="box"):
            yield Sheet(id="sheet")

    def on_mount(self) -> None:
        """Show what there is."""
        self.entitle("Timeline", "newest first · ↑↓ scroll · Esc closes")
        sheet = self.query_one("#sheet", Sheet)
        sheet.set(lambda width: timeline_lines(self._view, width))
        sheet.focus()

    def board_changed(self, board: Board, now: float) -> None:
        """Something may have happened."""
        view = timeline_view(board, now)
        if view != self._view and self.is_mounted:
            self._view = view
            self.query_one("#sheet", Sheet).repaint()
