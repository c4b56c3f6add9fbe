"""A tape as the cockpit hears it: read while it plays, wound by keys, deaf to commands."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from rwk_tui.board.frames import Frame
from rwk_tui.board.source import CommandRefused
from rwk_tui.tape.player import Player
from rwk_tui.tape.read import BadTape
from rwk_tui.tape.source import ReplaySource
from rwk_tui.tape.write import TapeWriter


def tape(path: Path, *moments: float) -> Path:
    writer = TapeWriter(path / "t.tape", pytest.fail)
    for number, moment in enumerate(moments):
        writer.write(msgspec.json.encode(Frame(seq=number, at=1000.0 + moment, full=not number)) + b"\n")
    writer.close()
    return writer.path


async def hear(source: ReplaySource, until: int) -> list[int]:
    heard = []
    async with asyncio.timeout(5):
        async for frame in source:
            heard.append(frame.seq)
            if frame.seq == until:
                break
    return heard


async def test_it_gives_the_frames_and_knows_their_time(tmp_path: Path) -> None:
    source = ReplaySource(tape(tmp_path, 0.0, 0.01, 0.02, 0.03))
    assert source.now() >= 1000.0
    assert await hear(source, 3) == [0, 1, 2, 3]
    assert source.now() >= 1000.03


async def test_a_key_wakes_it(tmp_path: Path) -> None:
    source = ReplaySource(tape(tmp_path, 0.0, 1000.0))
    asyncio.get_running_loop().call_later(0.02, source.wind, Player.end)
    assert await hear(source, 1) == [0, 1]
    assert source.position.state == "ended"


async def test_it_stays_open_until_it_is_closed(tmp_path: Path) -> None:
    source = ReplaySource(tape(tmp_path, 0.0))
    heard = asyncio.create_task(hear(source, 99))
    asyncio.get_running_loop().call_later(0.02, lambda: asyncio.ensure_future(source.close()))
    assert await heard == [0]


async def test_nothing_can_be_done_to_a_recording(tmp_path: Path) -> None:
    with pytest.raises(CommandRefused, match="this is a recording"):
        await ReplaySource(tape(tmp_path, 0.0)).call(Frame(seq=1, at=1.0))


async def test_what_was_cut_off_plays_as_far_as_it_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tape(tmp_path, *(0.001 * number for number in range(50)))
    path.write_bytes(path.read_bytes()[:-30])
    source = ReplaySource(path)
    monkeypatch.setattr("rwk_tui.tape.source.TURN", 1000.0)  # All is read before the second frame is due.
    heard: list[int] = []
    stream = aiter(source)
    async with asyncio.timeout(5):
        while f"kept the {len(heard)} frames" not in source.problem:
            heard.append((await anext(stream)).seq)
    assert heard == list(range(len(heard)))
    assert 0 < len(heard) < 50


def test_a_tape_without_a_frame_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadTape, match="the tape is empty"):
        ReplaySource(tape(tmp_path))
