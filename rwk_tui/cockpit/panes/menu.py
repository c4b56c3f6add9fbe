"""A list to choose from: a cursor, headings it passes over, greyed entries that say why they can't be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from rwk_tui.cockpit.panes.lines import Lines
from rwk_tui.cockpit.text import Line, Span, Tone, cell, clean, fit, line


class Item(msgspec.Struct, frozen=True):
    """One entry. `why` says why it can't be chosen ("" if it can), `explain` is shown while the cursor is on it.

    `notes` are more to explain, each with its name. `words` are others by which it is found. A `heading` is no entry:
    it stands above those that it names.
    """

    id: str
    label: str
    note: str = ""
    why: str = ""
    explain: str = ""
    notes: tuple[tuple[str, str], ...] = ()
    words: str = ""
    tone: Tone = "plain"
    heading: bool = False
    under: tuple[Item, ...] = ()

    def matches(self, typed: str) -> bool:
        """Whether it is found by what was typed, in capitals or not."""
        return typed.casefold() in f"{self.label} {self.id} {self.words}".casefold()


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
        self._entries: list[int] = []
        """The lines that are entries, from the top."""
        self._at = 0

    @property
    def item(self) -> Item | None:
        """The entry under the cursor."""
        return self._items[self._at] if self._entries else None

    def set_items(self, items: Sequence[Item], *, at: str = "", anew: bool = False) -> None:
        """Show these entries, with the cursor on that of the id `at`, or where it was, or on the first possible one.

        With `anew` they have nothing to do with those before: without `at` the cursor is on the first.
        """
        wanted = at or (self.item.id if self.item is not None and not anew else "")
        self._items = tuple(items)
        self._entries = [number for number, item in enumerate(self._items) if not item.heading]
        first = self._entries[0] if self._entries else 0
        if not anew:
            first = next((number for number in self._entries if not self._items[number].why), first)
        self._at = next((number for number in self._entries if self._items[number].id == wanted), first)
        self.repaint()
        self._follow()

    def lines_for(self, width: int) -> Sequence[Line]:
        """One line an entry."""
        return [self._line(number, item, width) for number, item in enumerate(self._items)]

    def _line(self, number: int, item: Item, width: int) -> Line:
        label = clean(item.label)
        if item.heading:
            return fit(line((label, "accent")), width)
        here = number == self._at
        pointer = "▸ " if here and self.has_focus else "· " if here else "  "
        note = clean(f"✗ {item.why}" if item.why else item.note)
        text = f"{pointer}{label}" + (f"  {note}" if note else "")
        if here and self.has_focus:
            return (Span(cell(text, width), "cursor"),)
        return fit((Span(pointer + label, "muted" if item.why else item.tone), Span(f"  {note}", "muted")), width)

    def action_move(self, by: int) -> None:
        """Move the cursor over that many entries."""
        if self._entries:
            to = self._entries.index(self._at) + by
            self._go(self._entries[max(0, min(to, len(self._entries) - 1))])

    def action_choose(self) -> None:
        """Choose the entry under the cursor."""
        if self.item is not None and not self.item.why:
            self.post_message(self.Chosen(self))

    def _go(self, to: int) -> None:
        if to == self._at:
            return
        self._at = to
        self.repaint()
        self._follow()
        self.post_message(self.Moved(self))

    def _follow(self) -> None:
        """Bring the cursor in sight, and the heading above it, where there is one."""
        height = self.room.height
        if height <= 0:
            return
        top = self.scroll_offset.y
        first = self._at
        while first > 0 and self._items[first - 1].heading and self._at - first + 2 <= height:
            first -= 1
        if first < top:
            self.scroll_to(y=first, animate=False)
        elif self._at >= top + height:
            self.scroll_to(y=self._at - height + 1, animate=False)

    def on_resize(self) -> None:
        """The cursor stays in sight; the lines of another width are painted by then."""
        super().on_resize()
        self.call_after_refresh(self._follow)

    def watch_has_focus(self, has_focus: bool) -> None:
        """The cursor looks different with the focus."""
        super().watch_has_focus(has_focus)
        self.repaint()
        if has_focus:
            self.post_message(self.Moved(self))

    def on_click(self, event: events.Click) -> None:
        """A click chooses."""
        offset = event.get_content_offset(self)
        number = offset.y + self.scroll_offset.y if offset is not None else -1
        if number in self._entries:
            self._go(number)
            self.action_choose()
