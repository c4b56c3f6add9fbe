"""The screen of the speaker notes: the step that is shown, the one after it, and bars around them."""

from __future__ import annotations

from pathlib import Path

from textual.app import ComposeResult
from textual.screen import Screen

from rwk_tui.board.board import Board
from rwk_tui.cockpit.contact import Contact
from rwk_tui.cockpit.keymap import KeyMap
from rwk_tui.cockpit.notes_actions import notes_offered, notes_valid
from rwk_tui.cockpit.panes.pane import Bar, Pane
from rwk_tui.cockpit.situation import situation_of
from rwk_tui.cockpit.talk_timer import TalkTimer
from rwk_tui.cockpit.views import notes, notes_bars
from rwk_tui.cockpit.views.state import state_line, state_view

NOTES_CSS = Path(__file__).parent / "notes.tcss"


class NotesScreen(Screen[None]):
    """Paints boards for the presenter alone."""

    AUTO_FOCUS = "#now"

    def __init__(self, *, read_only: bool, keys: KeyMap) -> None:
        super().__init__()
        self._read_only = read_only
        self._keys = keys
        self._at: tuple[str, int] = ("", -1)

    def compose(self) -> ComposeResult:
        """Bars and the two steps, top to bottom."""
        yield Bar("header", notes_bars.notes_header_line)
        yield Bar("state", state_line)
        yield Pane("now", notes.now_lines)
        yield Pane("then", notes.then_lines)
        yield Bar("word", notes_bars.word_line)
        yield Bar("footer", notes_bars.keys_line)

    def show(
        self, board: Board, contact: Contact, now: float, timer: TalkTimer, refusal: notes_bars.Refusal | None
    ) -> None:
        """Paint the board; whatever did not change costs a comparison."""
        valid = notes_valid(situation_of(board, contact), read_only=self._read_only)
        with self.app.batch_update():
            self._bar("header", notes_bars.notes_header(board, contact, now, timer, read_only=self._read_only))
            self._bar("state", state_view(board))
            self.query_one("#now", Pane).show(notes.now_view(board, self._keys))
            self.query_one("#then", Pane).show(notes.then_view(board))
            self._bar("word", notes_bars.word_view(board, contact, now, refusal))
            self._bar("footer", notes_bars.KeysView(notes_offered(read_only=self._read_only), valid, self._keys))
            old = contact.state != "starting" and not contact.is_live(now)
            for lines in (*self.query(Pane), self.query_one("#state", Bar)):
                lines.paint_as(faded=old)
        at = (board.story.chapter, board.story.step)
        if at != self._at:  # Another step is read from its beginning.
            self._at = at
            for pane in self.query(Pane):
                pane.scroll_home(animate=False)

    def _bar(self, name: str, view: object) -> None:
        self.query_one(f"#{name}", Bar).show(view)
