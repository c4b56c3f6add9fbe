"""A slow disk: one member's syncs are held back, and that is seen by what it counts itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import chain, repeat
from pathlib import Path

import pytest
from support.faults_etcd import EtcdWorld

from rwk_tui.board.rows import FaultRow
from rwk_tui.faults import disk_slow
from rwk_tui.faults.base import FaultRefused

TARGET = "core-03/etcd"


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EtcdWorld]:
    monkeypatch.setattr(disk_slow, "LOOK", 0.01)
    made = EtcdWorld(tmp_path)
    await made.start()
    await made.until(lambda board: len(made.targets("slow-disk")) == 4)
    yield made
    await made.stop()


def counts(monkeypatch: pytest.MonkeyPatch, *answers: tuple[float, float]) -> None:
    """What the member counts, one look after the other, the last one for ever: seconds in syncs, and syncs."""
    looks: Iterator[tuple[float, float]] = chain(answers, repeat(answers[-1]))

    async def counted(case: object, machine: str) -> tuple[float, float]:
        assert machine == "core-03"
        return next(looks)

    monkeypatch.setattr(disk_slow, "_counted", counted)


async def test_it_is_slowed_shown_and_mended(world: EtcdWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    counts(monkeypatch, (1.0, 1000), (1.001, 1001), (1.001, 1001), (1.501, 1002))
    await world.faults.inject("slow-disk", TARGET)
    assert world.machine("core-03").slow_disks == {"etcd": disk_slow.MILLISECONDS}
    await world.until(lambda board: any(row.effect for row in board.rows(FaultRow)))
    assert world.hub.board.rows(FaultRow)[0].effect == "a sync to the disk of core-03 takes 500 ms"
    (line,) = [line.text for line in world.hub.board.output if line.stream == "command"]
    assert line == "# core-03: each sync of etcd to the disk ends 500 ms late"
    await world.faults.heal()
    assert world.machine("core-03").slow_disks == {"etcd": 0}


async def test_quick_syncs_or_too_few_of_them_show_nothing(world: EtcdWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    case = world.case(TARGET)
    counts(monkeypatch, (1.0, 1000), (1.001, 1001), (1.1, 1020))
    assert await disk_slow.SlowDisk().shows(case) is None
    counts(monkeypatch, (1.0, 1000), (1.6, 1001))
    assert await disk_slow.SlowDisk().shows(case) is None, "that one may have been under way before"


async def test_where_it_can_t_be_done_it_says_why(world: EtcdWorld) -> None:
    world.lab.missing["slow disk"] = "strace is not there: install strace"
    world.faults.kinds()
    assert world.targets("slow-disk") == ()
    with pytest.raises(FaultRefused, match="slow the disk down: strace is not there"):
        await world.faults.inject("slow-disk", TARGET)


async def test_it_is_over_with_the_program(world: EtcdWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    counts(monkeypatch, (0.0, 0))
    await world.faults.inject("slow-disk", TARGET)
    await world.machine("core-03").unit("etcd").stop()
    await world.until(lambda board: not board.rows(FaultRow))


def test_a_slow_disk_does_not_outlive_the_lab_that_made_it() -> None:
    assert disk_slow.SlowDisk.volatile
