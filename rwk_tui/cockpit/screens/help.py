"""Help: every key from the registry, and what the glyphs mean."""

from __future__ import annotations

from pathlib import PurePath
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from rwk_tui.cockpit import marks
from rwk_tui.cockpit.actions import ACTIONS, key_name
from rwk_tui.cockpit.screens.dialog import HERE, Dialog, entitle
from rwk_tui.cockpit.screens.sheet import Sheet
from rwk_tui.cockpit.text import Line, Span, Tone, cell, flow, line, wrap

GROUPS = (("story", "Story"), ("faults", "Faults"), ("lab", "Lab"), ("screen", "Screen"))
HANDS = (
    ("Tab, Shift+Tab", "The next or previous pane; a digit shows one alone"),
    ("↑ ↓ Home End", "Pick a thing in a pane, move in a list, scroll"),
    ("Enter", "Details of the picked thing; choose in a list"),
    ("← →", "In details the next thing of its sort; in lists the other side"),
    ("Esc", "Back, close, all panes again"),
    ("Mouse", "A click picks or presses, a double click shows details, the wheel scrolls"),
)
WRITES: tuple[tuple[str, Tone, str], ...] = (
    ("▇", "good", "all acknowledged in that second"),
    ("▃", "warn", "some"),
    ("▁", "bad", "none"),
)


def help_lines(width: int) -> list[Line]:
    """All keys by group, then the legend."""
    lines: list[Line] = []
    for group, title in GROUPS:
        lines.append(line((title, "strong")))
        for action in ACTIONS:
            if action.group == group:
                keys = ", ".join(key_name(key) for key in action.keys)
                lines += wrap((Span(cell(f"  {keys}", 20), "accent"), Span(action.tooltip)), width, 20)
        lines.append(())
    lines.append(line(("In panes and lists", "strong")))
    for keys, words in HANDS:
        lines += wrap((Span(cell(f"  {keys}", 20), "accent"), Span(words)), width, 20)
    lines += [(), line(("What the glyphs mean", "strong"))]
    for name, shown in marks.LEGEND:
        lines += flow(f"  {name}", [(mark.span(),) for mark in shown], width, 20)
    writes = [(Span(glyph, tone), Span(f" {words}")) for glyph, tone, words in WRITES]
    return lines + flow("  writes", writes, width, 20)


class HelpScreen(Dialog[None]):
    """A sheet that scrolls where the screen is small."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [HERE / "base.tcss", HERE / "events.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark,f1", "leave", "close", show=False)]

    def compose(self) -> ComposeResult:
        """One long sheet."""
        with Vertical(classes="box") as box:
            entitle(box, "Help", "↑↓ scroll · Esc closes")
            yield Sheet(id="sheet")

    def on_mount(self) -> None:
        """Show it."""
        sheet = self.query_one("#sheet", Sheet)
        sheet.set(help_lines)
        sheet.focus()
