"""What the command palette finds: every action that is possible now, and every fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from rwk_tui.board.board import Board
from rwk_tui.cockpit.actions import ACTIONS, BY_ID
from rwk_tui.cockpit.situation import Situation

Command = tuple[str, str, Callable[[], None]]
"""A title, an explanation, and what is done."""


def palette_commands(
    board: Board, now: Situation, act: Callable[[str], None], open_fault: Callable[[str], None]
) -> Iterator[Command]:
    """All commands; one of a fault opens the chooser there, so that nothing breaks before its target was seen."""
    for action in ACTIONS:
        if action.valid(now) and action.id != "palette":
            yield f"{action.label} ({action.key})", action.tooltip, partial(act, action.id)
    if BY_ID["faults"].valid(now):
        from rwk_tui.cockpit.fault_choices import possible_faults

        for name, title, explain in possible_faults(board):
            yield f"Fault: {title}…", explain, partial(open_fault, name)
