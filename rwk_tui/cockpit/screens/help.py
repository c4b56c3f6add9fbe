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
from rwk_tui.cockpit.text import Line, Span, cell, line, wrap

GROUPS = (("story", "Story"), ("faults", "Faults"), ("lab", "Lab"), ("screen", "Screen"))


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
    lines += [
        line(("In lists", "strong")),
        line((cell("  ↑ ↓ ← → Enter", 20), "accent"), "Move, choose; Esc leaves"),
        (),
    ]
    lines.append(line(("What the glyphs mean", "strong")))
    for name, shown in marks.LEGEND:
        spans = [Span(cell(f"  {name}", 20), "muted")]
        for mark in shown:
            spans += [mark.span(), Span("   ")]
        lines += wrap(tuple(spans), width, 20)
    lines += [
        wrap(
            line(
                (cell("  writes", 20), "muted"),
                ("▇", "good"),
                " all acknowledged in that second   ",
                ("▃", "warn"),
                " some   ",
                ("▁", "bad"),
                " none",
            ),
            width,
            20,
        )
    ][0]
    return lines


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
