"""A list to choose from: a cursor, greyed entries that say why they can't be chosen, and the mouse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from rwk_tui.cockpit.panes.lines import Lines
from rwk_tui.cockpit.text import Line, Span, cell, clean, fit


class Item(msgspec.Struct, frozen=True):
    """One entry. `why` says why it can't be chosen ("" if it can), `explain` is shown while the cursor is on it."""

    id: str
    label: str
    note: str = ""
    why: str = ""
    explain: str = ""
    under: tuple[Item, ...] = ()


class Menu(Lines):
    """Entries with a cursor on one of them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "up", show=False),
        Binding("down", "move(1)", "down", show=False),
        Binding("home", "move(-1000)", "first", show=False),
        Binding("end", "move(1000)", "last", show=False),
        Binding("pageup", "move(-10)", "page up", show=False),
        Binding("pagedown", "move(10)", "page down", show=False),
        Binding("enter", "choose", "choose", show=False),
    ]

    class Moved(Message):
        """The cursor went to another entry."""

        def __init__(self, menu: Menu) -> None:
            super().__init__()
            self.menu = menu

    class Chosen(Moved):
        """Enter or a click on an entry that can be chosen."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._items: tuple[Item, ...] = ()
        self._at = 0

    @property
    def item(self) -> Item | None:
        """The entry under the cursor."""
        return self._items[self._at] if self._at < len(self._items) else None

    def set_items(self, items: Sequence[Item], *, at: int | None = None) -> None:
        """Show these entries; the cursor stays on the entry it was on, if that is still there."""
        before = self.item.id if self.item is not None else ""
        self._items = tuple(items)
        ids = [item.id for item in self._items]
        self._at = ids.index(before) if before in ids and at is None else max(0, min(at or 0, len(ids) - 1))
        self.repaint()
        self._follow()

    def lines_for(self, width: int) -> Sequence[Line]:
        """One line an entry."""
        return [self._line(number, item, width) for number, item in enumerate(self._items)]

    def _line(self, number: int, item: Item, width: int) -> Line:
        here = number == self._at
        pointer = "▸ " if here and self.has_focus else "· " if here else "  "
        label = clean(item.label)
        note = clean(f"✗ {item.why}" if item.why else item.note)
        text = f"{pointer}{label}" + (f"  {note}" if note else "")
        if here and self.has_focus:
            return (Span(cell(text, width), "cursor"),)
        tone = "muted" if item.why else "plain"
        return fit((Span(pointer + label, "muted" if tone == "muted" else "plain"), Span(f"  {note}", "muted")), width)

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self._go(self._at + by)

    def action_choose(self) -> None:
        """Choose the entry under the cursor."""
        if self.item is not None and not self.item.why:
            self.post_message(self.Chosen(self))

    def _go(self, to: int) -> None:
        to = max(0, min(to, len(self._items) - 1))
        if to == self._at:
            return
        self._at = to
        self.repaint()
        self._follow()
        self.post_message(self.Moved(self))

    def _follow(self) -> None:
        height = self.room.height
        if height <= 0:
            return
        top = self.scroll_offset.y
        if self._at < top:
            self.scroll_to(y=self._at, animate=False)
        elif self._at >= top + height:
            self.scroll_to(y=self._at - height + 1, animate=False)

    def watch_has_focus(self, has_focus: bool) -> None:
        """The cursor looks different with the focus."""
        super().watch_has_focus(has_focus)
        self.repaint()
        if has_focus:
            self.post_message(self.Moved(self))

    def on_click(self, event: events.Click) -> None:
        """A click chooses."""
        offset = event.get_content_offset(self)
        if offset is not None and offset.y + self.scroll_offset.y < len(self._items):
            self._go(offset.y + self.scroll_offset.y)
            self.action_choose()
