"""What a unit writes: pick it at the left, follow and search it at the right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from rwk_tui.board.board import Board
from rwk_tui.board.rows import LabRow, UnitRow
from rwk_tui.board.wording import count
from rwk_tui.cockpit import marks
from rwk_tui.cockpit.contact import Contact
from rwk_tui.cockpit.panes.log_view import LogState, LogView
from rwk_tui.cockpit.panes.menu import Item, Menu
from rwk_tui.cockpit.screens.dialog import HERE, Dialog
from rwk_tui.daemon.protocol import AnyCommand, LogLines, Logs


def unit_items(board: Board) -> tuple[Item, ...]:
    """The units there are."""
    return tuple(
        Item(id=f"{row.machine}/{row.unit}", label=f"{marks.UNIT[row.state].glyph} {row.machine} {row.unit}")
        for row in board.rows(UnitRow)
    )


def _is_open(board: Board) -> bool:
    """Whether the lab is in a phase in which a unit may be asked for."""
    lab = board.get(LabRow, "lab")
    return lab is not None and lab.state in ("ready", "choose")


class LogsScreen(Dialog[None]):
    """Asks the daemon for the unit under the cursor, and for none when it is closed."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [HERE / "base.tcss", HERE / "logs.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "leave", "close", show=False),
        Binding("left", "shift(-20)", "left", show=False),
        Binding("right", "shift(20)", "right", show=False),
        Binding("slash", "search", "search", show=False),
        Binding("n", "hit(-1)", "older", show=False),
        Binding("N", "hit(1)", "newer", show=False),
        Binding("f", "follow", "follow", show=False),
    ]

    def __init__(self, board: Board, send: Callable[[AnyCommand], None], *, at: str = "") -> None:
        """`at` is the unit to begin with ("core-01/etcd"), "" for the first."""
        super().__init__()
        self._at = at
        self._items = unit_items(board)
        self._send = send
        self._unit = ""
        self._asked = False
        self._talks_since: float | None = None
        self._live = False
        self._open = _is_open(board)
        self._state = LogState()

    def compose(self) -> ComposeResult:
        """Units and lines."""
        with Vertical(classes="box"), Horizontal():
            yield Menu(id="units")
            with Vertical():
                yield LogView(id="log")
                yield Input(placeholder="search: letters of the line", id="search", compact=True)

    def on_mount(self) -> None:
        """Follow the unit to begin with."""
        self._search.display = False
        self._entitle()
        units = self.query_one("#units", Menu)
        units.set_items(self._items, at=self._at)
        units.focus()

    def on_unmount(self) -> None:
        """Follow no more."""
        self._send(Logs())

    def on_menu_moved(self, message: Menu.Moved) -> None:
        """Follow the unit under the cursor."""
        item = message.menu.item
        if item is None or item.id == self._unit:
            return
        self._unit = item.id
        self._log.clear()
        self._asked = False
        self._entitle()
        self._ask()

    def _ask(self) -> None:
        """Ask for the unit, where that was not done yet and somebody is there who would not refuse it."""
        if not self._unit or self._asked or self._talks_since is None or not self._open:
            return
        self._asked = True
        self._log.clear()  # What comes begins with lines that may be here already.
        machine, _, unit = self._unit.partition("/")
        self._send(Logs(machine=machine, unit=unit))

    def contact_is(self, contact: Contact, now: float) -> None:
        """A contact that was made anew knows nothing of what the one before was asked."""
        super().contact_is(contact, now)
        since = contact.since if contact.state in ("live", "viewing") else None
        live = contact.is_live(now)
        if since != self._talks_since:
            self._talks_since, self._asked = since, False
        if live != self._live:
            self._live = live
            if self.is_mounted:
                self._entitle()

    @property
    def _log(self) -> LogView:
        return self.query_one("#log", LogView)

    @property
    def _search(self) -> Input:
        return self.query_one("#search", Input)

    def action_shift(self, by: int) -> None:
        """Look further along long lines."""
        self._log.action_shift(by)

    def action_search(self) -> None:
        """Type what to look for; what was typed before is still there."""
        self._search.display = True
        self._search.focus()

    def action_hit(self, by: int) -> None:
        """Go to the next place where it stands."""
        self._log.next_hit(by)

    def action_follow(self) -> None:
        """Follow, or stand still."""
        self._log.toggle_follow()

    def action_leave(self) -> None:
        """End the search, where there is one; else close."""
        if not self._search.display:
            self.dismiss(None)
            return
        self._search.display = False
        self._search.value = ""
        self._log.search("")
        self._log.focus()

    def on_input_changed(self, message: Input.Changed) -> None:
        """Find it while it is typed."""
        self._log.search(message.value)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """It is typed: go on in the log."""
        if message.value:
            self._log.focus()
        else:
            self.action_leave()

    def on_log_view_changed(self, message: LogView.Changed) -> None:
        """Say how the log stands."""
        self._state = message.state
        self._entitle()

    def _entitle(self) -> None:
        state = self._state
        words = ["Logs", *([self._unit.replace("/", " ")] if self._unit else []), count(state.lines, "line")]
        if state.typed:
            found = f"{state.hit} of {state.hits}" if state.hits else "nowhere"
            words.append(f"“{state.typed}” {found}")
        still = f"standing still, {state.below} below" if state.below else "standing still"
        if self._live or not state.follows:
            words.append("following" if state.follows else still)
        follow = "f stands still" if state.follows else "f follows"
        if state.typed:
            hint = f"n older · N newer · ←→ long lines · {follow} · Esc ends the search"
        else:
            hint = f"↑↓ unit · ←→ long lines · / search · {follow} · Esc closes"
        self.entitle(" · ".join(words), hint)

    def add(self, message: LogLines) -> None:
        """Lines came; those of a unit that was left meanwhile don't count."""
        if f"{message.machine}/{message.unit}" == self._unit and self.is_mounted:
            self._log.add(message.lines)

    def board_changed(self, board: Board, now: float) -> None:
        """Units come, go and fail."""
        self._open = _is_open(board)
        items = unit_items(board)
        if items != self._items and self.is_mounted:
            self._items = items
            self.query_one("#units", Menu).set_items(items)
        self._ask()
