"""The catalogue over a pretended lab: refusals, the record, aliases, and healing what is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.watch_etcd import FakeCluster, refused
from support.watch_lab import FakeLab

from rwk_tui.board.board import Board
from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import FaultKindRow, FaultRow, QuorumRow
from rwk_tui.faults.catalogue import FaultRefused, Faults
from rwk_tui.lab.protocol import UnitStatus
from rwk_tui.settings import Settings, Timeouts
from rwk_tui.watch.watcher import Watcher

WAIT = 5.0
ALL = ("core-01", "core-02", "core-03")


class World:
    """Faults over a pretended lab; `journal` is the order of what was recorded and done."""

    def __init__(self, tmp_path: Path) -> None:
        self.lab = FakeLab()
        self.cluster = FakeCluster()
        self.cluster.lead("core-02", 2, "core-01", "core-03")
        self.hub = Hub()
        self.settings = Settings(
            state=tmp_path, engine_cache=tmp_path, timeouts=Timeouts(election=2.0, member_start=2.0)
        )
        self.watcher = Watcher(
            self.lab, self.hub, self.settings, ledger=tmp_path / "ledger", connect=self.cluster.connect
        )
        self.journal: list[str] = []
        self.faults = Faults(self.lab, self.hub, self.watcher, self.settings, record=self.record)
        for machine in self.lab.fakes.values():
            machine.units["etcd"] = UnitStatus("running", pid=1)
            machine.done = self.journal

    def record(self, rows: tuple[FaultRow, ...]) -> None:
        self.journal.append("record " + ",".join(f"{row.fault}:{row.target}" for row in rows))

    async def start(self) -> None:
        await self.watcher.start()
        self.watcher.alert(60)
        self.faults.kinds()
        assert await self.hub.wait(lambda board: self.leader(board) == "core-02", WAIT)

    async def stop(self) -> None:
        await self.faults.close()
        await self.watcher.stop()

    def leader(self, board: Board) -> str:
        row = board.get(QuorumRow, "quorum")
        return row.leader if row is not None else ""

    def targets(self, kind: str) -> tuple[str, ...]:
        row = self.hub.board.get(FaultKindRow, f"fault-kind/{kind}")
        assert row is not None
        return row.targets

    def told(self, kind: str) -> list[str]:
        return [event.text for event in self.hub.board.events if event.kind == kind]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    await made.start()
    yield made
    await made.stop()


async def test_the_record_is_written_before_anything_is_done(world: World) -> None:
    row = await world.faults.inject("kill-unit", "leader")
    assert row.target == "core-02/etcd"
    assert world.journal == ["record kill-unit:core-02/etcd", "kill core-02/etcd"]
    assert world.hub.board.rows(FaultRow) == [row]
    assert world.told("fault") == ["etcd on core-02 was killed (you)"]
    assert world.hub.board.events[-1].by_presenter


async def test_healing_acts_and_then_forgets(world: World) -> None:
    row = await world.faults.inject("pause-unit", "core-01/etcd")
    world.journal.clear()
    assert await world.faults.heal() == (row,)
    assert world.journal == ["resume core-01/etcd", "record "]
    assert world.hub.board.rows(FaultRow) == []
    await world.faults.settled()
    (healed,) = world.told("healed")
    assert "core-01/etcd is well again" in healed
    assert "0 of" in healed


async def test_a_fault_that_the_lab_refuses_leaves_no_record(world: World) -> None:
    world.lab.fakes["core-01"].fails = "the disk is full"
    with pytest.raises(FaultRefused, match="cut the power, core-01: the disk is full"):
        await world.faults.inject("power-cut", "core-01")
    assert world.journal[-1] == "record "
    assert world.faults.active == ()


@pytest.mark.parametrize(
    ("fault", "target", "confirm", "words"),
    [
        ("melt", "core-01", "", "there is no fault 'melt'"),
        ("power-cut", "core-09", "", "there is no machine 'core-09'"),
        ("kill-unit", "core-01/nginx", "", "core-01/nginx is not running now"),
        ("destroy", "core-01", "", "type core-01 to confirm it"),
        ("destroy", "core-01", "core-02", "type core-01 to confirm it"),
        ("destroy", "leader", "core-02", "name the machine"),
    ],
)
async def test_what_makes_no_sense_is_refused_in_one_line(
    world: World, fault: str, target: str, confirm: str, words: str
) -> None:
    with pytest.raises(FaultRefused, match=words):
        await world.faults.inject(fault, target, confirm)
    assert world.journal == []


async def test_the_same_fault_twice_is_refused(world: World) -> None:
    await world.faults.inject("partition", "core-01")
    with pytest.raises(FaultRefused, match="already: heal it first"):
        await world.faults.inject("partition", "core-01")


async def test_without_a_leader_the_alias_is_refused_and_not_offered(world: World) -> None:
    assert world.targets("power-cut")[0] == "leader"
    world.cluster.statuses.clear()
    world.cluster.broken = {name: refused() for name in ALL}
    assert await world.hub.wait(lambda board: "leader" not in world.targets("power-cut"), WAIT)
    with pytest.raises(FaultRefused, match="etcd has no leader now"):
        await world.faults.inject("power-cut", "leader")


async def test_a_partition_cuts_both_directions_and_only_that_machine(world: World) -> None:
    await world.faults.inject("partition", "core-01")
    cut = {(wire.source, wire.target) for wire in world.lab.wires if wire.is_cut}
    assert cut == {("core-01", "core-02"), ("core-02", "core-01"), ("core-01", "core-03"), ("core-03", "core-01")}
    await world.faults.heal()
    assert not any(wire.is_cut for wire in world.lab.wires)


async def test_healing_one_partition_keeps_the_other(world: World) -> None:
    first = await world.faults.inject("partition", "core-01")
    await world.faults.inject("partition", "core-03")
    await world.faults.heal(first.id)
    cut = {(wire.source, wire.target) for wire in world.lab.wires if wire.is_cut}
    assert all("core-03" in ends for ends in cut)
    assert len(cut) == 4


async def test_healing_is_never_refused(world: World) -> None:
    assert await world.faults.heal() == ()
    assert await world.faults.heal("all") == ()
    assert await world.faults.heal("f99") == ()
    await world.faults.inject("kill-unit", "core-01/etcd")
    world.lab.fakes["core-01"].units.clear()  # its disk went meanwhile
    await world.faults.heal()
    assert world.faults.active == ()
    assert "nothing left to heal" in world.told("heal")[-1]


async def test_a_destroyed_machine_is_not_healable_and_not_active(world: World) -> None:
    await world.faults.inject("destroy", "core-03", confirm="core-03")
    assert world.faults.active == ()
    assert world.journal == ["record destroy:core-03", "destroy core-03", "record "]
    assert await world.hub.wait(lambda board: "core-03" not in world.targets("destroy"), WAIT)


async def test_kinds_are_published_again_only_when_targets_change(world: World) -> None:
    world.hub.drain()
    world.watcher.refresh()
    assert not await world.hub.wait(lambda board: False, 0.3)
    assert not any(isinstance(row, FaultKindRow) for row in world.hub.drain().rows)
    world.lab.fakes["core-03"].now = replace(world.lab.fakes["core-03"].now, power="halted")
    assert await world.hub.wait(lambda board: "core-03" not in world.targets("power-cut"), WAIT)
    assert any(isinstance(row, FaultKindRow) for row in world.hub.drain().rows)


async def test_recorded_faults_are_taken_up_where_they_still_hold(world: World) -> None:
    world.lab.fakes["core-01"].units["etcd"] = UnitStatus("paused", pid=1)
    assert await world.hub.wait(lambda board: "core-01/etcd" not in world.targets("pause-unit"), WAIT)

    def row(number: int, fault: str, target: str) -> FaultRow:
        return FaultRow(seen_at=1, id=f"f{number}", fault=fault, target=target, since=1, text="earlier")

    await world.faults.restore(
        [
            row(1, "pause-unit", "core-01/etcd"),
            row(2, "power-cut", "core-02"),
            row(3, "partition", "core-03"),
            row(4, "melt", "core-01"),
        ]
    )
    assert [one.id for one in world.faults.active] == ["f1", "f3"]
    assert world.lab.link("core-03", "core-01").is_cut
    more = await world.faults.inject("kill-unit", "core-03/etcd")
    assert more.id not in ("f1", "f3")


async def test_a_reset_forgets_every_fault(world: World) -> None:
    await world.faults.inject("kill-unit", "core-01/etcd")
    world.faults.forget()
    assert world.faults.active == ()
    assert world.hub.board.rows(FaultRow) == []
    assert world.journal[-1] == "record "


async def test_a_fault_that_was_mended_by_other_means_is_over(world: World) -> None:
    await world.faults.inject("kill-unit", "core-01/etcd")
    assert await world.hub.wait(lambda board: "core-01/etcd" not in world.targets("kill-unit"), WAIT)
    assert len(world.faults.active) == 1
    await world.lab.fakes["core-01"].unit("etcd").start()
    assert await world.hub.wait(lambda board: not board.rows(FaultRow), WAIT)
    assert world.journal[-1] == "record "
    assert await world.hub.wait(lambda board: "core-01/etcd" in world.targets("kill-unit"), WAIT)
    await world.faults.inject("kill-unit", "core-01/etcd")


async def test_a_power_cut_is_not_healed_into_another_machine(world: World) -> None:
    await world.faults.inject("power-cut", "core-01")
    await world.lab.fakes["core-01"].destroy()
    world.journal.clear()
    await world.faults.heal()
    assert not [line for line in world.journal if line.startswith("start")]
    assert world.hub.board.rows(FaultRow) == []


async def test_what_was_cancelled_in_the_middle_can_be_healed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = asyncio.Event()

    async def hang() -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(world.lab.fakes["core-01"], "kill", hang)
    work = asyncio.create_task(world.faults.inject("power-cut", "core-01"))
    await begun.wait()
    with pytest.raises(FaultRefused, match="already"):
        await world.faults.inject("power-cut", "core-01")
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert [row.target for row in world.faults.active] == ["core-01"]


async def test_without_etcd_nothing_is_said_to_stand_still(tmp_path: Path) -> None:
    made = World(tmp_path)
    made.cluster.statuses.clear()
    made.cluster.broken = {name: refused() for name in ALL}
    for machine in made.lab.fakes.values():
        machine.units.clear()
    await made.watcher.start()
    made.watcher.alert(60)
    made.faults.kinds()
    assert await made.hub.wait(lambda board: "core-01" in made.targets("power-cut"), WAIT)
    await made.faults.inject("power-cut", "core-01")
    await made.faults.settled()
    assert made.told("effect") == ["core-01 lost its power → there is no etcd that could feel it"]
    await made.stop()
