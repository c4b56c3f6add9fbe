"""The faults on a real three-member cluster: the leader is hit, and what that did is measured."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from support.faults_real import strike
from support.watch_real import RealWorld, real_world

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import CardRow
from rwk_tui.board.rows import FaultKindRow, FaultRow, LinkRow, MachineRow, MemberRow
from rwk_tui.faults.catalogue import FaultRefused

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

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

    (healed,) = await world.faults.heal()
    assert healed.id == row.id
    await world.faults.settled()
    (told,) = world.told("card")
    assert "well again after" in told.text, world.report()
    assert "0 of" in told.text
    (card,) = world.hub.board.rows(CardRow)
    assert card.verdict == "holds", world.report()
    assert card.elected == new.leader
    assert card.election_ms is not None and 300 < card.election_ms < SLOWEST
    (outage,) = card.outages
    assert outage.of == "etcd" and 300 < outage.ms < SLOWEST
    await world.healthy()
    if world.member(old).version.startswith(("3.6", "3.7")):
        assert "hashkv equal on 3 members" in told.text
    assert len(world.recorded[-1]) == 0
    assert world.hub.board.rows(FaultRow) == []
    for kind in ("machine", "unit"):
        told_again = [event for event in world.told(kind) if event.at > row.since and "started" not in event.text]
        assert told_again == [], "what the presenter did is told in his name and not again"


async def test_a_leader_that_is_shut_down_hands_over_first(world: RealWorld) -> None:
    old = world.quorum().leader
    struck = await strike(
        world.hub, world.faults, "halt", "leader", lasts_until=lambda _: world.quorum().leader not in ("", old)
    )
    assert struck.effect == f"{old} is halted"
    assert struck.card.elected not in ("", old)
    election = struck.card.election_ms
    assert election is None or election < 800, "nobody had to find out by silence, which takes a second"
    await world.healthy()


async def test_a_program_that_crashes_again_and_again_is_seen_to_and_stays_up_in_the_end(world: RealWorld) -> None:
    old = world.quorum().leader

    def fell_thrice(_: Board) -> bool:
        return len([event for event in world.told("unit") if "failed on" in event.text]) >= 2

    struck = await strike(world.hub, world.faults, "crash-loop", "leader", lasts_until=fell_thrice)
    assert struck.target == f"{old}/etcd"
    assert struck.effect.startswith("etcd failed twice within")
    assert struck.card.elected not in ("", old)
    await world.healthy()
    falls = len(world.told("unit"))
    await world.flowing(60)
    assert len(world.told("unit")) == falls, "nobody kills it any more"


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
    await world.until(
        lambda board: (
            (row := board.get(FaultKindRow, "fault-kind/power-cut")) is not None and "core-02" not in row.targets
        )
    )
    await world.faults.settled()
    (card,) = world.hub.board.rows(CardRow)
    assert (card.fault, card.target, card.healed, card.verdict) == ("destroy", "core-02", 0.0, "holds")
    assert len(world.hub.board.rows(MemberRow)) == 3
