"""Where everything takes longer, "hardly any time" means more of it, and etcdctl waits longer for its answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from rwk_tui.story.load import load_chapter
from rwk_tui.story.patience import patient
from rwk_tui.story.schema import Gap, Run
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


COMMANDS = """
title: Commands
goal: none
steps:
  - title: One
    do:
      - run: {on: core-01, command: "etcdctl put 'a b' c"}
      - run: {on: core-01, command: [etcdctl, get, a b]}
      - run: {on: core-01, command: "ls  'a b'"}
"""


@pytest.mark.parametrize(
    ("slack", "commands"),
    [
        (3.0, ["etcdctl put 'a b' c", ("etcdctl", "get", "a b"), "ls  'a b'"]),
        (
            4.0,
            [
                ("etcdctl", "--command-timeout=20s", "put", "a b", "c"),
                ("etcdctl", "--command-timeout=20s", "get", "a b"),
                "ls  'a b'",
            ],
        ),
    ],
)
def test_etcdctl_waits_longer_on_a_slow_lab(slack: float, commands: list[object], tmp_path: Path) -> None:
    file = tmp_path / "01-commands.yaml"
    file.write_text(COMMANDS)
    runs = [action.what for action in patient(load_chapter(file), slack).steps[0].do]
    assert [run.command for run in runs if isinstance(run, Run)] == commands
