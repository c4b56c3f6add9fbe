"""The catalogue as a whole: what every kind of fault says of itself."""

from __future__ import annotations

import pytest

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import DOMAINS
from rwk_tui.faults.base import Fault
from rwk_tui.faults.kinds import KINDS


def test_kinds_are_in_the_order_of_their_domains_and_no_domain_is_without_one() -> None:
    assert list(dict.fromkeys(kind.domain for kind in KINDS.values())) == list(DOMAINS)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_kind_says_what_it_is_in_few_words(kind: Fault) -> None:
    assert len(kind.title) < 32
    for text in (kind.explain, kind.look, kind.must):
        assert text[0].isupper() or text.startswith("etcd"), text
        assert text.endswith("."), text
        assert 20 < len(text) < 200, text


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_an_empty_board_offers_nothing_to_hit(kind: Fault) -> None:
    assert kind.targets(Board()) == ()
