"""Report cards as a list, and one of them in full."""

from __future__ import annotations

from collections.abc import Sequence

from rwk_tui.board import wording
from rwk_tui.board.board import Board
from rwk_tui.board.card_row import CardRow
from rwk_tui.board.card_words import facts
from rwk_tui.board.targets import target_words
from rwk_tui.cockpit import marks, units
from rwk_tui.cockpit.details.page import field, heading
from rwk_tui.cockpit.panes.menu import Item
from rwk_tui.cockpit.text import Line, Tone, clean, line, wrap

VERDICT_CELLS = max(len(mark.both) for mark in marks.VERDICT.values())


def card_items(board: Board) -> tuple[Item, ...]:
    """All cards, newest first: number, time, verdict, fault and target."""
    return tuple(_item(card) for card in sorted(board.all_of(CardRow), key=lambda card: -card.number))


def _item(card: CardRow) -> Item:
    mark = marks.VERDICT[card.verdict]
    what = f"{clean(card.title)}: {target_words(card.target)}"
    label = f"{card.number:>4}  {units.clock(card.injected)}  {mark.both:<{VERDICT_CELLS}}  {what}"
    tone: Tone = mark.tone if card.verdict in ("violated", "not well", "known") else "plain"
    return Item(id=card.key, label=label, tone=tone)


def card_lines(card: CardRow, width: int) -> list[Line]:
    """Everything that a card says, what must hold before the lesser evidence."""
    mark = marks.VERDICT[card.verdict]
    head = line(mark.span(), f"  {card.number}. ", (clean(card.title), "strong"), f": {target_words(card.target)}")
    lines = [*wrap(head, width, 4), *wrap(line((f"{clean(card.text)}, {_times(card)}", "muted")), width), ()]
    for fact in facts(card):
        words = f"{'! ' if fact.amiss else ''}{clean(fact.words)}"
        lines += field(fact.name, (words, "warn" if fact.amiss else "plain"), width=width)
    if card.acknowledged:
        lines += field("writes", f"{units.number(card.acknowledged)} acknowledged", width=width)
    if card.invariants:
        lines += heading("What must hold")
    for one in card.invariants:
        held = marks.VERDICT[one.verdict]
        amiss: Tone = held.tone if one.holds is False else "plain"
        said = line((f"{held.glyph} ", held.tone), (clean(one.name), amiss), (f": {clean(one.words)}", amiss))
        lines += wrap(said, width, 2)
        lines += _quoted(one.evidence, width)
    if card.evidence:
        lines += [*heading("Seen of the fault"), *_quoted(card.evidence, width)]
    return lines


def _times(card: CardRow) -> str:
    if not card.healed:
        return f"{units.clock(card.injected)}, can't be healed"
    lasted = wording.seconds((card.healed - card.injected) * 1000)
    return f"{units.clock(card.injected)}, healed {units.clock(card.healed)} after {lasted}"


def _quoted(evidence: Sequence[str], width: int) -> list[Line]:
    lines: list[Line] = []
    for text in evidence:
        lines += wrap(line((f"  {marks.KIND['evidence']} ", "muted"), (clean(text), "code")), width, 4)
    return lines
