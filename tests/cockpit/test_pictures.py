"""The screen of a recorded run as stills and as an asciicast: what the cockpit would have shown, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support.cockpit_app import cockpit

from rwk_tui.board.frames import Frame, Step, Story
from rwk_tui.cockpit.pictures import run_pictures, steps_of
from rwk_tui.tape.read import BadTape
from rwk_tui.tape.reel import Reel

TAPES = Path(__file__).parent.parent / "tapes"
SIZE = (80, 24)


def screens(cast: Path) -> list[tuple[float, str]]:
    """The screen after each event of an asciicast, without its colours."""
    rows, found = [""] * SIZE[1], []
    for line in cast.read_text("utf-8").splitlines()[1:]:
        at, kind, text = json.loads(line)
        assert kind == "o"
        for row, shown in re.findall(r"\x1b\[(\d+);1H(.*?)(?=\x1b\[\d+;1H|$)", text, re.S):
            rows[int(row) - 1] = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown)
        found.append((at, "\n".join(rows)))
    return found


def test_an_asciicast_shows_the_run_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    tape, cast = TAPES / "leader-power-cut.jsonl", tmp_path / "run.cast"
    run_pictures(cockpit().settings, tape, cast=cast, stills=None, size=SIZE)
    header = json.loads(cast.read_text("utf-8").splitlines()[0])
    assert (header["version"], header["width"], header["height"]) == (2, *SIZE)
    shown = screens(cast)
    times = [at for at, _ in shown]
    assert times == sorted(times)
    assert times[0] == 0.0
    assert all("REPLAY" in text for _, text in shown)
    assert all(len(row) <= SIZE[0] for _, text in shown for row in text.splitlines())
    assert "0:00 /" in shown[0][1] and "at its end" not in shown[0][1]
    assert "■ at its end" in shown[-1][1]
    assert any("↯" in text for _, text in shown), "the power cut is in it"


def test_there_is_a_still_of_each_step(tmp_path: Path) -> None:
    run_pictures(cockpit().settings, TAPES / "story.jsonl", cast=None, stills=tmp_path / "stills", size=SIZE)
    names = sorted(path.name for path in (tmp_path / "stills").iterdir())
    assert [name for name in names if "02-etcd-single" in name][-1].endswith("02-etcd-single-06.svg")
    last = (tmp_path / "stills" / names[-1]).read_text("utf-8")
    assert last.startswith("<svg") and "REPLAY" in last
    assert "@font-face" not in last, "it loads nothing from elsewhere"


def test_a_step_is_shown_as_it_was_when_the_next_one_came() -> None:
    reel = Reel()
    for number, (at, step) in enumerate(((0.0, None), (1.0, 0), (4.0, None), (5.0, 1), (8.0, 2), (9.0, None))):
        steps = (Step(title="a"), Step(title="b"))
        told = Story(chapter="x", steps=steps, step=step) if step is not None else None
        reel.add(Frame(seq=number, at=at, full=not number, story=told))
    assert list(steps_of(reel)) == [("x-01", 4.0), ("x-02", 9.0)]


def test_what_is_no_tape_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hello")
    with pytest.raises(BadTape):
        run_pictures(cockpit().settings, tmp_path / "x", cast=tmp_path / "c", stills=None, size=SIZE)
