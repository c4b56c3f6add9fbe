"""Help: the pane in focus explained, every key from the registry, and what the glyphs mean."""

from __future__ import annotations

from pathlib import PurePath
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from rwk_tui.cockpit import marks
from rwk_tui.cockpit.action import key_name
from rwk_tui.cockpit.actions import PANES, actions_in
from rwk_tui.cockpit.keymap import USUAL, KeyMap
from rwk_tui.cockpit.lessons import LESSONS
from rwk_tui.cockpit.screens.dialog import HERE, Dialog
from rwk_tui.cockpit.screens.sheet import Sheet
from rwk_tui.cockpit.text import Line, Span, Tone, cell, flow, line, wrap

GROUPS = (
    ("replay", "Replay"),
    ("view", "View"),
    ("story", "Story"),
    ("faults", "Faults"),
    ("lab", "Lab"),
    ("screen", "Screen"),
)
HANDS = (
    ("Tab, Shift+Tab", "The next or previous pane"),
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
EVENTS: tuple[tuple[str, Tone, str], ...] = (
    (marks.KIND["election"], "accent", "elected"),
    (marks.KIND["fault"], "bad", "fault"),
    (marks.KIND["effect"], "plain", "its effect"),
    (marks.KIND["heal"], "good", "healed"),
    (marks.KIND["outage"], "warn", "writes stopped"),
    (marks.KIND["card"], "plain", "report card"),
    (marks.KIND["evidence"], "plain", "evidence"),
)


def lesson_lines(pane: str, width: int) -> list[Line]:
    """What a pane shows, and the words that are read there."""
    lesson = LESSONS[pane]
    lines = [line((f"The {lesson.title} pane", "strong")), *wrap(line("  ", lesson.shows), width, 2), ()]
    column = max(len(word) for word, _ in lesson.words) + 4  # Sentences need the room more than a straight page.
    for word, meaning in lesson.words:
        lines += wrap((Span(cell(f"  {word}", column), "accent"), Span(meaning)), width, column)
    return lines


def help_lines(
    pane: str, width: int, keymap: KeyMap = USUAL, *, replay: bool = False, viewer: bool = False
) -> list[Line]:
    """The pane explained, then all keys by group, then the legend."""
    lines = [*lesson_lines(pane, width), ()]
    actions = list(actions_in(replay=replay, viewer=viewer))
    for group, title in GROUPS:
        of_group = [action for action in actions if action.group == group]
        if not of_group:
            continue
        lines.append(line((title, "strong")))
        for action in of_group:
            keys = ", ".join(key_name(key) for key in keymap.keys(action.id))
            lines += wrap((Span(cell(f"  {keys}", 20), "accent"), Span(action.tooltip)), width, 20)
        lines.append(())
    lines.append(line(("In panes and lists", "strong")))
    for keys, words in HANDS:
        lines += wrap((Span(cell(f"  {keys}", 20), "accent"), Span(words)), width, 20)
    lines += [(), line(("What the glyphs mean", "strong"))]
    for name, shown in marks.LEGEND:
        lines += flow(f"  {name}", [(mark.span(),) for mark in shown], width, 20)
    for name, glyphs in (("writes", WRITES), ("timeline", EVENTS)):
        lines += flow(f"  {name}", [(Span(glyph, tone), Span(f" {words}")) for glyph, tone, words in glyphs], width, 20)
    return lines


class HelpScreen(Dialog[None]):
    """A sheet that scrolls where the screen is small; the keys of the panes explain another pane."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [HERE / "base.tcss", HERE / "events.tcss"]

    def __init__(self, pane: str, keys: KeyMap = USUAL, *, replay: bool = False, viewer: bool = False) -> None:
        """`pane` is the one to explain."""
        super().__init__()
        self._pane = pane
        self._keys = keys
        self._replay = replay
        self._viewer = viewer

    def compose(self) -> ComposeResult:
        """One long sheet."""
        with Vertical(classes="box"):
            yield Sheet(id="sheet")

    def on_mount(self) -> None:
        """Show it."""
        keys = " ".join(self._keys.key(f"pane-{name}") for name in PANES)
        self.entitle("Help", f"{keys} another pane · ↑↓ scroll · Esc closes")
        self.query_one("#sheet", Sheet).focus()
        self._show(self._pane)

    def on_key(self, event: events.Key) -> None:
        """The key that shows a pane explains it here; the one that opened help closes it."""
        for name in PANES:
            if event.key in self._keys.keys(f"pane-{name}"):
                self._show(name)
        if event.key in self._keys.keys("help"):
            self.dismiss(None)

    def _show(self, pane: str) -> None:
        sheet = self.query_one("#sheet", Sheet)
        told = {"replay": self._replay, "viewer": self._viewer}
        sheet.set(lambda width: help_lines(pane, width, self._keys, **told))
        sheet.scroll_home(animate=False)
