"""What a soak comes to: what fails it, and what is only counted because the engine is known for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.cards import BUG, card, known, violated

from rwk_tui.board.board import Board
from rwk_tui.board.rows import CanaryRow
from rwk_tui.daemon.soak import Soak, Wanted, _problem
from rwk_tui.daemon.soak_report import Resources, SoakReport, Struck, Totals
from rwk_tui.settings import Settings

NOTHING = Resources(1, 1, ())


def canary(epoch: int, acknowledged: int, lost: int, bug: str = "") -> Board:
    board = Board()
    row = CanaryRow(
        seen_at=1.0, name="etcd", state="flowing", epoch=epoch, acknowledged=acknowledged, lost=lost, known=bug
    )
    board.put(row)
    return board


@pytest.mark.parametrize(
    ("rows", "sums", "good"),
    [
        ([(1, 90, 0, ""), (2, 10, 0, "")], (100, 0, 0), True),
        ([(1, 90, 2, BUG), (2, 10, 0, "")], (100, 2, 2), True),
        ([(1, 90, 2, BUG), (2, 10, 1, "")], (100, 3, 2), False),
        ([(1, 90, 2, BUG), (1, 95, 3, "")], (95, 3, 2), False),
        ([(1, 90, 2, "")], (90, 2, 0), False),
    ],
    ids=["none", "known", "and-another", "and-more", "lost"],
)
def test_only_a_loss_that_is_known_does_not_fail_a_soak(
    tmp_path: Path, rows: list[tuple[int, int, int, str]], sums: tuple[int, int, int], good: bool
) -> None:
    soak = Soak(Settings(state=tmp_path, engine_cache=tmp_path), SoakReport(json=True, of=1), Wanted(1, seed=1))
    for row in rows:
        soak._count(canary(*row))
    totals = soak._totals
    assert (totals.acknowledged, totals.lost, totals.lost_known) == sums
    assert totals.good is good


def test_a_card_of_what_is_known_does_not_end_a_soak() -> None:
    assert _problem(card(1)) == _problem(known(1)) == ""
    assert _problem(violated(1)).startswith("every acknowledged write is there: 2 of 1812")
    assert not Totals(1, faults=1, healed=1, violations=1).good
    assert Totals(1, faults=1, healed=1, known=2).good


def test_people_and_machines_are_told_how_many_are_known(capsys: pytest.CaptureFixture[str]) -> None:
    totals = Totals(7, faults=1, healed=1, acknowledged=1812, lost=2, lost_known=2, known=2)
    for as_json in (False, True):
        report = SoakReport(as_json, 1)
        report.struck(Struck(1, "power-cut", "core-01", 1.0, (known(1),)), NOTHING)
        report.ends(totals, None, None, "", "")
    struck, words, line, summary = capsys.readouterr().out.splitlines()
    assert struck == f"  † 1/1 power-cut core-01 · well after 3.21 s, etcd writes stopped for 1.36 s, {BUG}"
    assert words.startswith("1 of 1 faults healed, 2 of 1812 acknowledged writes lost, 0 violations, 2 known, in 0 s")
    assert json.loads(line)["cards"][0]["verdict"] == "known"
    counted = json.loads(summary)["summary"]
    assert (counted["lost"], counted["lost_known"], counted["violations"], counted["known"]) == (2, 2, 0, 2)
