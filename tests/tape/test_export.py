"""What is exported is what was on the tape: each event once, the cards and chapters of this run."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from support.programs import one_line, rwk_tui

from rwk_tui.board.frames import Event, Frame, Step, Story
from rwk_tui.tape.export import export
from rwk_tui.tape.read import Tape
from rwk_tui.tape.targets import written_whole
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


@pytest.mark.process
def test_without_a_wish_it_says_what_there_is(tmp_path: Path) -> None:
    finished = rwk_tui("tape", "export", "x.tape", home=tmp_path)
    assert finished.returncode == 2
    assert "--report" in one_line(finished)


def exported(home: Path, tape: Path, *wishes: str) -> str:
    finished = rwk_tui("tape", "export", str(tape), *wishes, home=home)
    assert finished.returncode == 2
    return one_line(finished)


@pytest.mark.process
def test_what_can_t_be_written_is_said_before_anything_is(tmp_path: Path) -> None:
    tape, directory = tmp_path / "t.tape", tmp_path / "home"
    tape.write_bytes((TAPES / "healthy.jsonl").read_bytes())
    directory.mkdir()
    (tmp_path / "link").symlink_to(tape)
    before = sorted(tmp_path.iterdir()), tape.read_bytes()
    report = ("--report", str(tmp_path / "run.md"))
    for wish in (str(tape), str(tmp_path / "link"), str(directory / ".." / "t.tape")):
        assert f"--events {wish}: that is the tape itself" in exported(directory, tape, *report, "--events", wish)
    twice = exported(directory, tape, *report, "--cast", str(directory / ".." / "run.md"))
    assert "--cast" in twice and "that is the file of --report" in twice
    assert "Is a directory" in exported(directory, tape, *report, "--events", str(directory))
    assert "No such file" in exported(directory, tape, *report, "--events", str(tmp_path / "none" / "x"))
    assert f"--stills {tape}: Not a directory" in exported(directory, tape, *report, "--stills", str(tape))
    assert (sorted(tmp_path.iterdir()), tape.read_bytes()) == before


def test_a_full_disk_leaves_an_older_file_whole(tmp_path: Path) -> None:
    (tmp_path / "run.md").write_text("older")
    (tmp_path / "run.md").chmod(0o640)

    def fill_the_disk() -> None:
        with written_whole(tmp_path / "run.md") as out:
            out.write("half of it")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space") as caught:
        fill_the_disk()
    assert caught.value.filename == str(tmp_path / "run.md")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("run.md", "older")]
    assert export(TAPES / "healthy.jsonl", report=tmp_path / "run.md", events=None) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["run.md"]
    assert (tmp_path / "run.md").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "run.md").read_text("utf-8").startswith("# A run of ")


def test_what_is_no_file_is_written_to_and_stays(tmp_path: Path) -> None:
    assert export(TAPES / "healthy.jsonl", report=Path("/dev/null"), events=None) == 0
    assert Path("/dev/null").is_char_device()
    (tmp_path / "link").symlink_to(tmp_path / "run.md")
    export(TAPES / "healthy.jsonl", report=tmp_path / "link", events=None)
    assert (tmp_path / "link").is_symlink() and (tmp_path / "run.md").is_file()
