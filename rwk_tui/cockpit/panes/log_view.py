"""The lines of one unit's log: they follow what comes, or stand still and are searched."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import ClassVar

import msgspec
from textual.binding import Binding, BindingType
from textual.message import Message

from rwk_tui.cockpit.panes.lines import Lines
from rwk_tui.cockpit.text import Line, fit, plain
from rwk_tui.cockpit.views.log import from_column, log_line
from rwk_tui.cockpit.views.log_search import hits, marked, nearest, places

KEPT = 5000
"""Lines that are kept of a unit's output."""


class LogState(msgspec.Struct, frozen=True):
    """How the log stands: how many lines there are, how many came below while it stood still, what is searched for."""

    lines: int = 0
    below: int = 0
    follows: bool = True
    typed: str = ""
    hits: int = 0
    hit: int = 0


class LogView(Lines):
    """Lines of foreign text: virtual, cut at the edge, following the newest until they are made to stand still.

    Whoever scrolls up or looks for a word has them stand still; at the end they follow again.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("end", "follow", "follow", show=False),
        Binding("home", "halt", "first", show=False),
    ]

    class Changed(Message):
        """The state of the log is another one."""

        def __init__(self, state: LogState) -> None:
            super().__init__()
            self.state = state

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, classes="sheet")
        self._kept: deque[Line] = deque(maxlen=KEPT)
        self._from = 0
        self._follows = True
        self._below = 0
        self._ours = False
        """Whether it is us who scroll just now, and not the presenter."""
        self._typed = ""
        self._hits: list[int] = []
        self._line = -1
        """The line that was found last, which is marked as such; -1 for none."""
        self._told = LogState()

    def clear(self) -> None:
        """Begin with nothing, with the same search."""
        self._kept.clear()
        self._hits = []
        self._follows, self._below, self._line = True, 0, -1
        self._show()

    def add(self, lines: Iterable[str]) -> None:
        """Append lines."""
        new = [log_line(text) for text in lines]
        dropped = max(0, len(self._kept) + len(new) - KEPT)
        self._kept.extend(new)
        self._hits = hits(self._kept, self._typed)
        if dropped:
            self._line = max(-1, self._line - dropped)
            if not self._follows:
                self._scroll(self.scroll_y - dropped)
        self._below = 0 if self._follows else self._below + len(new)
        self._show()

    def search(self, typed: str) -> None:
        """Mark every place where that stands, and go to the last of them, the newest."""
        self._typed, self._line = typed, -1
        self._hits = hits(self._kept, typed)
        if self._hits:
            self._go(self._hits[-1])
        self._show()

    def next_hit(self, by: int) -> None:
        """Go to the next place, down (1) or up (-1), from the one before, and from the other end after the last."""
        start = self._line + by if self._line >= 0 else round(self.scroll_y)
        number = nearest(self._hits, start, down=by > 0)
        if number >= 0:
            self._go(self._hits[number])
            self._show()

    def action_follow(self) -> None:
        """Go to the end and follow what comes."""
        self._follows, self._below = True, 0
        self._show()

    def action_halt(self) -> None:
        """Go to the first line and stand still."""
        self._follows = False
        self._scroll(0)
        self._show()

    def toggle_follow(self) -> None:
        """Follow, or stand still where it is."""
        if self._follows:
            self._follows = False
            self._show()
        else:
            self.action_follow()

    def action_shift(self, by: int) -> None:
        """Look further right or left in long lines."""
        self._from = max(0, self._from + by)
        self.repaint()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolled up by hand, it stands still; scrolled to the end, it follows."""
        super().watch_scroll_y(old_value, new_value)
        if self._ours:
            return
        at_end = new_value >= self.max_scroll_y
        if new_value < old_value and not at_end and self._follows:
            self._follows = False
            self._show()
        elif new_value > old_value and at_end and not self._follows:
            self._follows, self._below = True, 0
            self._show()

    def lines_for(self, width: int) -> list[Line]:
        """The lines, from the column that was scrolled to, with the marks of the search."""
        wanted = set(self._hits)
        shown = (
            marked(kept, self._typed, current=number == self._line) if number in wanted else kept
            for number, kept in enumerate(self._kept)
        )
        return [fit(from_column(each, self._from), width) for each in shown]

    def _go(self, line: int) -> None:
        """Bring a line in sight, and the place in it."""
        self._follows, self._line = False, line
        at, width = places(plain(self._kept[line]), self._typed)[0], self.room.width
        if not self._from <= at < self._from + width - len(self._typed):
            self._from = max(0, at - width // 3) if at + len(self._typed) >= width else 0
        top, height = self.scroll_y, self.room.height
        if not top <= line < top + height:
            self._scroll(line - height // 2)

    def _scroll(self, to: float) -> None:
        self._ours = True
        self.scroll_to(y=max(0.0, to), animate=False, immediate=True)
        self._ours = False

    def _to_end(self) -> None:
        if self._follows:  # It may have been made to stand still since this was asked for.
            self._scroll(self.max_scroll_y)

    def _show(self) -> None:
        """Paint what there is, at the end if it follows, and say how it stands."""
        self.repaint()
        if self._follows:
            self.call_after_refresh(self._to_end)
        hit = self._hits.index(self._line) + 1 if self._line in self._hits else 0
        state = LogState(len(self._kept), self._below, self._follows, self._typed, len(self._hits), hit)
        if state != self._told:
            self._told = state
            self.post_message(self.Changed(state))
