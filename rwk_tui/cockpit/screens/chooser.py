"""A dialog of two lists: what at the left, which or where at the right, and an explanation below."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from rwk_tui.board.board import Board
from rwk_tui.cockpit.panes.menu import Item, Menu
from rwk_tui.cockpit.screens.dialog import HERE, Dialog
from rwk_tui.cockpit.screens.sheet import Sheet
from rwk_tui.cockpit.text import Line, clean, line, wrap

Choice = tuple[str, str]
NOTHING = "Nothing here is called that. Backspace takes a letter back, Esc shows all."


class Chooser(Dialog[Choice]):
    """Answers with the ids of the left and of the right entry, "" for the right one where the left says it all.

    Letters that are typed leave only the left entries that they name.
    """

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
        beside: bool = False,
        classes: str | None = None,
    ) -> None:
        """`beside`: begin in the right list. The class "rich" makes room for longer explanations."""
        super().__init__(classes=classes)
        self._title = title
        self._make = items
        self._items = items(board)
        self._at = at
        self._left_chooses = left_chooses
        self._starts_beside = beside
        self._beside = ""
        self._typed = ""

    def compose(self) -> ComposeResult:
        """Two lists and the explanation."""
        with Vertical(classes="box"):
            with Horizontal(id="lists"):
                yield Menu(id="left")
                yield Menu(id="right")
            yield Sheet(id="explain", focusable=False)

    def on_mount(self) -> None:
        """Put the cursors where the lab stands."""
        self._entitle()
        self._left.set_items(self._items, at=self._at[0])
        self._show_right(at=self._at[1])
        self._left.focus()
        if self._starts_beside:
            self.action_side("right")

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
            self._left.set_items(self._found())
            self._show_right()
            self._explain()

    def on_key(self, event: events.Key) -> None:
        """Letters that mean nothing else find entries."""
        if event.key in self.active_bindings:
            return
        if event.key == "backspace":
            self._find(self._typed[:-1])
        elif event.is_printable and event.character and (self._typed or not event.character.isspace()):
            self._find(self._typed + event.character)

    def action_leave(self) -> None:
        """Show all again, where only some are shown; else close without an answer."""
        if self._typed:
            self._find("")
        else:
            self.dismiss(None)

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

    def _find(self, typed: str) -> None:
        if typed == self._typed:
            return
        self._typed = typed
        self._left.set_items(self._found())
        self._left.focus()
        self._show_right()
        self._explain()
        self._entitle()

    def _found(self) -> list[Item]:
        """The entries that what was typed names, with their headings."""
        if not self._typed:
            return list(self._items)
        found: list[Item] = []
        heading: Item | None = None
        for item in self._items:
            if item.heading:
                heading = item
            elif item.matches(self._typed):
                if heading is not None:
                    found.append(heading)
                    heading = None
                found.append(item)
        return found

    def _entitle(self) -> None:
        title = f"{self._title} · “{self._typed}”" if self._typed else self._title
        enter = "Enter here" if self._left_chooses else "Enter"
        hint = (
            f"↑↓ move · letters find · → list beside · {enter} chooses · Esc {'shows all' if self._typed else 'leaves'}"
        )
        self.entitle(title, hint)

    def _show_right(self, *, at: str = "") -> None:
        left = self._left.item
        name = left.id if left is not None else ""
        self._right.set_items(left.under if left is not None else (), at=at, anew=name != self._beside)
        self._beside = name

    def _explain(self) -> None:
        left = self._left.item
        item = self._right.item if self._right.has_focus else left
        text = (item.explain if item is not None else "") or (left.explain if left is not None else NOTHING)
        why = item.why if item is not None else ""
        notes = left.notes if left is not None else ()

        def paint(width: int) -> list[Line]:
            lines = wrap(line((f"✗ {clean(why)}", "bad")), width) if why else []
            lines += wrap(line((clean(text), "plain")), width)
            for name, note in notes:
                lines += wrap(line((f"{name}: ", "muted"), (clean(note), "plain")), width, 2)
            return lines

        self.query_one("#explain", Sheet).set(paint)
