"""Kubernetes on a real lab, watched through its failures: what is seen, what is told, and how long it took."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio
from support.lab import eventually
from support.story_kube import ONE_KUBERNETES
from support.subnets import free_subnet
from support.watch_kube_real import DEPLOYMENTS, KubeWorld, kube_world, web

from rwk_tui.board.kube_rows import ApiServerRow, LeaseRow, NodeRow, PodRow
from rwk_tui.board.rows import UnitRow
from rwk_tui.cluster.kubernetes.setup import api_server, controllers
from rwk_tui.cluster.kubernetes.timings import timings
from rwk_tui.lab.protocol import Machine
from rwk_tui.settings import Settings

pytestmark = ONE_KUBERNETES


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab(engine_settings: Settings) -> AsyncIterator[KubeWorld]:
    with free_subnet() as subnet:
        async with kube_world(subnet, engine_settings) as made:
            yield made


@pytest_asyncio.fixture(loop_scope="module")
async def world(lab: KubeWorld) -> KubeWorld:
    """The module's lab, serving, with one or two control planes; nothing that was told before counts."""
    for row in lab.hub.board.rows(UnitRow):
        if row.state == "failed":  # controllers end themselves where they could not renew their leases
            await lab.lab.machines[row.machine].unit(row.unit).start()
    await lab.ready()
    await lab.until(lambda board: {row.state for row in board.rows(UnitRow)} == {"running"})
    await lab.until(lambda board: {row.state for row in board.rows(ApiServerRow)} == {"ready"})
    now = lab.hub.now()
    # A lease keeps the name of a holder that is dead until another one takes it.
    await lab.until(lambda board: len([row for row in board.rows(LeaseRow) if row.renewed > now]) == 2)
    lab.began = lab.hub.now()
    return lab


async def with_second_control_plane(world: KubeWorld) -> None:
    """core-02 has an API server and controllers too."""
    if len(world.hub.board.rows(ApiServerRow)) < 2:
        await world.do(api_server(world.machine(2), world.site, world.settings))
        await world.until(lambda board: [row.state for row in board.rows(ApiServerRow)] == ["ready", "ready"])
        await world.do(controllers(world.machine(2), world.site, world.settings))


async def until_waiting(machine: Machine) -> None:
    """Until the controller manager there waits for its lease: it must be up before it can be wanted."""
    unit = machine.unit("kube-controller-manager")

    async def waits() -> bool:
        lines = [line async for line in unit.log(lines=1000)]
        return any("ttempting to acquire leader lease" in line for line in lines)

    await eventually(waits, 30, f"the controller manager of {machine.name} waiting for its lease")


async def test_without_a_quorum_no_api_server_serves_and_it_says_why(world: KubeWorld) -> None:
    await world.until(lambda _: world.canary().acknowledged >= 5)
    world.watcher.alert(60)
    etcd = world.machine(1).unit("etcd")
    await etcd.pause()
    try:
        await world.until(lambda _: world.kube().state == "unready")
        row = world.kube()
        assert not row.fresh
        assert row.why.endswith("so no API server can serve")
        assert "etcd" in world.hub.board.rows(ApiServerRow)[0].failing
        await world.told("api", "so no API server can serve")
    finally:
        await etcd.resume()
    await world.ready()
    await world.told("api", "Kubernetes serves again after")
    await world.until(lambda _: world.canary().state == "flowing")
    assert world.canary().lost == 0


async def test_an_api_server_is_lost_alone_and_all_of_them(world: KubeWorld) -> None:
    await with_second_control_plane(world)
    await world.until(lambda _: world.canary().acknowledged >= 10)
    since = world.hub.now()
    world.watcher.alert(60)
    await world.machine(1).unit("kube-apiserver").kill()
    await world.until(lambda board: [row.state for row in board.rows(ApiServerRow)] == ["down", "ready"])
    before = world.canary().acknowledged
    await world.until(lambda _: world.canary().acknowledged > before + 20)
    assert world.kube().state == "ready"
    assert [gap.ms for gap in world.watcher.api_canary.gaps(since) if gap.ms > 2000] == []
    await world.machine(2).unit("kube-apiserver").kill()
    await world.until(lambda _: world.kube().state == "unreachable")
    row = world.kube()
    assert not row.fresh
    assert row.why.startswith("no API server is up")
    assert world.hub.board.rows(LeaseRow) != []
    await asyncio.gather(*(world.machine(number).unit("kube-apiserver").start() for number in (1, 2)))
    await world.ready()
    event = await world.told("outage", "API writes stopped for")
    assert event.duration_ms is not None
    await world.told("api", "Kubernetes serves again after")
    assert world.canary().lost == 0


async def test_an_idle_standby_takes_the_lease_of_a_dead_holder(world: KubeWorld) -> None:
    await with_second_control_plane(world)
    holder = world.hub.board.get(LeaseRow, "lease/kube-controller-manager")
    assert holder is not None
    (standby,) = {"core-01", "core-02"} - {holder.machine}
    await until_waiting(world.lab.machines[standby])
    world.watcher.expected.disturb(holder.machine, world.hub.now())
    await world.lab.machines[holder.machine].unit("kube-controller-manager").kill()
    event = await world.told("lease", "the lease kube-controller-manager moved")
    assert event.duration_ms is not None
    patience = timings(world.settings)
    assert event.duration_ms <= (patience.lease + 2 * patience.retry + 3) * 1000
    (takeover,) = world.watcher.takeovers(event.at - 1)
    assert (takeover.lease, takeover.machine) == ("kube-controller-manager", standby)
    assert round(takeover.ms, 1) == event.duration_ms
    assert world.watcher.early_takeovers(world.began) == []
    after = world.hub.board.get(LeaseRow, "lease/kube-controller-manager")
    assert after is not None
    assert after.holder != holder.holder
    await world.lab.machines[holder.machine].unit("kube-controller-manager").start()


async def test_a_worker_dies_and_its_pods_run_again_elsewhere(world: KubeWorld) -> None:
    await world.join(2)
    await world.join(3)
    assert world.kube().kubelet == "kwok"
    assert [row.machine for row in world.hub.board.rows(NodeRow)] == ["core-02", "core-03"]
    await world.api.create(DEPLOYMENTS, web(10))
    await world.told("pods", "10 of 10 pods of web run")
    there = len(world.pods("core-03"))
    assert there > 0
    assert {row.key: row for row in await world.api.pods("default")} == {
        row.key: row for row in world.hub.board.rows(PodRow) if row.namespace == "default"
    }
    patience = timings(world.settings)
    at = world.hub.now()
    world.watcher.expected.disturb("core-03", at)
    await world.machine(3).unit("kubelet").kill()
    event = await world.told("node", "core-03 is NotReady")
    assert event.duration_ms is not None
    # From its last renewal, which is up to a quarter of the lease old, until one look of the monitor after the grace.
    least = patience.grace - patience.node_lease / 4 - 0.5
    assert least * 1000 <= event.duration_ms <= (patience.grace + 3 * patience.monitor + 2) * 1000
    await world.told("node", "core-03 is tainted unreachable:NoExecute")
    await world.told("pods", f"{there} pod{'s' if there > 1 else ''} of core-03")
    moved = await world.told("pods", "10 of 10 pods of web run again, elsewhere")
    assert moved.duration_ms is not None
    assert moved.duration_ms >= event.duration_ms + patience.toleration * 1000 - 1000
    assert len(world.pods("core-02")) == 10
    assert world.watcher.pods_replaced(at) == there
    assert len(world.pods("core-03", state="terminating")) == there
    await world.machine(3).unit("kubelet").start()
    await world.told("node", "core-03 is Ready again after")
    await world.until(lambda _: not world.pods("core-03", state="terminating"))
