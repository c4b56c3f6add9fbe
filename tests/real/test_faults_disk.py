"""Faults of one member's disk on a real three-member cluster: each is seen, healed, and proved."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator

import pytest
from support.faults_real import felt, strike
from support.lab import needs
from support.watch_real import RealWorld, real_world

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import CardRow
from rwk_tui.board.rows import MemberRow, UnitRow
from rwk_tui.cluster.etcd import UNIT
from rwk_tui.faults.disk_slow import MILLISECONDS
from rwk_tui.faults.disk_space import QUOTA, VALUE

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]


@pytest.fixture
async def world(subnet: int) -> AsyncIterator[RealWorld]:
    async with real_world(subnet) as made:
        yield made


def leader(world: RealWorld) -> str:
    return f"{world.quorum().leader}/{UNIT}"


def follower(world: RealWorld) -> str:
    return next(f"{row.machine}/{UNIT}" for row in world.hub.board.rows(MemberRow) if row.role == "follower")


def cards(world: RealWorld) -> list[CardRow]:
    return world.hub.board.rows(CardRow)


def environment(world: RealWorld, target: str) -> dict[str, str]:
    row = world.hub.board.get(UnitRow, f"unit/{target}")
    assert row is not None
    return dict(row.environment)


async def is_as_before(world: RealWorld) -> None:
    """Three voters that store the same, nothing that a fault wrote, and writes that flow."""
    await world.healthy()
    await world.flowing()
    assert sorted(row.name for row in world.hub.board.rows(MemberRow)) == ["core-01", "core-02", "core-03"]
    assert [row.alarms for row in world.hub.board.rows(MemberRow)] == [()] * 3
    hashes = await world.watcher.hashes()
    assert hashes.equal, hashes.words()
    client = await world.ground.etcd("core-01")
    assert (await client.page("/rwk/fault/", "/rwk/fault0")).items == ()
    assert (await world.watcher.canary.verify()).holds


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("damaged-db", "failed to open database: invalid database"),
        ("damaged-wal", "walpb: crc mismatch"),
        ("lost-directory", r"member [0-9a-f]+ has already been bootstrapped"),
        ("old-directory", "the member has been permanently removed from the cluster"),
    ],
    ids=["damaged-db", "damaged-wal", "lost-directory", "old-directory"],
)
async def test_a_member_that_can_t_trust_its_disk_ends_and_joins_anew(world: RealWorld, fault: str, words: str) -> None:
    for target in (follower(world), leader(world)):
        before = world.member(target.partition("/")[0]).id
        struck = await strike(world.hub, world.faults, fault, target)
        assert re.match(rf"etcd ended with exit code \d: {words}", struck.effect), struck.effect
        assert felt(struck.card) == [], "the other two are a majority"
        await is_as_before(world)
        assert world.member(target.partition("/")[0]).id != before, "it is another member"


async def test_a_directory_is_lost_once_more_by_a_member_that_had_joined(world: RealWorld) -> None:
    target = follower(world)
    await strike(world.hub, world.faults, "lost-directory", target)
    await is_as_before(world)
    struck = await strike(world.hub, world.faults, "lost-directory", target)
    assert re.search(r"tocommit\(\d+\) is out of range", struck.effect), struck.effect
    await is_as_before(world)


async def test_a_falsified_value_is_named_with_its_member_before_it_is_healed(world: RealWorld) -> None:
    for target in (follower(world), leader(world)):
        name = target.partition("/")[0]
        told: dict[str, str] = {}

        async def ask(row_id: str, told: dict[str, str] = told) -> None:
            for machine in world.lab.machines:
                found = await (await world.ground.etcd(machine)).get(f"/rwk/fault/{row_id}/balance", serializable=True)
                told[machine] = found.value if found is not None else ""

        row = await world.faults.inject("silent-corruption", target, name)
        await world.until(lambda board: bool(world.faults.active[0].effect), 30)
        await ask(row.id)
        lies = {machine for machine, value in told.items() if value.startswith("the balance is 900 ")}
        assert lies == {name} and len(set(told.values())) == 2, told
        assert [one.health for one in world.hub.board.rows(MemberRow)] == ["healthy"] * 3, "nothing else tells"
        (evidence,) = [event.text for event in world.told("evidence") if event.at > row.since]
        key = f"/rwk/fault/{row.id}/balance"
        assert (
            evidence
            == f"{key}: {name} stores '{told[name]}', the others '{next(iter(set(told.values()) - {told[name]}))}'"
        )
        assert world.faults.active[0].effect == f"hashkv DIFFERS on 3 members, all of them healthy: {evidence}"

        output = len(world.hub.board.output)
        await world.faults.heal()
        await world.faults.settled()
        notes = [line.text for line in list(world.hub.board.output)[output:] if line.stream == "note"]
        assert re.match(r"it refuses to start: .* found data inconsistency with peers", notes[0]), notes
        assert "ETCD_FEATURE_GATES" not in environment(world, target)
        card = cards(world)[-1]
        assert card.verdict == "holds", world.report()
        assert card.evidence == (evidence,)
        await is_as_before(world)


async def test_a_slow_disk_is_felt_by_everyone_if_it_leads_and_by_nobody_if_it_follows(world: RealWorld) -> None:
    needs(world.lab.lacks("slow disk"))

    async def fastest() -> float:
        """ms that the fastest of three writes takes, asked of a member whose own disk is fast."""
        client = await world.ground.etcd(quick)
        took = []
        for number in range(3):
            begun = time.monotonic()
            await client.put("/rwk/test", str(number))
            took.append((time.monotonic() - begun) * 1000)
        return min(took)

    for target, is_felt in ((leader(world), True), (follower(world), False)):
        quick = next(name for name in world.lab.machines if f"{name}/{UNIT}" != target)
        row = await world.faults.inject("slow-disk", target)
        await world.until(lambda board: bool(world.faults.active[0].effect), 30)
        found = re.fullmatch(r"a sync to the disk of core-0\d takes (\d+) ms", world.faults.active[0].effect)
        assert found is not None and int(found[1]) >= 0.9 * MILLISECONDS, world.faults.active[0].effect
        assert (await fastest() >= 0.5 * MILLISECONDS) is is_felt
        await world.faults.heal(row.id)
        await world.faults.settled()
        assert cards(world)[-1].verdict == "holds", world.report()
        assert cards(world)[-1].elected == "", "slow is not dead"
        assert await fastest() < 0.5 * MILLISECONDS
    client = await world.ground.etcd("core-01")
    await client.delete("/rwk/test")
    await is_as_before(world)


async def test_a_used_up_quota_stops_all_writes_until_there_is_room(world: RealWorld) -> None:
    def stands_still(_: Board) -> bool:
        return world.canary().state == "failing" and world.canary().gap_ms > 1500

    for target in (follower(world), leader(world)):
        struck = await strike(world.hub, world.faults, "no-space", target, lasts_until=stands_still)
        assert struck.effect.endswith("raised the alarm NOSPACE; a write is refused: etcd's space quota is used up")
        (outage,) = struck.card.outages
        assert outage.ms >= 1500
        await is_as_before(world)
        assert QUOTA not in environment(world, target)
        assert max(row.db_size for row in world.hub.board.rows(MemberRow)) < VALUE, "the room is given back"
