"""The arithmetic of outages."""

from __future__ import annotations

import pytest

from rwk_tui.watch.gaps import Gaps


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
