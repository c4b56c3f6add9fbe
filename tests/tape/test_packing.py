"""A packed tape keeps what a crash left, notices what was changed, and never unpacks without bound."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from rwk_tui.board.frames import Frame
from rwk_tui.tape import packing
from rwk_tui.tape.packing import Packer
from rwk_tui.tape.read import BadTape, Tape
from rwk_tui.tape.write import TAPE, Header

HEADER = msgspec.json.encode(Header(tape=TAPE)) + b"\n"


def line(number: int) -> bytes:
    return msgspec.json.encode(Frame(seq=number, at=float(number), full=number == 1)) + b"\n"


class Run:
    """A run of frames, one every `every` seconds, packed as the writer does it."""

    def __init__(self, path: Path, frames: int, *, every: float) -> None:
        now = 0.0
        self.packer = Packer(lambda: now)
        self.path = path
        self.written = [self.packer.pack(HEADER)]
        for number in range(1, frames + 1):
            now = number * every
            self.written.append(self.packer.pack(line(number)))
        path.write_bytes(b"".join(self.written))

    def end(self) -> None:
        with self.path.open("ab") as file:
            file.write(self.packer.close())


def parts(path: Path) -> list[bytes]:
    """The parts of a tape, as they are packed."""
    packed, found = path.read_bytes(), []
    while packed:
        unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        unpacker.decompress(packed)
        found.append(packed[: len(packed) - len(unpacker.unused_data)])
        packed = unpacker.unused_data
    return found


def kept(path: Path) -> tuple[list[int], str]:
    tape = Tape(path)
    return [frame.seq for frame in tape], tape.problem


def test_a_crash_keeps_all_but_the_last_second(tmp_path: Path) -> None:
    run = Run(tmp_path / "t.tape", 100, every=0.25)
    numbers, problem = kept(run.path)
    assert numbers[: len(numbers)] == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 96
    assert problem == (
        f"{run.path}: what follows frame {len(numbers)} is missing: the run crashed, or the file was cut off; "
        f"kept the {len(numbers)} frames before it"
    )


def test_wherever_it_is_cut_off_what_is_before_is_kept_and_it_is_told(tmp_path: Path) -> None:
    run = Run(tmp_path / "t.tape", 300, every=0.25)
    run.end()
    whole, before = run.path.read_bytes(), 0
    assert kept(run.path) == (list(range(1, 301)), "")
    for size in range(200, len(whole), 97):
        run.path.write_bytes(whole[:size])
        numbers, problem = kept(run.path)
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= before
        assert problem.count("kept") == 1 and "\n" not in problem
        before = len(numbers)
    assert before > 290


def test_parts_end_so_that_one_that_was_changed_costs_half_a_minute(tmp_path: Path) -> None:
    run = Run(tmp_path / "t.tape", 100, every=1.0)
    run.end()
    whole = run.path.read_bytes()
    second = whole.index(packing.MAGIC, 10)
    changed = bytearray(whole)
    changed[second + 60] ^= 0x10
    run.path.write_bytes(changed)
    numbers, problem = kept(run.path)
    assert numbers == list(range(1, 31))
    assert problem == f"{run.path}: what follows frame 30 does not match its checksum; kept the 30 frames before it"


@pytest.mark.parametrize(
    ("order", "whole", "why"),
    [
        ((0, 2, 3), 30, ":32: the line begins part 3 after 61 frames: as part 2, it follows 30 frames"),
        ((1, 2, 3), 0, "not a tape of rwk-tui"),
        ((0, 2, 1, 3), 30, "begins part 3"),
        ((0, 1, 1, 2, 3), 61, "begins part 2 after 30 frames: as part 3, it follows 61 frames"),
        ((0, 0, 1, 2, 3), 30, ":32: the line is damaged"),
        ((0, 1, 2), 92, ": what follows frame 92 is missing: the run crashed, or the file was cut off"),
        ((0, 1, 2, 3, 3), 100, "comes after the end of the tape"),
    ],
    ids=["lost", "first lost", "swapped", "twice", "first twice", "last lost", "last twice"],
)
def test_parts_that_were_moved_are_noticed_though_each_is_whole(
    tmp_path: Path, order: tuple[int, ...], whole: int, why: str
) -> None:
    run = Run(tmp_path / "t.tape", 100, every=1.0)
    run.end()
    each = parts(run.path)
    assert len(each) == 4 and kept(run.path) == (list(range(1, 101)), "")
    run.path.write_bytes(b"".join(each[number] for number in order))
    if not whole:
        with pytest.raises(BadTape, match=why):
            Tape(run.path)
        return
    numbers, problem = kept(run.path)
    assert numbers == list(range(1, whole + 1))
    assert why in problem and problem.endswith(f"kept the {whole} frames before it")


def test_of_an_older_tape_without_marks_only_what_runs_backwards_is_noticed(tmp_path: Path) -> None:
    old = msgspec.json.encode(Header(tape=1)) + b"\n"
    each = [gzip.compress(b"".join(map(line, numbers))) for numbers in (range(1, 4), range(4, 7), range(7, 10))]
    path, begin = tmp_path / "t.tape", gzip.compress(old)
    path.write_bytes(begin + b"".join(each))
    assert kept(path) == (list(range(1, 10)), "")
    path.write_bytes(begin + each[0] + each[2] + each[1])
    assert kept(path)[1] == f"{path}:8: the line has frame number 4 after number 9; kept the 6 frames before it"
    path.write_bytes(begin + each[0] + each[0])
    assert kept(path)[1] == f"{path}:5: the line has frame number 1 after number 3; kept the 3 frames before it"


def test_a_frame_that_is_missing_in_the_end_is_missed(tmp_path: Path) -> None:
    lines = [HEADER, line(1), line(3), b'{"t":"end","frames":3}\n']
    (tmp_path / "t.tape").write_bytes(b"".join(lines))
    numbers, problem = kept(tmp_path / "t.tape")
    assert numbers == [1, 3]
    assert ":4: the line ends a tape of 3 frames: it follows 2 frames; kept the 2 frames before it" in problem


def test_a_wrong_checksum_alone_is_noticed(tmp_path: Path) -> None:
    run = Run(tmp_path / "t.tape", 3, every=0.1)
    run.end()
    whole = bytearray(run.path.read_bytes())
    whole[-8] ^= 0xFF
    run.path.write_bytes(whole)
    assert kept(run.path) == (
        [],
        f"{run.path}: what follows frame 0 does not match its checksum; nothing could be kept",
    )


@pytest.mark.parametrize("more", [b"\0" * 512, b"more"])
def test_what_was_put_behind_it_is_no_part_of_it(tmp_path: Path, more: bytes) -> None:
    run = Run(tmp_path / "t.tape", 3, every=0.1)
    run.end()
    with run.path.open("ab") as file:
        file.write(more)
    numbers, problem = kept(run.path)
    assert numbers == [1, 2, 3]
    assert "kept the 3 frames" in problem


def test_a_part_that_unpacks_to_too_much_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "PART_LIMIT", 100_000)
    path = tmp_path / "t.tape"
    path.write_bytes(gzip.compress(HEADER + line(1)) + gzip.compress(b" " * 10_000_000))
    numbers, problem = kept(path)
    assert numbers == [1]
    assert "what follows frame 1 is larger than any part of a tape" in problem


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: packing.MAGIC + data, zlib.compress])
def test_what_is_packed_but_no_tape_is_one_line(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "t.tape"
    path.write_bytes(pack(b"hello" * 100_000))
    with pytest.raises(BadTape, match="not a tape of rwk-tui"):
        Tape(path)
