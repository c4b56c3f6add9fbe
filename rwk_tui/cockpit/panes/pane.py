"""The panes of the main screen: a frozen view in, painted lines out, and nothing done for an equal view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from rich.cells import cell_len
from textual import events
from textual.content import Content

from rwk_tui.cockpit.panes.lines import Lines
from rwk_tui.cockpit.panes.picks import Picks
from rwk_tui.cockpit.panes.stack import Stack
from rwk_tui.cockpit.text import Line, clean, width_of
from rwk_tui.cockpit.views.story import StoryView, story_lines


class View(Protocol):
    """What every pane's view has.

    It may also have shorter `titles` for where `title` doesn't fit, and `notes` for the lower edge (longest first), and
    be `violated`, which is as loud as a pane gets.
    """

    @property
    def title(self) -> str: ...

    @property
    def troubled(self) -> bool: ...


V = TypeVar("V", bound=View)


class Pane(Lines, Generic[V]):
    """One pane; `painter` makes lines of its view."""

    def __init__(self, name: str, painter: Callable[[V, int], Sequence[Line]]) -> None:
        super().__init__(id=name, classes="pane")
        self._painter = painter
        self._view: V | None = None
        self.painted = 0

    @property
    def view(self) -> V | None:
        """What the pane shows."""
        return self._view

    def show(self, view: V) -> None:
        """Show a view; an equal one costs a comparison."""
        if view == self._view:
            return
        self._view = view
        self.painted += 1
        self.set_class(view.troubled, "-troubled")
        self.set_class(getattr(view, "violated", False), "-violated")
        self._entitle()
        self.repaint()

    def on_resize(self) -> None:
        """Another width has room for other words."""
        self._entitle()
        super().on_resize()

    def _entitle(self) -> None:
        """Title and note, the longest that fit; never parsed as markup."""
        view, room = self._view, self.outer_size.width - 6
        if view is None:
            return
        self.border_title = Content(clean(_longest((view.title, *getattr(view, "titles", ())), room)))
        self.border_subtitle = Content(clean(_longest((*getattr(view, "notes", ()), ""), room)))

    def lines_for(self, width: int) -> Sequence[Line]:
        """The view as lines."""
        return () if self._view is None else self._painter(self._view, width)


def _longest(texts: Sequence[str], room: int) -> str:
    """The first that fits, or the last."""
    return next((text for text in texts if cell_len(text) <= room), texts[-1])


class PickPane(Pane[V], Picks):
    """A pane of things that can be picked; blank lines give way where there is no room for them."""

    def __init__(self, name: str, painter: Callable[[V, int], Sequence[Line]]) -> None:
        super().__init__(name, painter)
        self.add_class("-picks")

    def lines_for(self, width: int) -> Sequence[Line]:
        """The view as lines."""
        lines = super().lines_for(width)
        if not isinstance(lines, Stack) and len(lines) > self.room.height:
            return [parts for parts in lines if parts]
        return lines


class StoryPane(Pane[StoryView]):
    """The transcript follows what is newest, unless the presenter has scrolled away from it."""

    def __init__(self) -> None:
        super().__init__("story", lambda view, width: story_lines(view, width)[0])
        self._placed = 0
        self._start = 0
        self._step: tuple[str, int] = ("", -1)

    def lines_for(self, width: int) -> Sequence[Line]:
        """The transcript."""
        if self._view is None:
            return ()
        lines, self._start = story_lines(self._view, width)
        return lines

    def repaint(self) -> None:
        """Paint, then go where the news is."""
        following = self.follows
        super().repaint()
        view = self._view
        if view is None:
            return
        step = (view.title, view.shown)
        if following or step != self._step:
            self._step = step
            self.call_after_refresh(self._place)

    @property
    def follows(self) -> bool:
        """Whether the newest is in sight because nobody scrolled away."""
        return round(self.scroll_y) == self._placed or self.scroll_y >= self.max_scroll_y

    def _place(self) -> None:
        view = self._view
        waits = view is not None and bool(view.told) and view.told[-1].step.status == "waiting" and not view.busy
        target = min(self._start, self.max_scroll_y) if waits else self.max_scroll_y
        self.scroll_to(y=target, animate=False)
        self._placed = round(target)

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:
        """Without a scrollbar nothing scrolls: what was asked for before the layout had one is asked for again."""
        if shown:
            self.call_after_refresh(self._place)


class Bar(Lines, can_focus=False):
    """One line at the edge of the screen; parts of it may be clicked."""

    def __init__(self, name: str, painter: Callable[[Any, int], Line]) -> None:
        super().__init__(id=name, classes="bar")
        self._painter = painter
        self._view: object = None

    def show(self, view: object) -> None:
        """Show a view; an equal one costs a comparison."""
        if view == self._view:
            return
        self._view = view
        tone = getattr(view, "tone", "")
        text = getattr(view, "text", None)
        alarm = bool(text) and tone == "bad"
        self.set_class(alarm, "-alarm")
        self.paint_as(flat=alarm)
        self.repaint()

    def lines_for(self, width: int) -> Sequence[Line]:
        """The view as one line."""
        return () if self._view is None else (self._painter(self._view, width),)

    async def on_click(self, event: events.Click) -> None:
        """Start the action of the part that was clicked."""
        offset = event.get_content_offset(self)
        if offset is None or not self.shown:
            return
        at = 0
        for span in self.shown[0]:
            at += width_of((span,))
            if offset.x < at:
                if span.act:
                    await self.run_action(f"app.act({span.act!r})")
                return
