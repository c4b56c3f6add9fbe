"""Chapters that are made: faults of the catalogue, and labs without a story."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import CardRow, Invariant
from rwk_tui.board.rows import FaultRow
from rwk_tui.faults.kinds import KINDS
from rwk_tui.settings import BadInput
from rwk_tui.story.fault_checks import look_at_card, look_at_fault
from rwk_tui.story.fault_schema import CardIs, FaultSeen, Inject
from rwk_tui.story.fault_story import STAGES, made_chapter


def card(number: int, verdict: str = "holds", seen_at: float = 10.0, effect: str = "it is off") -> CardRow:
    broken = Invariant(
        name="every acknowledged write is there",
        holds=False,
        saw="3 of 9 acknowledged writes lost",
        known="known of etcd 3.5.1: etcd#13766" if verdict == "known" else "",
    )
    return CardRow(
        seen_at=seen_at,
        number=number,
        fault="power-cut",
        domain="machine",
        title="Cut the power",
        target="core-01",
        text="core-01 lost its power",
        injected=5.0,
        effect=effect,
        invariants=(broken,) if verdict in ("violated", "known") else (),
        verdict=verdict,  # type: ignore[arg-type]
    )


def board_of(*rows: FaultRow | CardRow) -> Board:
    board = Board()
    for row in rows:
        board.put(row)
    return board


@pytest.mark.parametrize("fault", KINDS)
def test_every_fault_is_a_chapter_that_breaks_sees_heals_and_judges(fault: str) -> None:
    kind = KINDS[fault]
    chapter = made_chapter(f"fault:{fault}" + ("@core-02" if kind.confirm else ""))
    assert chapter.starts is STAGES[kind.stage]
    inject = chapter.steps[0].do[0].what
    assert isinstance(inject, Inject) and inject.confirm == ("core-02" if kind.confirm else "")
    checks = [check.what for step in chapter.steps for check in step.expect]
    assert checks == [FaultSeen(fault=fault), CardIs(fault=fault)]
    assert len(chapter.steps) == (2 if kind.healable else 1)
    for text in (kind.title, kind.explain, kind.look, kind.must):
        assert text and text == text.strip()


def test_a_target_is_what_stands_behind_the_at_sign() -> None:
    inject = made_chapter("fault:pause-unit@core-02/etcd").steps[0].do[0].what
    assert inject.target == "core-02/etcd"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fault:melt", "there is no fault 'melt': there are kill-unit"),
        ("fault:destroy", "name what it is to hit, as in fault:destroy@core-03"),
        ("lab:mainframe", "there is no lab 'lab:mainframe': there are lab:etcd, lab:secured, lab:kubernetes"),
    ],
)
def test_what_can_not_be_made_is_said_in_one_line(name: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        made_chapter(name)


def test_a_bare_lab_has_no_steps() -> None:
    chapter = made_chapter("lab:kubernetes")
    assert chapter.steps == () and chapter.starts.workers


def test_a_fault_is_seen_once_a_probe_says_what_it_sees() -> None:
    row = FaultRow(seen_at=1.0, id="f1", fault="power-cut", target="core-01", since=6.0, text="core-01 lost its power")
    what = FaultSeen(fault="power-cut")
    assert not look_at_fault(what, board_of(row), 5.0).holds
    assert look_at_fault(what, board_of(replace(row, effect="core-01 is off")), 5.0).holds
    assert not look_at_fault(what, board_of(replace(row, effect="old")), 7.0).holds
    assert look_at_fault(what, board_of(card(1)), 5.0).holds, "one that can't be healed has only its card"
    assert not look_at_fault(what, board_of(card(1, effect="")), 5.0).holds


def test_the_newest_card_of_the_step_counts() -> None:
    what = CardIs(fault="power-cut")
    assert not look_at_card(what, board_of(card(1)), 11.0).holds
    assert look_at_card(what, board_of(card(1, "violated"), card(2)), 9.0).holds
    seen = look_at_card(what, board_of(card(1), card(2, "violated")), 9.0)
    assert not seen.holds and seen.final
    assert "3 of 9 acknowledged writes lost" in seen.saw


def test_a_card_of_what_is_known_is_no_failure() -> None:
    what = CardIs(fault="power-cut")
    seen = look_at_card(what, board_of(card(1, "known")), 9.0)
    assert (seen.holds, seen.final, seen.known) == (False, True, "known of etcd 3.5.1: etcd#13766")
    assert seen.saw == "known; every acknowledged write is there: 3 of 9 acknowledged writes lost"
    assert look_at_card(what, board_of(card(1, "violated")), 9.0).known == ""
    late = replace(card(1, "known"), verdict="not well")
    assert look_at_card(what, board_of(late), 9.0).known == "", "that it did not get well is another thing"
