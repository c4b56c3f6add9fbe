"""The arithmetic of outages."""

from __future__ import annotations

import pytest

from rwk_tui.watch.gaps import Gap, Gaps, longest


def test_a_steady_beat_has_no_gap() -> None:
    gaps = Gaps()
    assert all(gaps.acknowledged(100 + n * 0.2, 0.2) is None for n in range(50))
    assert gaps.since(0) == []


def test_a_gap_is_measured_between_acknowledgements_with_the_coarser_resolution() -> None:
    gaps = Gaps()
    gaps.acknowledged(100.0, 0.2)
    gap = gaps.acknowledged(101.36, 0.05)
    assert gap is not None
    assert gap.ms == pytest.approx(1360)
    assert gap.resolution == 0.2
    assert gaps.since(100.5) == [gap]
    assert gaps.since(101.36) == []


def test_a_late_acknowledgement_at_the_calm_rate_is_no_gap() -> None:
    gaps = Gaps()
    gaps.acknowledged(100.0, 0.2)
    assert gaps.acknowledged(100.45, 0.2) is None
    assert gaps.acknowledged(100.97, 0.2) is not None


def test_the_present_gap_grows_until_an_acknowledgement() -> None:
    gaps = Gaps()
    assert gaps.current(100.0, 0.05) is None
    gaps.acknowledged(100.0, 0.05)
    assert gaps.current(100.2, 0.05) is None
    lasting = gaps.current(102.0, 0.05)
    assert lasting is not None
    assert lasting.ms == pytest.approx(2000)


def test_a_pause_on_purpose_is_no_gap() -> None:
    gaps = Gaps()
    gaps.acknowledged(100.0, 0.2)
    gaps.restart()
    assert gaps.current(200.0, 0.2) is None
    assert gaps.acknowledged(200.0, 0.2) is None


def test_an_acknowledgement_that_comes_late_and_out_of_order_changes_nothing() -> None:
    gaps = Gaps()
    gaps.acknowledged(100.0, 0.05)
    gaps.acknowledged(99.0, 0.05)
    assert gaps.last == 100.0


def test_what_this_computer_stood_still_in_a_gap_is_known_of_it_and_said() -> None:
    gaps = Gaps(lambda _start, _end: 0.6)
    gaps.acknowledged(100.0, 0.05)
    lasting, ended = gaps.current(100.763, 0.05), gaps.acknowledged(100.763, 0.05)
    assert ended is not None and lasting == ended
    assert (ended.ms, ended.still_ms, ended.own_ms) == pytest.approx((763, 600, 163))
    assert ended.words() == "0.76 s, this computer stood still for 0.60 s in it"


def test_a_moment_of_standing_still_is_neither_said_nor_taken_off() -> None:
    gaps = Gaps(lambda _start, _end: 0.09)
    gaps.acknowledged(100.0, 0.05)
    gap = gaps.acknowledged(100.763, 0.05)
    assert gap is not None
    assert gap.own_ms == gap.ms
    assert gap.words() == "0.76 s"


def test_the_longest_gap_is_the_one_of_which_most_is_left() -> None:
    ours, theirs = Gap(100.0, 102.0, 0.05, still=1.9), Gap(110.0, 110.5, 0.05)
    assert longest([ours, theirs]) == theirs
    assert longest([]) is None
