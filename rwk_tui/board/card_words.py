"""A report card in words: the same on the screen, in the report and without a screen."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from rwk_tui.board.card_row import CardRow, Outage, Verdict
from rwk_tui.board.row import Row
from rwk_tui.board.wording import count, seconds, stood_still

VERDICTS: dict[Verdict, str] = {"violated": "✗", "not well": "!", "known": "†", "not checked": "○", "holds": "✓"}
"""The glyph of each verdict, the worst first."""
_OF_THE_BOARD = {"row", *Row.__struct_fields__}


class Fact(NamedTuple):
    """One thing that a card says; `amiss` where it is not as it should be."""

    name: str
    words: str
    amiss: bool = False


def facts(card: CardRow) -> tuple[Fact, ...]:
    """What was measured, in the order in which it happened; what there was none of is left out."""
    return tuple(
        filter(None, (_seen(card), *_outages(card), _election(card), *_takeovers(card), _pods(card), _well(card)))
    )


def measured(ms: float, resolution_ms: float) -> str:
    """A duration with how finely it is known: "1.36 s ± 50 ms"."""
    return f"{seconds(ms)} ± {seconds(resolution_ms)}" if resolution_ms else seconds(ms)


def outage_words(outage: Outage) -> str:
    """How long it was, and for how much of that the computer itself stood still."""
    return measured(outage.ms, outage.resolution_ms) + stood_still(outage.still_ms)


def election_words(card: CardRow) -> str:
    """Who was elected and after how long, "" where nobody was."""
    if not card.elected:
        return ""
    if card.election_ms is None:
        return f"{card.elected}, handed over"
    return f"{card.elected} after {measured(card.election_ms, card.election_resolution_ms)}"


def is_plain(card: CardRow) -> bool:
    """Whether there is nothing to say of it beyond its line in a table."""
    return card.verdict == "holds" and not card.evidence


def card_values(card: CardRow) -> dict[str, Any]:
    """The card for JSON: its own fields, without those that every row of the board has."""
    values: dict[str, Any] = msgspec.to_builtins(card)
    return {name: value for name, value in values.items() if name not in _OF_THE_BOARD}


def _seen(card: CardRow) -> Fact:
    if not card.effect:
        return Fact("seen", "no probe saw it", amiss=True)
    after = f", after {seconds(card.effect_ms)}" if card.effect_ms is not None else ""
    return Fact("seen", f"{card.effect}{after}")


def _outages(card: CardRow) -> list[Fact]:
    return [Fact("outage", f"no {one.of} writes for {outage_words(one)}") for one in card.outages]


def _election(card: CardRow) -> Fact | None:
    words = election_words(card)
    return Fact("elected", words) if words else None


def _takeovers(card: CardRow) -> list[Fact]:
    return [
        Fact("taken over", f"{one.lease} by {one.machine} after {measured(one.ms, one.resolution_ms)}")
        for one in card.takeovers
    ]


def _pods(card: CardRow) -> Fact | None:
    return Fact("pods", f"{count(card.pods_replaced, 'pod')} replaced") if card.pods_replaced else None


def _well(card: CardRow) -> Fact:
    since = "its healing" if card.healed else "that"
    if card.well_ms is None:
        return Fact("well", f"NOT well again after {since}", amiss=True)
    return Fact("well", f"all well {seconds(card.well_ms)} after {since}")
