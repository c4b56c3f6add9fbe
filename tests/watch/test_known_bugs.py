"""Only a bug with a name excuses anything, and only in the versions that have it."""

from __future__ import annotations

from typing import get_args

import pytest

from rwk_tui.board.board import Board
from rwk_tui.board.rows import MemberRow
from rwk_tui.engines.verdict import verdict
from rwk_tui.watch.known_bugs import KNOWN_BUGS, Symptom, known_bug, versions_that_run

SYMPTOMS: tuple[Symptom, ...] = get_args(Symptom)


@pytest.mark.parametrize("symptom", SYMPTOMS)
@pytest.mark.parametrize("version", ["3.5.0", "3.5.1", "3.5.2"])
def test_what_these_versions_are_known_for_is_named_with_version_and_issue(symptom: Symptom, version: str) -> None:
    assert known_bug(symptom, [version]) == f"known of etcd {version}: etcd#13766"


@pytest.mark.parametrize("symptom", SYMPTOMS)
@pytest.mark.parametrize(
    "version", ["3.4.22", "3.4.23", "3.5.3", "3.5.5", "3.5.12", "3.5.24", "3.6.0", "3.6.16", "3.7.3", "4.0.0"]
)
def test_no_other_version_is_excused(symptom: Symptom, version: str) -> None:
    assert known_bug(symptom, [version]) == ""


def test_one_such_member_is_enough_and_what_is_no_version_excuses_nothing() -> None:
    assert known_bug("unequal hashes", ["3.7.3", "3.5.2", "3.6.16"]) == "known of etcd 3.5.2: etcd#13766"
    assert known_bug("unequal hashes", ["", "3.5", "3.5.x", "master"]) == ""
    assert known_bug("lost write", []) == ""


def test_whoever_installs_such_a_version_is_warned_before() -> None:
    for bug in KNOWN_BUGS:
        for number in (bug.first, bug.last):
            assert "can lose consistency" in verdict(".".join(map(str, number)))


def test_a_member_that_is_down_counts_with_the_version_that_it_told_last() -> None:
    board = Board()
    for name, version, fresh in (("core-01", "3.7.3", True), ("core-02", "3.5.1", False), ("core-03", "", True)):
        board.put(
            MemberRow(
                seen_at=1.0,
                fresh=fresh,
                id=name,
                name=name,
                machine=name,
                role="follower",
                health="healthy",
                since=1.0,
                version=version,
            )
        )
    assert sorted(versions_that_run(board)) == ["3.5.1", "3.7.3"]
