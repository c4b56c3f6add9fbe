"""Bounds that mean "hardly any time" mean more of it where everything takes longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from rwk_tui.story.load import load_chapter
from rwk_tui.story.patience import patient
from rwk_tui.story.schema import Gap
from rwk_tui.story.shelf import Shelf

CHAPTER = """
title: Gaps
goal: none
steps:
  - title: One
    do:
      - until: {gap: {below_ms: 500}}
      - start-machine: core-02
    expect:
      - gap: {below_ms: 500}
      - gap: {above_ms: 1000}
      - gap: {above_ms: 200, below_ms: 800}
      - writes: flowing
"""


@pytest.mark.parametrize(
    ("slack", "below", "text"),
    [(1.0, 500, "shorter than 500 ms"), (0.5, 500, "shorter than 500 ms"), (4.0, 2000, "shorter than 2 s")],
)
def test_upper_bounds_follow_the_slack_and_say_so(slack: float, below: float, text: str, tmp_path: Path) -> None:
    file = tmp_path / "01-gaps.yaml"
    file.write_text(CHAPTER)
    told = load_chapter(file)
    first, second, third, writes = patient(told, slack).steps[0].expect
    assert isinstance(first.what, Gap) and first.what.below_ms == below
    assert first.text == f"the gap in the writes is {text}"
    assert (second, writes) == (told.steps[0].expect[1], told.steps[0].expect[3]), (
        "lower bounds are promises of their own"
    )
    assert isinstance(third.what, Gap) and third.what.above_ms == 200
    until, start = patient(told, slack).steps[0].do
    assert until.what.check == first and start == told.steps[0].do[1]


def test_a_slow_lab_is_told_its_own_bounds(tmp_path: Path) -> None:
    file = tmp_path / "01-gaps.yaml"
    file.write_text(CHAPTER)
    told = load_chapter(file)
    assert Shelf([told], 4.0).named("01-gaps") == patient(told, 4.0) != told
