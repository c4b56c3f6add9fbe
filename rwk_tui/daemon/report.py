"""`rwk-tui report`: the cards of all faults that a state directory remembers, with or without a running lab."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from rwk_tui.board.card_row import CardRow
from rwk_tui.board.card_words import card_values
from rwk_tui.board.report import NO_CARDS, markdown, tally
from rwk_tui.board.wording import count
from rwk_tui.daemon.places import cards_file
from rwk_tui.faults.book import decode_cards
from rwk_tui.settings import BadInput, Settings

TITLE = "What was broken, and what held"


def run_report(settings: Settings, *, json: bool, output: Path | None) -> int:
    """Print the cards as Markdown or as JSON lines, or write them to `output`. Raises BadInput or OSError."""
    if output is not None:
        check_writable(output, "--output")
    book = cards_file(settings)
    cards, damaged = _read(book)
    if damaged:
        print(f"rwk-tui: {book}: {count(damaged, 'line')} can't be read and left out", file=sys.stderr)
    text = "".join(f"{card_line(card)}\n" for card in cards) if json else markdown(cards, title=TITLE)
    if output is not None:
        output.write_text(text, encoding="utf-8")
        print(f"{output}: {tally(cards)}" if cards else NO_CARDS)
    elif cards:
        print(text, end="")
    else:
        print(NO_CARDS, file=sys.stderr if json else sys.stdout)
    return 0


def card_line(card: CardRow) -> str:
    """A card as a line of JSON, as every command prints it."""
    return msgspec.json.encode({"card": card_values(card)}).decode()


def check_writable(path: Path, flag: str) -> None:
    """Make sure, before anything long begins, that a file can be written. Raises BadInput."""
    try:
        with path.open("ab"):
            pass
    except OSError as error:
        raise BadInput(f"{flag} {path}: {error.strerror or error}") from None


def write_report(path: Path, cards: Sequence[CardRow], title: str) -> None:
    """Write the cards of one run as Markdown. Raises OSError."""
    path.write_text(markdown(cards, title=title), encoding="utf-8")


def _read(book: Path) -> tuple[list[CardRow], int]:
    try:
        return decode_cards(book.read_bytes())
    except FileNotFoundError:
        return [], 0
