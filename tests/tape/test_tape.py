"""A tape gives back what was written, as far as it is whole."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Event, Frame, Output, Step, Story
from rwk_tui.board.rows import LinkRow, MachineRow, MemberRow, QuorumRow
from rwk_tui.tape.read import BadTape, Tape
from rwk_tui.tape.write import TapeWriter

TAPES = Path(__file__).resolve().parent.parent / "tapes"


def frame(number: int, *, at: float = 0.0) -> Frame:
    event = Event(id=number, at=at, kind="test", level="info", text=f"event {number}")
    return Frame(seq=number, at=at, full=number == 1, events=(event,))


def write(path: Path, *frames: Frame) -> list[str]:
    complaints: list[str] = []
    writer = TapeWriter(path, complaints.append)
    for one in frames:
        writer.write(msgspec.json.encode(one) + b"\n")
    writer.close()
    return complaints


def unpack(path: Path, *, ended: bool = True) -> None:
    """The same tape as plain lines, which are read too; without its last one, as if it had not `ended`."""
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(b"".join(lines if ended else lines[:-1]))


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    frames = [frame(number, at=float(number)) for number in range(1, 4)]
    assert write(tmp_path / "t.jsonl", *frames) == []
    tape = Tape(tmp_path / "t.jsonl")
    assert list(tape) == frames
    assert list(tape) == frames, "it can be read again"
    assert tape.problem == ""


def test_an_older_tape_is_never_overwritten(tmp_path: Path) -> None:
    write(tmp_path / "t.jsonl", frame(1))
    writer = TapeWriter(tmp_path / "t.jsonl", pytest.fail)
    assert writer.path == tmp_path / "t-2.jsonl"
    writer.close()
    assert list(Tape(tmp_path / "t.jsonl")) == [frame(1)]


def test_it_is_packed_and_a_plain_one_is_read_as_well(tmp_path: Path) -> None:
    frames = [frame(number, at=float(number)) for number in range(1, 200)]
    write(tmp_path / "t.tape", *frames)
    packed = (tmp_path / "t.tape").stat().st_size
    unpack(tmp_path / "t.tape")
    assert packed < (tmp_path / "t.tape").stat().st_size / 4
    assert list(Tape(tmp_path / "t.tape")) == frames


def test_a_line_that_was_cut_off_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    write(path, *(frame(number) for number in range(1, 4)))
    unpack(path, ended=False)
    path.write_bytes(path.read_bytes()[:-20])
    tape = Tape(path)
    assert [one.seq for one in tape] == [1, 2]
    assert tape.problem == f"{path}:4: the line is cut off; kept the 2 frames before it"


def test_a_tampered_line_ends_the_tape_there(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    write(path, *(frame(number) for number in range(1, 4)))
    unpack(path)
    path.write_bytes(path.read_bytes().replace(b'"seq":2', b'"seq":"two"'))
    tape = Tape(path)
    assert [one.seq for one in tape] == [1]
    assert f"{path}:3: the line is damaged" in tape.problem
    assert "\n" not in tape.problem


def test_a_line_that_is_no_text_ends_the_tape_there(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    write(path, frame(1))
    unpack(path, ended=False)
    with path.open("ab") as file:
        file.write(b'{"t":"frame","seq":2,"at":2,"gone":["\xff"]}\n')
    tape = Tape(path)
    assert [one.seq for one in tape] == [1]
    assert f"{path}:3: the line is damaged" in tape.problem


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"story": Story(chapter="x", steps=(Step(title="one"),), step=2)}, "step 2 of 1"),
        ({"story": Story(chapter="x", steps=(Step(title="one"),), step=-1)}, "step -1 of 1"),
        ({"at": 1e18}, "a time of 1e+18 s"),
        ({"events": (Event(id=9, at=-1e18, kind="test", level="info", text="x"),)}, "a time of -1e+18 s"),
        ({"output": (Output(at=1e300, step="x", machine="", stream="out", text=""),)}, "a time of 1e+300 s"),
        ({"rows": (MachineRow(seen_at=1.0, name="core-01", power="up", address="", since=1e18),)}, "a time of 1e+18 s"),
    ],
)
def test_a_frame_that_no_screen_can_show_is_damaged(tmp_path: Path, values: dict[str, Any], why: str) -> None:
    path = tmp_path / "t.tape"
    write(path, frame(1), msgspec.structs.replace(frame(2), **values), frame(3))
    tape = Tape(path)
    assert [one.seq for one in tape] == [1]
    assert tape.problem == f"{path}:3: the line is damaged ({why}); kept the 1 frame before it"


def test_it_must_begin_with_the_whole_board(tmp_path: Path) -> None:
    write(tmp_path / "t.jsonl", frame(2))
    tape = Tape(tmp_path / "t.jsonl")
    assert list(tape) == []
    assert "whole board" in tape.problem


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no header"),
        (b"\x7fELF" * 100, "no header"),
        (b"[" * 100_000, "no header"),
        (b'{"version":"\xff"}\n', "no header"),
        (b'{"t":"part","part":2,"frames":3}\n', "no header"),
        (b'{"tape":3,"version":"9.9"}\n', "as tape 3"),
        (b'{"tape":1,"protocol":99,"version":"9.9"}\n', "rwk-tui 9.9"),
    ],
)
def test_what_is_no_tape_is_one_line(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(content)
    with pytest.raises(BadTape, match=why) as said:
        Tape(path)
    assert str(path) in str(said.value)
    assert "\n" not in str(said.value)
    with pytest.raises(BadTape, match="No such file"):
        Tape(tmp_path / "none")


def test_a_failing_disk_is_told_once_and_stops_the_tape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    complaints: list[str] = []
    writer = TapeWriter(tmp_path / "t.jsonl", complaints.append)

    def full(handle: int, line: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rwk_tui.tape.write.os.write", full)
    for _ in range(2):
        writer.write(b"{}\n")
        writer.close()
    assert complaints == [f"the tape {tmp_path / 't.jsonl'} ends here: No space left on device"]
    assert not writer.running


def test_a_place_that_can_t_be_written_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert len(write(tmp_path / "file" / "t.jsonl", frame(1))) == 1
    assert len(write(Path("/"), frame(1))) == 1


@pytest.mark.parametrize("name", ["healthy", "leader-power-cut", "no-quorum", "partition", "stale", "story"])
def test_the_recorded_tapes_are_whole_and_show_what_they_are_named_for(name: str) -> None:
    tape, board = Tape(TAPES / f"{name}.jsonl"), Board()
    quorum: set[str] = set()
    stale = cut = False
    for one in tape:
        board.apply(one)
        quorum |= {row.state for row in board.rows(QuorumRow)}
        cut = cut or any(row.state == "cut" for row in board.rows(LinkRow))
        stale = stale or any(not row.fresh for row in board.rows(MemberRow))
    assert tape.problem == ""
    assert tape.frames > 10
    assert (TAPES / f"{name}.jsonl").stat().st_size < 300_000
    assert ("lost" in quorum) == (name in ("no-quorum", "story")), "a lone member that restarts is no quorum"
    assert cut == (name == "partition")
    assert stale == (name in ("stale", "no-quorum", "leader-power-cut", "story"))


def test_no_word_of_a_foreign_tape_reaches_the_terminal_as_more_than_a_word(tmp_path: Path) -> None:
    path = tmp_path / "t.tape"
    path.write_bytes(b'{"tape":9,"version":"\\u001b]0;mine\\u00071\\u001b[2J.0"}\n')
    with pytest.raises(BadTape) as said:
        Tape(path)
    assert "written by rwk-tui 1.0 as tape 9" in str(said.value)
    path.write_bytes(b'{"tape":2}\n{"t":"\\u001b[2Jframes"}\n')
    tape = Tape(path)
    assert list(tape) == []
    assert "frames" in tape.problem and tape.problem.isprintable()
