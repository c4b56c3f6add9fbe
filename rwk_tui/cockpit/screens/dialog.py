"""What all dialogs have in common: a box in the middle, Esc leaves, and they hear when the board changes.

Most of them lie over the bars that say how the stream is, so their titles say it: a recording is never taken for a live
lab, nor is what is old.
"""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Any, ClassVar, TypeVar

from rich.cells import cell_len
from rich.style import Style as RichStyle
from textual import events
from textual._styles_cache import StylesCache
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen
from textual.style import Style

from rwk_tui.board.board import Board
from rwk_tui.cockpit.contact import Contact
from rwk_tui.cockpit.panes.tones import tone_styles
from rwk_tui.cockpit.screens.backdrop import Backdrop
from rwk_tui.cockpit.text import Tone, clean
from rwk_tui.cockpit.views.bars import liveness

HERE = Path(__file__).parent
Result = TypeVar("Result")
BETWEEN = " · "


class Dialog(ModalScreen[Result]):
    """A box above the main screen."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [HERE / "base.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c,ctrl+q", "leave", "close", show=False)]

    _mark: str = ""
    _mark_style: RichStyle = RichStyle.null()
    _words: tuple[str, str] = ("", "")

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

    def stream_mark(self, contact: Contact, now: float) -> tuple[str, Tone]:
        """What the title says of the stream, "" where all is live or where the dialog does not hide it."""
        if contact.state != "tape" and contact.is_live(now):
            return "", "plain"
        return liveness(contact, now)

    def contact_is(self, contact: Contact, now: float) -> None:
        """How the stream is: told before the dialog is seen, and whenever the board is."""
        mark, tone = self.stream_mark(contact, now)
        style = tone_styles(self.app.current_theme, faded=False)[tone]
        if (mark, style) != (self._mark, self._mark_style):
            self._mark, self._mark_style = mark, style
            self._put_title()

    def board_changed(self, board: Board, now: float) -> None:
        """The board is another one; dialogs that show something of it update."""

    def entitle(self, title: str, hint: str) -> None:
        """Put title and key hints on the box's border, as they are."""
        if (title, hint) != self._words:
            self._words = title, hint
            self._put_title()

    @property
    def mark_width(self) -> int:
        """The cells that the mark takes of the title."""
        return cell_len(self._mark + BETWEEN) if self._mark else 0

    def _put_title(self) -> None:
        title, hint = self._words
        mark = Content.styled(self._mark, Style.from_rich_style(self._mark_style))
        for box in self.query(".box"):
            box.border_title = Content.assemble(mark, BETWEEN if self._mark else "", clean(title))
            box.border_subtitle = Content(clean(hint))
