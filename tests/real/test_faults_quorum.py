"""Two machines of three on a real cluster: for a while, and for good."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from support.faults_real import strike
from support.watch_real import RealWorld, real_world

from rwk_tui.board.board import Board
from rwk_tui.board.rows import FaultKindRow, MachineRow, MemberRow, UnitRow

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

PAIRS = ("core-01+core-02", "core-01+core-03", "core-02+core-03")


@pytest.fixture
async def world(subnet: int) -> AsyncIterator[RealWorld]:
    async with real_world(subnet) as made:
        yield made


async def is_whole(world: RealWorld) -> None:
    await world.healthy()
    await world.flowing()
    assert sorted(row.name for row in world.hub.board.rows(MemberRow)) == ["core-01", "core-02", "core-03"]
    assert [row.power for row in world.hub.board.rows(MachineRow)] == ["up"] * 3
    hashes = await world.watcher.hashes()
    assert hashes.equal, hashes.words()


async def test_nothing_is_acknowledged_while_two_are_off_and_nothing_is_lost_by_it(world: RealWorld) -> None:
    for target in ("leader", PAIRS[1]):

        def stands_still(board: Board) -> bool:
            return world.canary().state == "failing" and world.canary().gap_ms > 2000

        struck = await strike(world.hub, world.faults, "lose-two", target, lasts_until=stands_still)
        assert struck.effect == "no quorum: 1 of 3 voters reachable"
        (outage,) = struck.card.outages
        assert outage.ms > 2000, "without a majority nothing is acknowledged"
        assert struck.card.acknowledged > 0
        await is_whole(world)


async def test_two_lost_for_good_are_replaced_around_the_survivor_and_what_is_lost_is_counted(
    world: RealWorld,
) -> None:
    for number, target in enumerate(PAIRS[:2], 1):
        kind = world.hub.board.get(FaultKindRow, "fault-kind/lose-two-forever")
        assert kind is not None and kind.targets == PAIRS
        assert world.canary().epoch == number
        before = world.watcher.canary.acknowledged
        struck = await strike(world.hub, world.faults, "lose-two-forever", target)
        assert struck.effect == "no quorum: 1 of 3 voters reachable"
        survivor = next(name for name in world.lab.machines if name not in target)
        assert struck.card.elected == survivor
        (counted,) = struck.card.evidence
        assert counted.startswith("from the disks that are left: ") and "acknowledged writes" in counted
        await is_whole(world)
        assert world.canary().epoch == number + 1
        await world.holds(lambda: world.watcher.canary.aftermath is not None)
        aftermath = world.watcher.canary.aftermath
        assert aftermath is not None and (aftermath.epoch, aftermath.why) == (number, "")
        assert aftermath.acknowledged >= before
        assert aftermath.found + aftermath.gone == aftermath.acknowledged
        assert [event for event in world.told("epoch") if "acknowledged writes are back" in event.text]
        for row in world.hub.board.rows(UnitRow):
            assert "ETCD_FORCE_NEW_CLUSTER" not in dict(row.environment), "a later start would throw out the others"
