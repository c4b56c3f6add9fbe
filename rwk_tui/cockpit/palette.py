"""What the command palette finds: every action that is possible now, every chapter and every fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from rwk_tui.board.board import Board
from rwk_tui.board.rows import ChapterRow
from rwk_tui.cockpit.actions import ACTIONS, BY_ID
from rwk_tui.cockpit.keymap import KeyMap
from rwk_tui.cockpit.situation import Situation
from rwk_tui.cockpit.text import clean

Command = tuple[str, str, Callable[[], None]]
"""A title, an explanation, and what is done."""


def palette_commands(
    board: Board,
    now: Situation,
    act: Callable[[str], None],
    open_chapter: Callable[[str], None],
    open_fault: Callable[[str], None],
    keys: KeyMap,
) -> Iterator[Command]:
    """All commands; one of a chapter or a fault opens the chooser there, so that nothing happens before it was seen."""
    for action in ACTIONS:
        if action.valid(now) and action.id != "palette":
            yield f"{action.label} ({keys.key(action.id)})", action.tooltip, partial(act, action.id)
    if BY_ID["chapters"].valid(now):
        for row in board.rows(ChapterRow):
            yield f"Chapter: {clean(row.title)}…", clean(row.goal or row.name), partial(open_chapter, row.name)
    if BY_ID["faults"].valid(now):
        from rwk_tui.cockpit.fault_choices import possible_faults

        for name, title, explain in possible_faults(board):
            yield f"Fault: {title}…", explain, partial(open_fault, name)


class Commands(Provider):
    """Shows what the app offers as it reads: textual's own provider would take titles and goals for markup."""

    async def discover(self) -> Hits:
        """All there is, by title."""
        for title, text, run, _ in sorted(self.app.get_system_commands(self.screen), key=lambda command: command.title):
            yield DiscoveryHit(Content(title), run, title, _shown(text))

    async def search(self, query: str) -> Hits:
        """What matches, with the letters that do marked."""
        matcher = self.matcher(query)
        for title, text, run, _ in self.app.get_system_commands(self.screen):
            score, offsets = matcher.fuzzy_search.match(query, title)
            if score > 0:
                marked = Content(title)
                for offset in offsets:
                    marked = marked.stylize(matcher.match_style, offset, offset + 1)
                yield Hit(score, marked, run, title, _shown(text))


def _shown(text: str) -> str:
    return Content(text)  # type: ignore[return-value]  # textual shows it as it shows a string, but without parsing it
