"""What a lane does with the pieces it is given: when each is due, and that none overtakes another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from support.lab import eventually, local_settings

from rwk_tui.lab.local.lab import LocalLab
from rwk_tui.lab.local.links import LocalLink
from rwk_tui.lab.local.wire import End, Wire


@dataclass
class Given:
    """A link whose delays (s) a test gives, one a piece."""

    draws: Iterator[float]
    longest: float = 10.0
    is_cut: bool = False

    def draw(self) -> float:
        return next(self.draws)


@dataclass
class Sink:
    """A transport that keeps what it is given, and when."""

    came: list[tuple[bytes, float]] = field(default_factory=list)
    reading: bool = True
    ended: str = ""

    def write(self, data: bytes) -> None:
        self.came.append((data, asyncio.get_running_loop().time()))

    def write_eof(self) -> None:
        self.ended = "eof"

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return bool(self.ended)

    def close(self) -> None:
        self.ended = self.ended or "closed"

    def abort(self) -> None:
        self.ended = "reset"

    def get_extra_info(self, name: str) -> None:
        return None


def joined(link: Given) -> tuple[Wire, End, Sink, set[Wire]]:
    """A connection whose way there is that link: where to put data in, and where they come out."""
    client, server, sink = End(), End(), Sink()
    server.transport = sink  # type: ignore[assignment]
    client.transport = Sink()  # type: ignore[assignment]
    wires: set[Wire] = set()
    wire = Wire(client, server, dialled_by="a", served_by="b", there=link, back=None, wires=wires)
    return wire, client, sink, wires


async def arrived(sink: Sink, count: int) -> list[bytes]:
    async def so_many() -> bool:
        return len(sink.came) >= count

    await eventually(so_many, 5, f"{count} pieces")
    return [data for data, _ in sink.came]


async def test_a_piece_waits_for_the_one_before_it() -> None:
    _, client, sink, _ = joined(Given(iter([0.1, 0.0, 0.05, 0.15])))
    begun = asyncio.get_running_loop().time()
    for piece in (b"1", b"2", b"3", b"4"):
        client.data_received(piece)
    assert await arrived(sink, 4) == [b"1", b"2", b"3", b"4"]
    late = [at - begun for _, at in sink.came]
    assert late[0] >= 0.1
    assert late[2] - late[0] < 0.04, "they were due before it"
    assert late[3] >= 0.15


async def test_an_end_waits_for_what_was_said_before_it() -> None:
    _, client, sink, _ = joined(Given(iter([0.1, 0.0])))
    client.data_received(b"last words")
    client.eof_received()
    assert not sink.came and not sink.ended

    async def ended() -> bool:
        return sink.ended == "eof"

    await eventually(ended, 5, "the end")
    assert [data for data, _ in sink.came] == [b"last words"]


@pytest.mark.parametrize("second", [30.0, 0.0])
async def test_a_shorter_delay_is_shorter_for_what_waits_already(second: float) -> None:
    link = Given(iter([30.0, second]), longest=30.0)
    wire, client, sink, _ = joined(link)
    client.data_received(b"1")
    client.data_received(b"2")
    link.longest = 0.0
    wire.adjust()
    assert await arrived(sink, 2) == [b"1", b"2"]


async def test_what_is_not_held_back_is_passed_on_at_once() -> None:
    _, client, sink, _ = joined(Given(iter([0.0, 0.0])))
    for piece in (b"1", b"2"):
        client.data_received(piece)
    assert [data for data, _ in sink.came] == [b"1", b"2"]


async def test_a_reset_forgets_what_was_on_its_way() -> None:
    wire, client, sink, wires = joined(Given(iter([0.05])))
    client.data_received(b"1")
    wire.reset()
    assert sink.ended == "reset"
    assert not wires
    await asyncio.sleep(0.1)  # longer than it would have taken
    assert not sink.came


@pytest.fixture
def link(tmp_path: Path, subnet: int) -> LocalLink:
    return LocalLab(local_settings(tmp_path, subnet=subnet), {}, chance=Random(5)).link("core-01", "core-02")


async def test_jitter_is_drawn_evenly_from_a_source_that_can_be_repeated(link: LocalLink) -> None:
    await link.delay(100, 40)
    drawn = [link.draw() for _ in range(2000)]
    same = Random(5)
    assert drawn == [(100 + same.uniform(-40, 40)) / 1000 for _ in range(2000)]
    assert 0.060 <= min(drawn) < 0.062 and 0.138 < max(drawn) <= 0.140
    assert link.longest == 0.140
    await link.delay(100)
    assert {link.draw() for _ in range(5)} == {0.1}


async def test_a_lab_of_its_own_draws_other_numbers(tmp_path: Path, subnet: int) -> None:
    draws = []
    for name in ("one", "two"):
        link = LocalLab(local_settings(tmp_path / name, subnet=subnet), {}).link("core-01", "core-02")
        await link.delay(100, 40)
        draws.append([link.draw() for _ in range(3)])
    assert draws[0] != draws[1]
