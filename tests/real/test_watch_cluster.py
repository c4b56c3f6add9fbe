"""The watcher on a real three-member cluster: what it sees, and that its check can fail."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest
from support.faults_real import HICCUP
from support.watch_real import RealWorld, real_world

from rwk_tui.board.rows import CanaryRow, LinkRow, MemberRow, UnitRow
from rwk_tui.watch.etcd import EtcdClient, EtcdError

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]


@pytest.fixture
async def world(subnet: int) -> AsyncIterator[RealWorld]:
    async with real_world(subnet) as made:
        yield made


async def test_a_real_cluster_is_shown_as_it_is(world: RealWorld) -> None:
    members = world.hub.board.rows(MemberRow)
    assert [row.health for row in members] == ["healthy"] * 3
    assert sorted(row.role for row in members) == ["follower", "follower", "leader"]
    assert sorted(row.machine for row in members) == sorted(row.name for row in members) == list(world.lab.machines)
    assert all(row.version and row.db_size and row.applied_index and row.latencies for row in members)
    assert len(world.hub.board.rows(LinkRow)) == 6
    assert len(world.told("leader")) == 1
    assert world.told("election") == []
    assert (await world.watcher.canary.verify()).holds


async def test_the_check_finds_a_deleted_acknowledged_key(world: RealWorld) -> None:
    machine = next(iter(world.lab.machines.values()))
    client = EtcdClient(*await machine.reach(2379))
    page = await client.page("/rwk/canary/", "/rwk/canary0", limit=1)
    assert await client.delete(page.items[0].key) == 1
    await client.close()
    verdict = await world.watcher.canary.verify()
    assert (verdict.lost, verdict.missing) == (1, (page.items[0].key,))
    row = world.hub.board.get(CanaryRow, "canary/etcd")
    assert row is not None
    assert row.lost == 1
    assert len(world.told("lost")) == 1


async def test_a_frozen_follower_is_stale_and_disturbs_nobody(world: RealWorld) -> None:
    """Frozen behind everyone's back, by a bare SIGSTOP: nobody announced it, and the others stay live."""
    follower = next(row for row in world.hub.board.rows(MemberRow) if row.role == "follower")
    unit = world.hub.board.get(UnitRow, f"unit/{follower.machine}/etcd")
    assert unit is not None
    os.kill(unit.pid, signal.SIGSTOP)
    try:
        await world.until(lambda _: world.member(follower.name).health == "down")
        stale = world.member(follower.name)
        assert (stale.fresh, stale.version) == (False, follower.version)
        assert stale.why in ("etcd is paused", "no answer within 1 s")
        since = world.hub.now()
        await world.flowing(20)
        others = [row for row in world.hub.board.rows(MemberRow) if row.name != follower.name]
        assert all(row.fresh and row.health == "healthy" and row.seen_at > since for row in others)
        assert world.quorum().state == "degraded"
        assert world.quorum().why == "2 of 3 voters reachable"
        assert [gap for gap in world.watcher.canary.gaps(since) if gap.own_ms > HICCUP] == []
    finally:
        os.kill(unit.pid, signal.SIGCONT)
    await world.healthy()
    assert (await world.watcher.canary.verify()).holds


async def test_quorum_is_lost_and_regained_in_words(world: RealWorld) -> None:
    names = list(world.lab.machines)
    await asyncio.gather(*(world.lab.machines[name].kill() for name in names[1:]))
    await world.until(lambda _: world.quorum().state == "lost")
    assert world.quorum().why == "no quorum: 1 of 3 voters reachable"
    await world.until(lambda _: world.member(names[0]).health == "no leader")
    assert world.member(names[1]).why == f"{names[1]} is off"
    await world.until(lambda board: world.canary().state == "failing")
    client = EtcdClient(*await world.lab.machines[names[0]].reach(2379))
    with pytest.raises(EtcdError) as caught:
        await client.put("/tests/never", "known", timeout=0.5)
    # Which of them comes first, our deadline or etcd's own insight, differs from run to run.
    assert str(caught.value) in ("no answer within 0.5 s", "etcd gave up waiting: its peers are cut off", "no leader")
    assert not caught.value.definite
    await client.close()
    await asyncio.gather(*(world.lab.machines[name].start() for name in names[1:]))
    await world.healthy()
    lost, regained, *_ = world.told("quorum")  # a busy computer may lose it once more
    assert "quorum lost" in lost.text
    assert "quorum regained after" in regained.text
    assert regained.duration_ms is not None
    await world.flowing()
    assert (await world.watcher.canary.verify()).lost == 0


async def test_nothing_listens_where_the_unit_is_stopped(world: RealWorld) -> None:
    name, machine = next(iter(world.lab.machines.items()))
    await machine.unit("etcd").stop()
    client = EtcdClient(*await machine.reach(2379))
    with pytest.raises(EtcdError, match="refused: nothing listens on") as caught:
        await client.put("/tests/refused", "x", timeout=2.0)
    assert caught.value.definite
    await client.close()
    await world.until(lambda _: world.member(name).why == "etcd is stopped")
