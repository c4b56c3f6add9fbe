"""Report cards: the list of them, and below it the one under the cursor in full."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import CardRow
from rwk_tui.cockpit.panes.menu import Menu
from rwk_tui.cockpit.screens.dialog import HERE, Dialog
from rwk_tui.cockpit.screens.sheet import Sheet
from rwk_tui.cockpit.views.cards import card_items, card_lines


class CardsScreen(Dialog[None]):
    """Newest first; `looked` is told of each card that was in sight."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [HERE / "base.tcss", HERE / "cards.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "leave", "close", show=False),
        Binding("left", "scroll(-1)", "up", show=False),
        Binding("right", "scroll(1)", "down", show=False),
    ]

    def __init__(self, board: Board, looked: Callable[[CardRow], None], *, at: str = "") -> None:
        """`at` is the key of the card to begin with, "" for the newest."""
        super().__init__()
        self._board = board
        self._looked = looked
        self._at = at
        self._items = card_items(board)

    def compose(self) -> ComposeResult:
        """The list, and one card."""
        with Vertical(classes="box"):
            yield Menu(id="cards")
            yield Sheet(id="card")

    def on_mount(self) -> None:
        """Begin where there is most to see."""
        self._entitle()
        cards = self.query_one("#cards", Menu)
        cards.set_items(self._items, at=self._at)
        cards.focus()

    def on_menu_moved(self, message: Menu.Moved) -> None:
        """Show the card under the cursor."""
        self._show(anew=True)

    def action_scroll(self, by: int) -> None:
        """Read on in the card without leaving the list."""
        sheet = self.query_one("#card", Sheet)
        sheet.scroll_to(y=sheet.scroll_y + by * max(1, sheet.room.height - 1), animate=False)

    def board_changed(self, board: Board, now: float) -> None:
        """A card may have come; the one that is read stays."""
        items = card_items(board)
        if items != self._items and self.is_mounted:
            self._items = items
            self.query_one("#cards", Menu).set_items(items)
            self._entitle()
            self._show()

    def _entitle(self) -> None:
        self.entitle(f"Report cards · {len(self._items)}", "↑↓ card · ←→ or Tab scroll it · Esc closes")

    def _show(self, *, anew: bool = False) -> None:
        item, sheet = self.query_one("#cards", Menu).item, self.query_one("#card", Sheet)
        card = self._board.get(CardRow, item.id) if item is not None else None
        if card is None:
            sheet.set(lambda width: ())
            return
        shown = card
        sheet.set(lambda width: card_lines(shown, width))
        if anew:
            sheet.scroll_to(y=0, animate=False)
        self._looked(card)
