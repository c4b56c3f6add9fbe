"""What can be done now: a small summary of the board that actions are judged by."""

from __future__ import annotations

import msgspec

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import CardRow
from rwk_tui.board.kube_rows import EngineRow
from rwk_tui.board.rows import ChapterRow, FaultKindRow, FaultRow, LabRow, MachineRow, UnitRow
from rwk_tui.cockpit.contact import Contact


class Situation(msgspec.Struct, frozen=True):
    """Everything that makes an action possible or not; equal situations allow the same actions.

    `choosing` says that the lab waits for the choice about an earlier run, `engines` that some are missing, or being
    installed; `replay` that all this is past; `viewer` that we may only look.
    """

    talks: bool = False
    down: bool = False
    ready: bool = False
    choosing: bool = False
    chapters: bool = False
    kinds: bool = False
    machines: bool = False
    units: bool = False
    engines: bool = False
    cards: bool = False
    faults: int = 0
    opened: bool = False
    busy: bool = False
    step: int = 0
    steps: int = 0
    replay: bool = False
    viewer: bool = False


def situation_of(board: Board, contact: Contact) -> Situation:
    """The situation as the board and the stream have it."""
    lab = board.get(LabRow, "lab")
    return Situation(
        talks=contact.talks,
        down=contact.state in ("lost", "ended"),
        ready=lab is not None and lab.state == "ready",
        choosing=lab is not None and lab.state == "choose",
        chapters=board.holds(ChapterRow),
        kinds=board.holds(FaultKindRow),
        machines=board.holds(MachineRow),
        units=board.holds(UnitRow),
        engines=any(row.state != "ready" for row in board.all_of(EngineRow)),
        cards=board.holds(CardRow),
        faults=len(board.rows(FaultRow)),
        opened=bool(board.story.chapter),
        busy=bool(board.story.busy),
        step=board.story.step,
        steps=len(board.story.steps),
        replay=contact.state == "tape",
        viewer=contact.viewer,
    )
