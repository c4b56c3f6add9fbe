"""What a unit writes: pick it at the left, follow it at the right."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from rwk_tui.board.board import Board
from rwk_tui.board.rows import UnitRow
from rwk_tui.cockpit import marks
from rwk_tui.cockpit.panes.menu import Item, Menu
from rwk_tui.cockpit.screens.dialog import HERE, Dialog, entitle
from rwk_tui.cockpit.screens.sheet import Sheet
from rwk_tui.cockpit.text import Line, fit
from rwk_tui.cockpit.views.log import from_column, log_line
from rwk_tui.daemon.protocol import AnyCommand, LogLines, Logs

KEPT = 5000
"""Lines that are kept of a unit's output."""


class LogView(Sheet):
    """Lines of foreign text: virtual, cut at the edge, following the newest unless scrolled away from it."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._kept: deque[Line] = deque(maxlen=KEPT)
        self._from = 0

    def clear(self) -> None:
        """Begin with nothing."""
        self._kept.clear()
        self.repaint()

    def add(self, lines: Iterable[str]) -> None:
        """Append lines."""
        follows = self.scroll_y >= self.max_scroll_y
        self._kept.extend(log_line(text) for text in lines)
        self.repaint()
        if follows:
            self.call_after_refresh(self.scroll_end, animate=False)

    def action_shift(self, by: int) -> None:
        """Look further right or left in long lines."""
        self._from = max(0, self._from + by)
        self.repaint()

    def lines_for(self, width: int) -> list[Line]:
        """The lines, from the column that was scrolled to."""
        return [fit(from_column(kept, self._from), width) for kept in self._kept]


def unit_items(board: Board) -> tuple[Item, ...]:
    """The units there are."""
    return tuple(
        Item(id=f"{row.machine}/{row.unit}", label=f"{marks.UNIT[row.state].glyph} {row.machine} {row.unit}")
        for row in board.rows(UnitRow)
    )


class LogsScreen(Dialog[None]):
    """Asks the daemon for the unit under the cursor, and for none when it is closed."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [HERE / "base.tcss", HERE / "logs.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "leave", "close", show=False),
        Binding("left", "shift(-20)", "left", show=False),
        Binding("right", "shift(20)", "right", show=False),
    ]

    def __init__(self, board: Board, send: Callable[[AnyCommand], None], *, at: str = "") -> None:
        """`at` is the unit to begin with ("core-01/etcd"), "" for the first."""
        super().__init__()
        self._at = at
        self._items = unit_items(board)
        self._send = send
        self._unit = ""

    def compose(self) -> ComposeResult:
        """Units and lines."""
        with Vertical(classes="box") as box:
            entitle(box, "Logs", "↑↓ unit · ←→ long lines · Tab to scroll · Esc closes")
            with Horizontal():
                yield Menu(id="units")
                yield LogView(id="log")

    def on_mount(self) -> None:
        """Follow the unit to begin with."""
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
        self.query_one("#log", LogView).clear()
        machine, _, unit = item.id.partition("/")
        self._send(Logs(machine=machine, unit=unit))

    def action_shift(self, by: int) -> None:
        """Look further along long lines."""
        self.query_one("#log", LogView).action_shift(by)

    def add(self, message: LogLines) -> None:
        """Lines came; those of a unit that was left meanwhile don't count."""
        if f"{message.machine}/{message.unit}" == self._unit and self.is_mounted:
            self.query_one("#log", LogView).add(message.lines)

    def board_changed(self, board: Board, now: float) -> None:
        """Units come, go and fail."""
        items = unit_items(board)
        if items != self._items and self.is_mounted:
            self._items = items
            self.query_one("#units", Menu).set_items(items)
