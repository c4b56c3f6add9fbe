"""The drawer: all about one thing, beside the panes, live; from there to what belongs to it and to its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from rwk_tui.board.board import Board
from rwk_tui.cockpit.contact import Contact
from rwk_tui.cockpit.details.pages import kind_of, page_of, unit_of
from rwk_tui.cockpit.panes.picks import Picks
from rwk_tui.cockpit.panes.stack import Stack
from rwk_tui.cockpit.screens.dialog import HERE, Dialog
from rwk_tui.cockpit.text import Line, Tone, line

GONE: Line = line(("∅ it is there no more · these are its last values", "warn"))
HINTS = ("↑↓ pick · Enter opens · ←→ next · l log · Esc back", "↑↓ ←→ Enter · l log · Esc back")


class DetailSheet(Picks):
    """A page of details; remembers the last one of a thing that is gone."""

    def __init__(self, board: Board, thing: str, now: float, old: Callable[[], str]) -> None:
        """`old` says how the stream is, if nothing is live ("" if it is)."""
        super().__init__(id="page", classes="sheet")
        self._old = old
        self._board = board
        self._now = now
        self._last: tuple[str, Stack] = ("", Stack())
        self.thing = thing
        self.title = ""

    def tell(self, board: Board, now: float) -> None:
        """The board, or merely the time, is another one."""
        self._board, self._now = board, now
        self.repaint()

    def turn_to(self, thing: str, *, picked: str = "") -> None:
        """Show another thing."""
        self.thing = thing
        self._picked, self._place = picked, 0
        self.repaint()
        if picked:
            self.pick(picked)
        else:
            self.scroll_to(y=0, animate=False)

    def page_lines(self, thing: str) -> Stack | None:
        """What the page of another thing shows, None if that is gone."""
        page = page_of(self._board, thing, self._now, max(1, self.room.width - self.GUTTER))
        return page.lines if page is not None else None

    def lines_for(self, width: int) -> Sequence[Line]:
        """The page as it is now, or was last."""
        page, old = page_of(self._board, self.thing, self._now, width), self._old()
        above = [line((f"{old} · what follows is old", "warn")), ()] if old else []
        if page is None:
            thing, lines = self._last
            self.paint_as(faded=True)
            return Stack([*above, GONE, ()], *(lines.blocks if thing == self.thing else ()))
        self._last = (self.thing, page.lines)
        self.title = page.title
        self.paint_as(faded=page.stale or bool(old))
        return Stack(above, *page.lines.blocks)


class Drawer(Dialog[None]):
    """Opened on the thing that is picked in a pane; takes the pane's cursor along."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [HERE / "base.tcss", HERE / "drawer.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "close", "close", show=False),
        Binding("left", "beside(-1)", "previous", show=False, priority=True),
        Binding("right", "beside(1)", "next", show=False, priority=True),
        Binding("l", "log", "log", show=False),
    ]

    def __init__(self, sheet: DetailSheet, pane: Picks, open_log: Callable[[str], None] | None) -> None:
        super().__init__()
        self._pane = pane
        self._open_log = open_log
        self._trail = [sheet.thing]
        self._titles: list[str] = [""]
        self._sheet = sheet

    def compose(self) -> ComposeResult:
        """One sheet."""
        with Vertical(classes="box"):
            yield self._sheet

    def on_mount(self) -> None:
        """Show the thing."""
        self._sheet.focus()
        self.call_after_refresh(self._entitle)

    def on_resize(self) -> None:
        """Titles are as long as there is room."""
        self.call_after_refresh(self._entitle)

    def stream_mark(self, contact: Contact, now: float) -> tuple[str, Tone]:
        """A recording, as in all titles; of all else the page itself says that it is old."""
        return super().stream_mark(contact, now) if contact.state == "tape" else ("", "plain")

    def board_changed(self, board: Board, now: float) -> None:
        """The thing may be another one by now."""
        if self.is_mounted:
            self._sheet.tell(board, now)
            self._entitle()

    def on_picks_opened(self, message: Picks.Opened) -> None:
        """Go on to what belongs to the thing."""
        message.stop()
        if message.thing == self._sheet.thing:
            return
        self._trail.append(message.thing)
        self._titles.append("")
        self._show()

    def action_beside(self, by: int) -> None:
        """Go to the next thing of its sort, in the order in which they are listed where this one was found."""
        thing = self._trail[-1]
        alike = [key for key in self._listed() if kind_of(key) == kind_of(thing)]
        if not alike:
            return
        at = alike.index(thing) + by if thing in alike else 0
        self._trail[-1] = alike[at % len(alike)]
        if len(self._trail) == 1:
            self._pane.pick(self._trail[-1])
        self._show()

    def _listed(self) -> Sequence[str]:
        """The things of the page, or of the pane, from which this one was opened."""
        if len(self._trail) == 1:
            return self._pane.things
        lines = self._sheet.page_lines(self._trail[-2])
        return list(lines.things()) if lines is not None else ()

    def action_log(self) -> None:
        """Follow what the picked unit writes, or the one that belongs to the thing."""
        unit = unit_of(self._sheet.picked) or unit_of(self._sheet.thing)
        if unit and self._open_log is not None:
            self._open_log(unit)

    def action_leave(self) -> None:
        """Back to where this thing was found."""
        if len(self._trail) == 1:
            self.dismiss(None)
            return
        left = self._trail.pop()
        self._titles.pop()
        self._show(picked=left)

    def action_close(self) -> None:
        """Back to the panes at once."""
        self.dismiss(None)

    def on_click(self, event: events.Click) -> None:
        """A click beside the drawer closes it."""
        if event.widget is self:
            self.dismiss(None)

    def _show(self, *, picked: str = "") -> None:
        self._sheet.turn_to(self._trail[-1], picked=picked)
        self._entitle()

    def _entitle(self) -> None:
        """What is shown, and by which way it was reached."""
        self._titles[-1] = self._sheet.title
        box = self._sheet.parent
        if not isinstance(box, Vertical):
            return
        room = box.outer_size.width - 6
        titles = (" › ".join(self._titles), f"… › {self._titles[-1]}")
        title = next((text for text in titles if len(text) <= room - self.mark_width), self._titles[-1])
        hints = HINTS if self._open_log is not None else [hint.replace(" · l log", "") for hint in HINTS]
        self.entitle(title, next((hint for hint in hints if len(hint) <= room), ""))
