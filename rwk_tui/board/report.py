"""Report cards as Markdown: a table of all, then whatever deserves more than a line, the worst first."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence

from rwk_tui.board.card_row import CardRow
from rwk_tui.board.card_words import VERDICTS, election_words, facts, is_plain, measured, outage_words
from rwk_tui.board.targets import target_words
from rwk_tui.board.wording import count, seconds

NO_CARDS = "No cards yet: each fault gets one once it is healed and all is well again."
_HEADS = ("#", "injected", "fault", "target", "etcd out", "api out", "elected", "taken over", "pods", "well after")
_MARKUP = re.compile(r"([\\`*_\[\]<>|~&])")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def markdown(cards: Iterable[CardRow], *, title: str) -> str:
    """The report as a Markdown document that ends with a newline; cards in the order of their numbers."""
    ordered = sorted(cards, key=lambda card: card.number)
    lines = [f"# {plain(title)}", ""]
    if not ordered:
        return "\n".join((*lines, NO_CARDS, ""))
    lines += [tally(ordered), "", *_table(ordered)]
    worst = list(VERDICTS)
    for card in sorted(ordered, key=lambda card: worst.index(card.verdict)):
        if not is_plain(card):
            lines += _section(card)
    return "\n".join((*lines, ""))


def tally(cards: Sequence[CardRow]) -> str:
    """How many ended how, the worst first: "13 faults: 1 violated, 12 hold"."""
    ends = [(verdict, sum(card.verdict == verdict for card in cards)) for verdict in VERDICTS]
    told = [
        f"{number} {'hold' if verdict == 'holds' and number > 1 else verdict}" for verdict, number in ends if number
    ]
    return f"{count(len(cards), 'fault')}: {', '.join(told)}"


def plain(text: str) -> str:
    """Foreign text as Markdown that shows just that text, on one line, in a table too."""
    return _MARKUP.sub(r"\\\1", _UNSEEN.sub(" ", text)).strip()


def _table(cards: Sequence[CardRow]) -> list[str]:
    heads = (*_HEADS, "verdict")
    return [_row(heads), _row(["---"] * len(heads)), *(_row(_cells(card)) for card in cards)]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(card: CardRow) -> tuple[str, ...]:
    out = {one.of: outage_words(one) for one in card.outages}
    taken = (f"{plain(one.lease)} {measured(one.ms, one.resolution_ms)}" for one in card.takeovers)
    verdict = f"{VERDICTS[card.verdict]} {card.verdict}"
    return (
        str(card.number),
        time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(card.injected)),
        plain(card.title),
        plain(target_words(card.target)),
        out.get("etcd", ""),
        out.get("api", ""),
        plain(election_words(card)),
        ", ".join(taken),
        str(card.pods_replaced or ""),
        seconds(card.well_ms) if card.well_ms is not None else "never",
        verdict if card.verdict == "holds" else f"**{verdict}**",
    )


def _section(card: CardRow) -> list[str]:
    heading = f"{VERDICTS[card.verdict]} {card.number}. {card.title}: {target_words(card.target)}, {card.verdict}"
    lines = ["", f"## {plain(heading)}", "", f"{plain(card.text)}.", ""]
    lines += [f"- {fact.name}: {plain(fact.words)}" for fact in facts(card)]
    if card.invariants:
        lines += ["", "What must hold:", ""]
    for one in card.invariants:
        name = f"**{plain(one.name)}**" if one.verdict == "violated" else plain(one.name)
        lines.append(f"- {VERDICTS[one.verdict]} {name}: {plain(one.words)}")
        lines += [f"  - {plain(evidence)}" for evidence in one.evidence]
    if card.evidence:
        lines += ["", "Seen of the fault:", "", *(f"- {plain(evidence)}" for evidence in card.evidence)]
    return lines
