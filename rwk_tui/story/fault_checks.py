"""What a step expects of a fault: that a probe sees it, and what its card says in the end."""

from __future__ import annotations

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import CardRow
from rwk_tui.board.rows import FaultRow
from rwk_tui.faults.kinds import KINDS
from rwk_tui.story.fault_schema import CardIs, FaultSeen
from rwk_tui.story.look import Seen


def look_at_fault(what: FaultSeen, board: Board, began: float) -> Seen:
    """Whether the fault that was injected since `began` (unix, s) shows; one that can't be healed has its card."""
    rows = [row for row in board.rows(FaultRow) if row.fault == what.fault and row.since >= began]
    if rows:
        return Seen(bool(rows[-1].effect), rows[-1].effect or f"{rows[-1].text}, nothing seen of it yet")
    cards = [row for row in board.rows(CardRow) if row.fault == what.fault and row.injected >= began]
    if cards:
        card = max(cards, key=lambda card: card.number)
        return Seen(bool(card.effect), card.effect or "no probe saw it")
    return Seen(False, f"no fault {what.fault} was injected")


def look_at_card(what: CardIs, board: Board, began: float) -> Seen:
    """What the newest card of that fault says, if it was handed out since `began` (unix, s)."""
    cards = [row for row in board.rows(CardRow) if row.fault == what.fault and row.seen_at >= began]
    if not cards:
        return Seen(False, "no card yet: it is not well")
    card = max(cards, key=lambda card: card.number)
    saw = [card.verdict, *(f"{one.name}: {one.saw}" for one in card.invariants if one.holds is not True)]
    known = ", ".join(dict.fromkeys(one.known for one in card.known)) if card.verdict == "known" else ""
    return Seen(card.verdict == what.verdict, "; ".join(saw), final=True, known=known)


def fault_words(what: FaultSeen | CardIs) -> str:
    """The sentence for the audience."""
    title = KINDS[what.fault].title.lower() if what.fault in KINDS else what.fault
    if isinstance(what, FaultSeen):
        return f"a probe sees it: {title}"
    return {
        "holds": "all is well again, and what must hold does hold",
        "violated": "something that must hold is violated",
        "not well": "it does not get well",
        "not checked": "what must hold can't be checked",
    }[what.verdict]
