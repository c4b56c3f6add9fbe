"""Lines of which some show things that can be picked: with the arrow keys, or by a click."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from rwk_tui.cockpit.panes.lines import Lines
from rwk_tui.cockpit.panes.stack import things_of
from rwk_tui.cockpit.text import Line, Span, width_of

POINTER = "▸"


class Picks(Lines):
    """The thing under the cursor stays picked wherever it moves; a column at the left is for the pointer."""

    GUTTER = 1
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "pick(-1)", "up", show=False),
        Binding("down", "pick(1)", "down", show=False),
        Binding("pageup", "pick(-10)", "page up", show=False),
        Binding("pagedown", "pick(10)", "page down", show=False),
        Binding("home", "pick(-100000)", "first", show=False),
        Binding("end", "pick(100000)", "last", show=False),
        Binding("enter", "open", "details", show=False),
    ]

    class Opened(Message):
        """Enter or a double click on a thing."""

        def __init__(self, thing: str) -> None:
            super().__init__()
            self.thing = thing

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._things: dict[str, int] = {}
        self._order: list[str] = []
        self._known: Sequence[Line] | None = None
        self._picked = ""
        self._place = 0

    @property
    def things(self) -> Sequence[str]:
        """The keys of all that can be picked, in order."""
        self._learn()
        return self._order

    @property
    def picked(self) -> str:
        """The key of the thing under the cursor, "" where there is none."""
        self._learn()
        if self._picked not in self._things:  # It is gone: what came into its place is next.
            self._picked = self._order[min(self._place, len(self._order) - 1)] if self._order else ""
        return self._picked

    def pick(self, thing: str) -> None:
        """Put the cursor on a thing and bring it in sight."""
        self._learn()
        if thing not in self._things:
            return
        self._picked, self._place = thing, self._order.index(thing)
        self._bring(self._things[thing])
        self.refresh()

    def _learn(self) -> None:
        if self._lines is not self._known:
            self._known = self._lines
            self._things = things_of(self._lines)
            self._order = list(self._things)

    def action_pick(self, by: int) -> None:
        """Move the cursor; beyond the first and the last thing, and where there is none, the lines scroll."""
        picked = self.picked
        at = self._order.index(picked) if picked else 0
        to = max(0, min(at + by, len(self._order) - 1))
        if not picked or to == at:
            self.scroll_to(y=self.scroll_y + by, animate=False)
            return
        if abs(by) == 1 and not self._in_sight(self._things[picked]):
            self._bring(self._things[picked])  # It was scrolled away: first show where the cursor is.
            return
        self.pick(self._order[to])

    def action_open(self) -> None:
        """Show more of the thing under the cursor."""
        if self.picked:
            self.post_message(self.Opened(self.picked))

    async def on_click(self, event: events.Click) -> None:
        """A click picks or starts an action, a double click opens."""
        offset = event.get_content_offset(self)
        number = offset.y + self.scroll_offset.y if offset is not None else -1
        if offset is None or not 0 <= number < len(self._lines):
            return
        at, found = self.GUTTER, ""
        for span in self._lines[number]:
            at += width_of((span,))
            if span.act and at - width_of((span,)) <= offset.x < at:
                await self.run_action(f"app.act({span.act!r})")
                return
            found = span.thing or found
            if found and offset.x < at:
                break
        if found:
            self.pick(found)
            if event.chain >= 2:
                self.action_open()

    def line_at(self, number: int) -> Line:
        """The line with the pointer and the thing under the cursor marked, where it is on it."""
        parts = super().line_at(number)
        picked = self.picked if self.has_focus else ""
        if not picked or self._things[picked] != number:
            return (Span(" "), *parts)
        return (
            Span(POINTER, "accent"),
            *(span._replace(tone="cursor") if span.thing == picked else span for span in parts),
        )

    def watch_has_focus(self, has_focus: bool) -> None:
        """The cursor is seen with the focus only."""
        super().watch_has_focus(has_focus)
        self.refresh()

    def _in_sight(self, number: int) -> bool:
        return self.scroll_offset.y <= number < self.scroll_offset.y + max(1, self.room.height)

    def _bring(self, number: int) -> None:
        top, height = self.scroll_offset.y, max(1, self.room.height)
        if number == self._things.get(self._order[0]) and number < height:
            self.scroll_to(y=0, animate=False)  # What stands above the first thing belongs to it.
        elif number < top:
            self.scroll_to(y=number, animate=False)
        elif number >= top + height:
            self.scroll_to(y=number - height + 1, animate=False)
