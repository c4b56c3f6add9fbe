"""Faults under a real Kubernetes: what is cut off, killed or frozen is seen, and all is well after healing."""

from __future__ import annotations

import time

import pytest
from support.story_kube import ONE_KUBERNETES, api_is, node_is, opened, pods_run, report, run, serves, unit_is, until
from support.story_real import Rig

from rwk_tui.board.kube_rows import ApiServerRow, KubeRow
from rwk_tui.board.rows import FaultRow
from rwk_tui.cluster.kubernetes.timings import FAST
from rwk_tui.cluster.ops import OpResult

pytestmark = ONE_KUBERNETES

CHAPTER, PODS = "12-worker-failure", 10
NOTICED = 6.0
"""Seconds in which whoever comes to a frozen API server must be led to another one."""


@pytest.fixture
def stage(shared_rig: Rig) -> Rig:
    return shared_rig


async def with_workers(stage: Rig) -> None:
    """The lab of a chapter with two workers and ten pods on them: as the test before left it, if that was well."""
    hub, well = stage.context.hub, (serves, node_is("core-02", "ready"), node_is("core-03", "ready"))
    if stage.story.chapter != CHAPTER or hub.board.rows(FaultRow) or not all(holds(hub.board) for holds in well):
        await opened(stage, CHAPTER)
    ran = await run(stage.context.lab.desk, "kubectl", "scale", "deployment", "web", f"--replicas={PODS}")
    assert ran.exit_code == 0, ran.stderr
    await until(stage, pods_run(PODS))


async def as_presenter(stage: Rig) -> OpResult:
    return await run(stage.context.lab.desk, "kubectl", "get", "nodes", "--request-timeout=5s")


async def as_kubelet(stage: Rig, name: str) -> OpResult:
    """What kubectl says on a worker's machine, with that kubelet's own kubeconfig."""
    machine = stage.context.lab.machines[name]
    config = f"--kubeconfig={machine.data}/etc/kubernetes/kubelet.conf"
    return await run(machine, "kubectl", config, "get", "node", name, "--request-timeout=2s")


async def heal(stage: Rig) -> None:
    assert len(await stage.faults.heal("all")) == 1
    assert stage.context.hub.board.rows(FaultRow) == []


async def test_a_worker_that_is_cut_off_is_cut_from_the_api_and_comes_back(stage: Rig) -> None:
    await with_workers(stage)
    assert (await as_kubelet(stage, "core-03")).exit_code == 0
    await stage.faults.inject("partition", "core-03")
    noticed = await until(stage, node_is("core-03", "unknown", "not ready"))
    assert noticed >= FAST.grace - FAST.node_lease / 4 - 1, report(stage)
    cut = await as_kubelet(stage, "core-03")
    assert cut.exit_code != 0, cut.stdout
    assert node_is("core-02", "ready")(stage.context.hub.board)
    ran = await as_presenter(stage)
    assert (ran.exit_code, "core-03" in ran.stdout) == (0, True), ran
    assert unit_is("core-03", "kubelet", "running")(stage.context.hub.board), "it runs on and reaches nobody"
    await heal(stage)
    await until(stage, node_is("core-03", "ready"))
    ran = await as_kubelet(stage, "core-03")
    assert ran.exit_code == 0, ran.stderr
    await until(stage, pods_run(PODS))


async def test_what_is_killed_is_seen_and_all_is_well_after_healing(stage: Rig) -> None:
    await with_workers(stage)
    faults = stage.faults

    await faults.inject("kill-unit", "core-03/kubelet")
    await until(stage, unit_is("core-03", "kubelet", "failed"), 5)
    await until(stage, node_is("core-03", "unknown", "not ready"))
    await heal(stage)
    await until(stage, node_is("core-03", "ready"))

    await faults.inject("kill-unit", "core-01/kube-apiserver")
    await until(stage, unit_is("core-01", "kube-apiserver", "failed"), 5)
    await until(stage, api_is("core-01", "down"), 5)
    await until(stage, lambda board: (row := board.get(KubeRow, "kube")) is not None and row.state == "unreachable", 5)
    assert (await as_presenter(stage)).exit_code != 0
    await heal(stage)
    await until(stage, api_is("core-01", "ready"))
    await until(stage, serves)

    await faults.inject("kill-unit", "core-01/etcd")
    await until(stage, unit_is("core-01", "etcd", "failed"), 5)
    await until(stage, api_is("core-01", "unready"), 10)
    row = stage.context.hub.board.get(ApiServerRow, "api-server/core-01")
    assert row is not None and "etcd" in row.failing
    await heal(stage)
    await until(stage, api_is("core-01", "ready"))
    await until(stage, serves)

    # Leaders end themselves when they can't renew their leases; once what kept them from it is healed, they come back.
    for unit in ("kube-controller-manager", "kube-scheduler"):
        await until(stage, unit_is("core-01", unit, "running"))
    ran = await run(stage.context.lab.desk, "kubectl", "scale", "deployment", "web", "--replicas=12")
    assert ran.exit_code == 0, ran.stderr
    await until(stage, pods_run(12))


async def until_answered(stage: Rig) -> float:
    """How long (s) the presenter tries until kubectl works."""
    began = time.monotonic()
    while (ran := await as_presenter(stage)).exit_code != 0:
        assert time.monotonic() - began < 10, f"{ran}\n{report(stage)}"
    return time.monotonic() - began


async def test_a_frozen_api_server_holds_nobody_up_where_there_is_a_second_one(stage: Rig) -> None:
    await opened(stage, "14-ha-control-plane")
    for name, other in (("core-01", "core-02"), ("core-02", "core-01")):
        await stage.faults.inject("pause-unit", f"{name}/kube-apiserver")
        # Dials take turns, so several are needed to be sure that none is led to the frozen one.
        took = [await until_answered(stage) for _ in range(4)]
        assert max(took) < NOTICED, f"{took}\n{report(stage)}"
        await until(stage, api_is(name, "down"), 5)
        assert api_is(other, "ready")(stage.context.hub.board)
        await heal(stage)
        await until(stage, api_is(name, "ready"))
        await until(stage, serves)
    told = [event.text for event in stage.context.hub.board.events if event.kind == "lost"]
    assert told == [], "no write was lost, so none may be said to be"
