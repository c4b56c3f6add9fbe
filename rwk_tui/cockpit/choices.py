"""What the choosers offer: chapters and their steps, machines and their switches."""

from __future__ import annotations

from rwk_tui.board.board import Board
from rwk_tui.board.rows import ChapterRow, MachineRow
from rwk_tui.cockpit import marks
from rwk_tui.cockpit.panes.menu import Item
from rwk_tui.cockpit.views.engines import engines_of

VERBS = (
    ("start", "start", "Switch it on; after a destroy it comes back with an empty disk."),
    ("stop", "halt", "Shut it down gracefully."),
    ("kill", "cut power", "It stops at once, like a pulled plug; the disk stays."),
    ("destroy", "destroy", "It stops at once and its disk is gone. Asks for its name."),
)


def chapter_items(board: Board) -> tuple[Item, ...]:
    """Every chapter with its steps; choosing a step brings the lab to just before it."""
    items = []
    for row in board.rows(ChapterRow):
        lacks = engines_of(board, row.engines)
        explain = f"{row.title}. {row.goal}" if row.goal else row.title
        beside = "Brings the lab to just before this step."
        if lacks:
            needs = f"✗ needs {' and '.join(lack.name for lack in lacks)}, "
            going = any(lack.state == "installing" for lack in lacks)
            needs += "which is being installed." if going else "not installed: Enter offers to get it."
            explain, beside = f"{needs} {explain}", needs
        under = tuple(
            Item(id=str(number), label=f"{number + 1:>2}  {title}", explain=beside)
            for number, title in enumerate(row.steps)
        )
        note = marks.ENGINE[lacks[0].state].both if lacks else f"{len(row.steps)} steps"
        items.append(Item(id=row.name, label=row.name, note=note, explain=explain, under=under))
    return tuple(items)


def machine_items(board: Board) -> tuple[Item, ...]:
    """Every machine with what can be done to its power now."""
    items = []
    for row in board.rows(MachineRow):
        up = row.power in ("up", "starting", "stopping")
        under = []
        for verb, label, explain in VERBS:
            why = ""
            if verb == "start" and up:
                why = "it is up"
            elif verb in ("stop", "kill") and not up:
                why = f"it is {marks.POWER[row.power].word}"
            elif verb == "destroy" and row.power == "gone":
                why = "it is gone"
            under.append(Item(id=verb, label=label, why=why, explain=explain))
        items.append(Item(id=row.name, label=row.name, note=marks.POWER[row.power].both, under=tuple(under)))
    return tuple(items)
