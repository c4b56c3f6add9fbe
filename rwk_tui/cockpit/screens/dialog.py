"""What all dialogs have in common: a box in the middle, Esc leaves, and they hear when the board changes."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Any, ClassVar, TypeVar

from textual import events
from textual._styles_cache import StylesCache
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen
from textual.widget import Widget

from rwk_tui.board.board import Board
from rwk_tui.cockpit.screens.backdrop import Backdrop

HERE = Path(__file__).parent
Result = TypeVar("Result")


class Dialog(ModalScreen[Result]):
    """A box above the main screen."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [HERE / "base.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c,ctrl+q", "leave", "close", show=False)]

    def render(self) -> Any:  # A visual is fine for every widget, though the type of Screen.render does not say so.
        """The main screen behind the box, dimmed."""
        behind = super().render()
        return Backdrop(behind.screen, behind.color) if isinstance(behind, BackgroundScreen) else behind

    def on_unmount(self) -> None:
        """Let go of what was painted: a cache of textual's would keep the lines of hundreds of closed dialogs."""
        StylesCache.get_inner_outer.cache_clear()

    def on_key(self, event: events.Key) -> None:
        """A key that means nothing here must not reach what the next key, typed in a hurry, uncovers."""
        if event.key not in self.active_bindings:
            event.stop()

    def action_leave(self) -> None:
        """Close without an answer."""
        self.dismiss(None)

    def board_changed(self, board: Board, now: float) -> None:
        """The board is another one; dialogs that show something of it update."""


def entitle(box: Widget, title: str, hint: str) -> None:
    """Put title and key hints on a box's border, as they are."""
    box.border_title = Content(title)
    box.border_subtitle = Content(hint)
