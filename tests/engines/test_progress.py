"""How far an install is: what is left, and the three ways to show it."""

from __future__ import annotations

import io
import json
import sys

import pytest
from support.engines_fake import Notes

from rwk_tui.engines.front import BarFront, JsonFront, PlainFront, open_front, time_left
from rwk_tui.engines.pins import engine_pins
from rwk_tui.engines.progress import Progress, Track

PIN = engine_pins("linux")["kwok-0.8"]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def progress(done: float, state: str = "installing", left: int = 100) -> Progress:
    return Progress("kwok-0.8", "0.8.0", state, done, left, "3 of 9 packages compiled")  # type: ignore[arg-type]


def test_at_first_the_estimate_counts_then_the_pace_of_this_run(clock: Clock) -> None:
    notes = Notes()
    track = Track(PIN, notes, 100, clock=clock)
    track.at(0.0, "a")
    clock.now += 10
    track.at(0.05, "b")  # this pace alone would say 190 s
    clock.now += 40
    track.at(0.5, "c")
    left = [one.left_s for one in notes.shown]
    assert left[0] == 100
    assert 95 < left[1] < 190
    assert left[2] == 50


def test_reports_come_once_a_second_at_most_and_the_end_at_once(clock: Clock) -> None:
    notes = Notes()
    track = Track(PIN, notes, 100, clock=clock)
    for number in range(100):
        clock.now += 0.05
        track.at(number / 100, "x")
    track.end("ready", "y")
    assert len(notes.shown) == 6
    assert (notes.shown[-1].state, notes.shown[-1].done, notes.shown[-1].left_s) == ("ready", 1.0, 0)


def test_what_is_known_later_corrects_the_rest(clock: Clock) -> None:
    notes = Notes()
    track = Track(PIN, notes, 1000, clock=clock)
    clock.now += 30
    track.expect(60, done=0.1)
    track.at(0.1, "nothing of the rest is done")
    clock.now += 30
    track.at(0.55, "half of the rest is done")
    assert [one.left_s for one in notes.shown] == [60, 30]


def test_plain_lines_come_at_most_each_five_seconds(clock: Clock) -> None:
    out = io.StringIO()
    front = PlainFront(out, clock=clock)
    for number in range(21):
        front.show(progress(0.01 + number / 100))
        clock.now += 1
    front.show(progress(1.0, "ready"))
    lines = out.getvalue().splitlines()
    assert len(lines) == 5
    assert lines[0] == "  kwok-0.8:   6%, about 2 min left · 3 of 9 packages compiled"
    assert lines[-1] == "✓ kwok-0.8: 3 of 9 packages compiled"
    front.show(progress(0, "failed"))
    assert out.getvalue().splitlines()[-1].startswith("✗ kwok-0.8: ")


def test_json_lines_have_their_shape(capsys: pytest.CaptureFixture[str]) -> None:
    front = JsonFront()
    front.say("to people")
    front.show(progress(1 / 3))
    printed = capsys.readouterr()
    assert printed.err == "to people\n"
    assert json.loads(printed.out) == {
        "engine": "kwok-0.8",
        "version": "0.8.0",
        "state": "installing",
        "done": 0.3333,
        "left_s": 100,
        "text": "3 of 9 packages compiled",
    }


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    with open_front(as_json=False) as front:
        assert isinstance(front, BarFront)
        front.say("[1] is said as it is")
        front.show(progress(0.5))
        front.show(progress(1.0, "ready"))
    printed = capsys.readouterr().out
    assert "[1] is said as it is" in printed
    assert "✓ kwok-0.8" in printed


def test_the_front_follows_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    with open_front(as_json=False) as front:
        assert isinstance(front, PlainFront)
    with open_front(as_json=True) as front:
        assert isinstance(front, JsonFront)


def test_words_for_what_is_left() -> None:
    assert [time_left(seconds) for seconds in (0, 42, 89, 90, 840)] == [
        "about 5 s left",
        "about 40 s left",
        "about 90 s left",
        "about 2 min left",
        "about 14 min left",
    ]
