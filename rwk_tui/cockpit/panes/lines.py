"""A cheap widget that shows lines with tones: only what is in sight is rendered, however long the list is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from rwk_tui.cockpit.panes.tones import tone_styles
from rwk_tui.cockpit.text import Line, clean


class Lines(ScrollView, can_focus=True):
    """Lines of text that scroll; subclasses say what the lines are for a width, by `lines_for`.

    `GUTTER` cells at the left are not theirs: what `line_at` puts there is the subclass's affair.
    """

    GUTTER: ClassVar[int] = 0
    DEFAULT_CSS = """
    Lines {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        scrollbar-color: $rwk-line;
        scrollbar-color-hover: $rwk-focus;
        scrollbar-color-active: $rwk-focus;
        scrollbar-background: $rwk-ground;
        scrollbar-background-hover: $rwk-ground;
        scrollbar-background-active: $rwk-ground;
        background: $rwk-ground;
        color: $rwk-text;
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: Sequence[Line] = ()
        self.faded = False
        self.flat = False

    def paint_as(self, *, faded: bool = False, flat: bool = False) -> None:
        """Show values that are not live any more (faded), or everything in the widget's own colours (flat)."""
        if (faded, flat) != (self.faded, self.flat):
            self.faded, self.flat = faded, flat
            self.refresh()

    def lines_for(self, width: int) -> Sequence[Line]:
        """The lines as they are for a width; asked again when the width changes."""
        return self._lines

    @property
    def room(self) -> Size:
        """The cells there are for lines."""
        return self.scrollable_content_region.size

    @property
    def shown(self) -> Sequence[Line]:
        """The lines as painted, in sight or not."""
        return self._lines

    def repaint(self) -> None:
        """Work the lines out anew and paint them if they changed."""
        width = self.room.width
        if width <= 0:
            return
        lines = self.lines_for(width - self.GUTTER)
        if isinstance(lines, list):
            lines = tuple(lines)
        if lines == self._lines and self.virtual_size == Size(width, len(lines)):
            return
        before, self._lines = self._lines, lines
        if self.virtual_size == Size(width, len(lines)) and len(before) == len(lines):
            self._refresh_changed(before)
            return
        self.virtual_size = Size(width, len(lines))
        self.refresh()

    def _refresh_changed(self, before: Sequence[Line]) -> None:
        """Paint from the first to the last line in sight that is another: one that counts up is no reason for all."""
        top = self.scroll_offset.y
        sight = range(top, min(top + self.room.height, len(self._lines)))
        changed = [number for number in sight if before[number] != self._lines[number]]
        if changed:
            self.refresh_lines(changed[0], changed[-1] - changed[0] + 1)

    def on_resize(self) -> None:
        """Another width breaks lines elsewhere."""
        self.repaint()

    def notify_style_update(self) -> None:
        """Another theme paints the same lines in other colours."""
        super().notify_style_update()
        self.refresh()

    def line_at(self, number: int) -> Line:
        """One line as it is seen."""
        return self._lines[number]

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        width = self.room.width
        base = self.rich_style
        number = y + self.scroll_offset.y
        if number >= len(self._lines):
            return Strip.blank(width, base)
        line = self.line_at(number)
        # Cleaned here, where all passes through, so that nothing which a machine or a chapter has written is forgotten.
        if self.flat:
            segments = [Segment(clean(span.text), base) for span in line]
        else:
            styles = tone_styles(self.app.current_theme, self.faded)
            segments = [Segment(clean(span.text), base + styles[span.tone]) for span in line]
        return Strip(segments).adjust_cell_length(width, base)
