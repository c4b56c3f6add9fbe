"""What is exported is what was on the tape: each event once, the cards and chapters of this run."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from support.programs import one_line, rwk_tui

from rwk_tui.board.frames import Event, Frame, Step, Story
from rwk_tui.tape.export import export
from rwk_tui.tape.read import Tape
from rwk_tui.tape.write import TapeWriter

TAPES = Path(__file__).resolve().parent.parent / "tapes"


def test_events_of_a_real_run_as_json_lines(tmp_path: Path) -> None:
    out = tmp_path / "events.jsonl"
    assert export(TAPES / "leader-power-cut.jsonl", report=None, events=out) == 0
    written = [msgspec.json.decode(line, type=Event) for line in out.read_bytes().splitlines()]
    seen = {event.id: event for frame in Tape(TAPES / "leader-power-cut.jsonl") for event in frame.events}
    assert written == [seen[id] for id in sorted(seen)]
    assert any(event.kind == "election" for event in written)


def test_the_report_tells_faults_and_chapters(tmp_path: Path) -> None:
    out = tmp_path / "run.md"
    assert export(TAPES / "story.jsonl", report=out, events=None) == 0
    text = out.read_text("utf-8")
    assert text.startswith("# A run of ")
    assert "local, etcd 3.7.3" in text.splitlines()[0]
    assert "| 02-etcd-single | A single etcd | 6 | 6 | 0 | 0 |" in text
    assert export(TAPES / "leader-power-cut.jsonl", report=out, events=None) == 0
    assert "What was told" not in out.read_text("utf-8")


def test_foreign_words_stay_in_their_cell(tmp_path: Path) -> None:
    writer = TapeWriter(tmp_path / "t.tape", pytest.fail)
    steps = (Step(title="s", status="passed"),)
    story = Story(chapter="a|b", title="*x*\n# y", steps=steps)
    writer.write(msgspec.json.encode(Frame(seq=1, at=1.0, full=True, story=story)) + b"\n")
    writer.close()
    export(writer.path, report=tmp_path / "run.md", events=None)
    assert r"| a\|b | \*x\* # y | 1 | 1 | 0 | 0 |" in (tmp_path / "run.md").read_text("utf-8")


def test_of_a_damaged_tape_what_was_kept_is_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = (TAPES / "leader-power-cut.jsonl").read_bytes()
    (tmp_path / "t.tape").write_bytes(whole[: len(whole) * 3 // 4])
    assert export(tmp_path / "t.tape", report=None, events=tmp_path / "events.jsonl") == 1
    assert capsys.readouterr().err.count("kept the") == 1
    assert (tmp_path / "events.jsonl").stat().st_size > 0


def test_without_a_wish_it_says_what_there_is(tmp_path: Path) -> None:
    finished = rwk_tui("tape", "export", "x.tape", home=tmp_path)
    assert finished.returncode == 2
    assert "--report" in one_line(finished)
