"""What a tape is said to hold, of real runs and of made ones."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from rwk_tui.board.card_row import CardRow
from rwk_tui.board.frames import Frame, Step, StepStatus, Story
from rwk_tui.board.rows import FaultRow, LabRow
from rwk_tui.tape.info import ChapterTold, look_through, print_info
from rwk_tui.tape.read import BadTape
from rwk_tui.tape.words import info_lines
from rwk_tui.tape.write import TapeWriter

TAPES = Path(__file__).resolve().parent.parent / "tapes"


def story(chapter: str, *statuses: StepStatus) -> Story:
    return Story(chapter=chapter, title="A title", steps=tuple(Step(title="s", status=each) for each in statuses))


def fault(id: str) -> FaultRow:
    return FaultRow(seen_at=1.0, id=id, fault="power-cut", target="core-01", since=1.0, text="x")


def card(number: int) -> CardRow:
    return CardRow(
        seen_at=1.0,
        number=number,
        fault="power-cut",
        domain="machines",
        title="Power cut",
        target="core-01",
        text="x",
        injected=1.0,
        verdict="holds" if number < 3 else "violated",
    )


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A run of two minutes with a card of an earlier run, two faults, and a chapter that was opened anew."""
    writer = TapeWriter(tmp_path / "t.tape", pytest.fail)
    known = msgspec.structs.replace(card(4), verdict="known")
    for frame in (
        Frame(seq=1, at=100.0, full=True, rows=(card(1),)),
        Frame(seq=2, at=130.0, story=story("03-x", "passed", "failed", "waiting"), rows=(fault("f1"),)),
        Frame(seq=3, at=140.0, story=story("03-x", "waiting", "waiting", "waiting"), rows=(fault("f2"), card(2))),
        Frame(seq=4, at=150.0, story=story("04-y", "skipped", "known"), rows=(fault("f2"), card(3), known)),
        Frame(seq=5, at=220.0),
    ):
        writer.write(msgspec.json.encode(frame) + b"\n")
    writer.close()
    return writer.path


def test_it_says_what_there_is(made: Path) -> None:
    info = look_through(made)
    size = made.stat().st_size
    assert (info.seconds, info.frames, info.bytes, info.bytes_a_minute) == (120.0, 5, size, round(size / 2))
    assert info.chapters == (
        ChapterTold(chapter="03-x", title="A title", steps=3, passed=1, failed=1),
        ChapterTold(chapter="04-y", title="A title", steps=2, known=1, skipped=1),
    )
    assert info.faults == ("power-cut core-01", "power-cut core-01")
    assert info.verdicts == {"holds": 1, "violated": 1, "known": 1}, "the card of an earlier run does not count"
    assert info.problem == ""


def test_it_says_so_in_words(made: Path) -> None:
    words = "\n".join(info_lines(made, look_through(made)))
    assert "2 min 0 s" in words
    assert "03-x: A title, 1 passed, 1 failed of 3 steps" in words
    assert "2 × power-cut core-01" in words
    assert "04-y: A title, 1 known, 1 skipped of 2 steps" in words
    assert "✗ 1 violated, † 1 known, ✓ 1 holds" in words


def test_foreign_words_are_only_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lab = LabRow(seen_at=1.0, backend="local\x1b[2J", engines="etcd\x1b]0;mine\x07 3.7", state="ready")
    fault = FaultRow(seen_at=1.0, id="1", fault="power\x9b2J-cut", target="core\r-01", since=1.0, text="")
    steps = (Step(title="s", status="passed"),)
    story = Story(chapter="03\x1b[1A-x", title="A\x1b[31m title\nof two lines", steps=steps)
    writer = TapeWriter(tmp_path / "t.tape", pytest.fail)
    writer.write(msgspec.json.encode(Frame(seq=1, at=1.0, full=True, rows=(lab, fault), story=story)) + b"\n")
    writer.close()
    assert print_info(writer.path, json=False) == 0
    told = capsys.readouterr().out
    assert all(line.isprintable() for line in told.splitlines())
    assert "local, etcd 3.7" in told and "03-x: A title of two lines, 1 passed" in told


def test_a_real_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert print_info(TAPES / "story.jsonl", json=True) == 0
    told = msgspec.json.decode(capsys.readouterr().out)
    assert told["backend"] == "local" and told["engines"] == "etcd 3.7.3"
    assert [(each["chapter"], each["passed"]) for each in told["chapters"]] == [("02-etcd-single", 6)]
    assert told["frames"] > 10 and told["events"] > 10


def test_of_a_damaged_tape_it_says_what_could_be_kept(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made.write_bytes(made.read_bytes()[:-12])
    assert print_info(made, json=False) == 1
    said = capsys.readouterr()
    assert "frames" in said.out
    assert said.err.count("\n") == 1 and "kept the" in said.err


def test_what_is_no_tape_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hello")
    with pytest.raises(BadTape):
        print_info(tmp_path / "x", json=False)
