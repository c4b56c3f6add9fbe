"""The faults on a real three-member cluster: the leader is hit, and what that did is measured."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from support.watch_real import RealWorld, real_world

from rwk_tui.board.rows import FaultKindRow, FaultRow, LinkRow, MachineRow, MemberRow
from rwk_tui.faults.catalogue import FaultRefused

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

SLOWEST = 6000.0
"""ms: an election takes 1 to 2 s at etcd's own timings; a busy test machine gets some more."""


@pytest.fixture
async def world(subnet: int) -> AsyncIterator[RealWorld]:
    async with real_world(subnet) as made:
        yield made


@pytest.mark.parametrize("fault", ["kill-unit", "pause-unit", "power-cut", "partition"])
async def test_the_leader_is_hit_another_is_elected_and_nothing_is_lost(world: RealWorld, fault: str) -> None:
    old = world.quorum().leader
    row = await world.faults.inject(fault, "leader")
    assert row.target.partition("/")[0] == old
    assert [[one.id for one in rows] for rows in world.recorded] == [[row.id]]
    await world.faults.settled()
    new = world.quorum()
    assert new.leader not in ("", old), world.report()
    assert new.state == "degraded"
    assert world.member(old).role != "leader"
    assert world.member(old).health in ("down", "no leader")
    (election,) = world.told("election")
    assert election.duration_ms is not None
    assert 300 < election.duration_ms < SLOWEST, world.report()
    (effect,) = world.told("effect")
    assert f"new leader {new.leader} after" in effect.text
    assert "writes stopped for" in effect.text
    assert effect.duration_ms is not None
    assert effect.duration_ms < SLOWEST

    assert await world.faults.heal() == (row,)
    await world.faults.settled()
    (healed,) = world.told("healed")
    assert "is well again after" in healed.text, world.report()
    assert "0 of" in healed.text
    await world.healthy()
    verdict = await world.watcher.canary.verify()
    assert verdict.done
    if world.member(old).version.startswith(("3.6", "3.7")):
        assert verdict.holds, verdict
        assert "hashkv equal on 3 members" in healed.text
    assert len(world.recorded[-1]) == 0
    assert world.hub.board.rows(FaultRow) == []
    for kind in ("machine", "unit"):
        told = [event for event in world.told(kind) if event.at > row.since and "started" not in event.text]
        assert told == [], "what the presenter did is told in his name and not again"


async def test_two_partitions_heal_one_by_one_and_all_at_once(world: RealWorld) -> None:
    first = await world.faults.inject("partition", "core-01")
    await world.faults.inject("partition", "core-02")
    await world.until(lambda _: world.quorum().state == "lost")
    assert "no quorum: 1 of 3 voters reachable" in world.quorum().why
    await world.faults.heal(first.id)
    await world.until(lambda board: world.quorum().state == "degraded" and bool(world.quorum().leader))
    cut = {(row.source, row.target) for row in world.hub.board.rows(LinkRow) if row.state == "cut"}
    assert cut == {("core-01", "core-02"), ("core-02", "core-01"), ("core-03", "core-02"), ("core-02", "core-03")}
    await world.faults.heal("all")
    await world.healthy()
    assert world.faults.active == ()
    await world.flowing()
    assert (await world.watcher.canary.verify()).lost == 0


async def test_a_destroyed_machine_needs_its_name_and_heals_of_older_faults_do_not_fail(world: RealWorld) -> None:
    await world.faults.inject("pause-unit", "core-02/etcd")
    with pytest.raises(FaultRefused, match="type core-02 to confirm"):
        await world.faults.inject("destroy", "core-02", confirm="core-01")
    await world.faults.inject("destroy", "core-02", confirm="core-02")
    await world.until(lambda board: board.rows(MachineRow)[1].power == "gone")
    await world.until(lambda board: world.member("core-02").why == "core-02 is gone")
    await world.until(lambda board: not board.rows(FaultRow))
    assert await world.faults.heal("all") == ()
    assert world.faults.active == ()
    await world.until(lambda board: "core-02" not in board.rows(FaultKindRow)[0].targets)
    assert len(world.hub.board.rows(MemberRow)) == 3
