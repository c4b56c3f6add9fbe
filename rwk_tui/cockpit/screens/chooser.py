"""A dialog of two lists: what at the left, which or where at the right, and an explanation below."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from rwk_tui.board.board import Board
from rwk_tui.cockpit.panes.menu import Item, Menu
from rwk_tui.cockpit.screens.dialog import HERE, Dialog, entitle
from rwk_tui.cockpit.screens.sheet import Sheet
from rwk_tui.cockpit.text import Line, clean, line, wrap

Choice = tuple[str, str]


class Chooser(Dialog[Choice]):
    """Answers with the ids of the left and of the right entry, "" for the right one where the left says it all."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [HERE / "base.tcss", HERE / "chooser.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "side('left')", "left", show=False),
        Binding("right", "side('right')", "right", show=False),
    ]

    def __init__(
        self,
        title: str,
        items: Callable[[Board], tuple[Item, ...]],
        board: Board,
        *,
        at: Choice = ("", ""),
        left_chooses: bool = False,
    ) -> None:
        super().__init__()
        self._title = title
        self._make = items
        self._items = items(board)
        self._at = at
        self._left_chooses = left_chooses
        self._beside = ""

    def compose(self) -> ComposeResult:
        """Two lists and the explanation."""
        with Vertical(classes="box") as box:
            enter = "Enter here" if self._left_chooses else "Enter"
            entitle(box, self._title, f"↑↓ move · → list beside · {enter} chooses · Esc leaves")
            with Horizontal(id="lists"):
                yield Menu(id="left")
                yield Menu(id="right")
            yield Sheet(id="explain", focusable=False)

    def on_mount(self) -> None:
        """Put the cursors where the lab stands."""
        ids = [item.id for item in self._items]
        possible = [number for number, item in enumerate(self._items) if not item.why]
        first = possible[0] if possible else 0
        self._left.set_items(self._items, at=ids.index(self._at[0]) if self._at[0] in ids else first)
        self._show_right()
        under = [item.id for item in self._left.item.under] if self._left.item else []
        if self._at[1] in under:
            self._right.set_items(self._left.item.under if self._left.item else (), at=under.index(self._at[1]))
        self._left.focus()

    @property
    def _left(self) -> Menu:
        return self.query_one("#left", Menu)

    @property
    def _right(self) -> Menu:
        return self.query_one("#right", Menu)

    def board_changed(self, board: Board, now: float) -> None:
        """What is possible may have changed."""
        items = self._make(board)
        if items != self._items and self.is_mounted:
            self._items = items
            self._left.set_items(items)
            if self._left.item is not None:
                self._right.set_items(self._left.item.under)
            self._explain()

    def action_side(self, side: str) -> None:
        """Go to the other list, if there is something in it."""
        if side == "left" or (self._left.item is not None and self._left.item.under):
            self.query_one(f"#{side}", Menu).focus()

    def on_menu_moved(self, message: Menu.Moved) -> None:
        """Show what belongs to the entry under the cursor."""
        if message.menu.id == "left":
            self._show_right()
        self._explain()

    def on_menu_chosen(self, message: Menu.Chosen) -> None:
        """Answer, or go on to the right list."""
        left, right = self._left.item, self._right.item
        if left is None:
            return
        if message.menu.id == "left":
            if self._left_chooses:
                self.dismiss((left.id, ""))
            else:
                self.action_side("right")
        elif right is not None and not left.why:
            self.dismiss((left.id, right.id))

    def _show_right(self) -> None:
        left = self._left.item
        name = left.id if left is not None else ""
        if name != self._beside:
            self._beside = name
            self._right.set_items(left.under if left is not None else (), at=0)

    def _explain(self) -> None:
        menu = self._right if self._right.has_focus else self._left
        item = menu.item
        text = item.explain if item is not None else ""
        if not text and self._left.item is not None:
            text = self._left.item.explain
        why = item.why if item is not None else ""

        def paint(width: int) -> list[Line]:
            lines = wrap(line((clean(text), "plain")), width)
            return [*wrap(line((f"✗ {clean(why)}", "bad")), width), *lines] if why else lines

        self.query_one("#explain", Sheet).set(paint)
