"""What all dialogs have in common: a box in the middle, Esc leaves, and they hear when the board changes."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget

from rwk_tui.board.board import Board

HERE = Path(__file__).parent
Result = TypeVar("Result")


class Dialog(ModalScreen[Result]):
    """A box above the main screen."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [HERE / "base.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "close", show=False)]

    def action_leave(self) -> None:
        """Close without an answer."""
        self.dismiss(None)

    def board_changed(self, board: Board, now: float) -> None:
        """The board is another one; dialogs that show something of it update."""


def entitle(box: Widget, title: str, hint: str) -> None:
    """Put title and key hints on a box's border, as they are."""
    box.border_title = Content(title)
    box.border_subtitle = Content(hint)
