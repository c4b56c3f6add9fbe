"""What a step makes of Kubernetes: each kind of check on a pretended one, and what it says it saw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from support.story_fakes import Stage, stage
from support.watch_kube import FakeKube, FakeKubernetes, deployment, lease, node, pod

from rwk_tui.board.kube_rows import ApiServerRow, ApiState
from rwk_tui.board.rows import MemberRow, UnitRow
from rwk_tui.lab.protocol import UnitStatus
from rwk_tui.story.checks import Memory, Outcome, wait_for
from rwk_tui.story.load import _check
from rwk_tui.watch.kube.kinds import CONTROL_LEASES, DEPLOYMENTS, NODE_LEASES, NODES, PODS
from rwk_tui.watch.kube.refusals import no_listener
from rwk_tui.watch.kube.wire import NodeInfo

CHAPTER = "title: a\ngoal: b\nsteps:\n  - title: One\n"
MACHINES = ("core-01", "core-02", "core-03")
ACTED = 100.0


@pytest.fixture
def demo(tmp_path: Path) -> Stage:
    return stage(tmp_path, CHAPTER)


@pytest.fixture
def kubernetes(demo: Stage) -> FakeKubernetes:
    """core-02 is ready with two pods that run and one that starts, core-03 is lost with one that ends."""
    made = FakeKubernetes()
    made.put(NODES, node("core-02"), node("core-03", ready=None))
    made.put(NODE_LEASES, lease("core-02", "core-02", ACTED))
    default = PODS.within("default")
    starting, web = pod("web-3", "core-02"), deployment("web", 4)
    starting.status.phase, web.status.ready_replicas = "Pending", 4
    made.put(default, pod("web-1", "core-02"), pod("web-2", "core-02"), starting)
    made.put(default, pod("web-4", "core-03", ending=True), pod("web-5"), pod("other-1", "core-02", owner="other"))
    made.put(DEPLOYMENTS.within("default"), web)
    made.put(CONTROL_LEASES, lease("kube-scheduler", "core-01_6a1f", ACTED), lease("kube-controller-manager", ""))
    demo.watcher.kube = FakeKube(made, "any", MACHINES)
    return made


async def test_a_node_is_ready_once_it_takes_pods(demo: Stage, kubernetes: FakeKubernetes) -> None:
    wanted = {"nodes": {"ready": ["core-02"]}}
    kubernetes.put(NODES, node("core-02", taints=["node.kubernetes.io/not-ready:NoSchedule"]))
    outcome = await ask(demo, wanted)
    assert (outcome.holds, outcome.saw) == (False, "core-02 ready but tainted, core-03 unknown")
    cordoned = node("core-02", taints=["node.kubernetes.io/unschedulable:NoSchedule"], cordoned=True)
    kubernetes.put(NODES, cordoned)
    assert (await ask(demo, wanted)).holds, "somebody wants it that way"


async def ask(demo: Stage, given: dict[str, Any], seconds: float = 0.0) -> Outcome:
    memory = Memory(began=ACTED - 50, acted=ACTED)
    return await wait_for(_check(given, ()), demo.context, memory, seconds, lambda _saw: None)


@pytest.mark.parametrize(
    ("given", "holds", "saw"),
    [
        ({"nodes": {"ready": ["core-02"]}}, True, "core-02 ready, core-03 unknown"),
        ({"nodes": {"ready": ["core-02"], "not_ready": ["core-03"]}}, True, "core-03 unknown"),
        ({"nodes": {"ready": ["core-02", "core-03"]}}, False, "core-03 unknown"),
        ({"nodes": {"not_ready": ["core-02"]}}, False, "core-02 ready"),
        ({"nodes": {"not_ready": ["core-01"]}}, False, "core-02 ready, core-03 unknown"),
        ({"nodes": {"ready": ["core-01"]}}, False, "core-02 ready, core-03 unknown"),
        ({"pods": {"of": "web", "running": 2}}, True, "2 running on core-02"),
        ({"pods": {"of": "web", "running": 3}}, False, "1 pending, 2 running on core-02, 1 starting on core-02"),
        ({"pods": {"of": "web", "pending": 2}}, True, "1 starting on core-02"),
        ({"pods": {"of": "web", "terminating": 1, "on": "core-03"}}, True, "1 terminating on core-03"),
        ({"pods": {"of": "web", "terminating": 1, "not_on": "core-03"}}, False, "1 terminating on core-03"),
        ({"pods": {"of": "web", "running": 2, "on": "core-02"}}, True, "2 running on core-02"),
        ({"pods": {"of": "web", "running": 2, "not_on": "core-02"}}, False, "2 running on core-02"),
        ({"pods": {"of": "web", "running": 0, "terminating": 1, "pending": 0, "on": "core-03"}}, True, "core-03"),
        ({"pods": {"of": "none", "running": 0}}, True, "no pods"),
        ({"deployment": {"name": "web", "wanted": 4, "ready": 4}}, True, "4 of 4 ready"),
        ({"deployment": {"name": "web", "wanted": 5}}, False, "4 of 4 ready"),
        ({"deployment": {"name": "web", "ready": 3}}, False, "4 of 4 ready"),
        ({"deployment": {"name": "web", "exists": False}}, False, "4 of 4 ready"),
        ({"deployment": {"name": "db", "exists": False}}, True, "there is no db"),
        ({"deployment": {"name": "db", "wanted": 1}}, False, "there is no db"),
        ({"lease": {"name": "kube-scheduler", "holder": "core-01"}}, True, "core-01"),
        ({"lease": {"name": "kube-scheduler", "holder": "core-02"}}, False, "core-01"),
        ({"lease": {"name": "kube-scheduler", "other_than": "core-02"}}, True, "core-01"),
        ({"lease": {"name": "kube-scheduler", "other_than": "core-01"}}, False, "core-01"),
        ({"lease": {"name": "kube-scheduler"}}, True, "core-01"),
        ({"lease": {"name": "kube-controller-manager"}}, False, "nobody holds it"),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_what_a_check_makes_of_kubernetes(
    given: dict[str, Any], holds: bool, saw: str, demo: Stage, kubernetes: FakeKubernetes
) -> None:
    outcome = await ask(demo, given)
    assert outcome.holds is holds, outcome.saw
    assert saw in outcome.saw


KUBE_CHECKS: list[dict[str, Any]] = [
    {"nodes": {"ready": ["core-02"]}},
    {"pods": {"of": "none", "running": 0}},
    {"deployment": {"name": "db", "exists": False}},
    {"lease": {"name": "kube-scheduler"}},
]


@pytest.mark.parametrize("given", KUBE_CHECKS, ids=str)
async def test_where_the_api_can_not_say_nothing_holds_and_why_is_told(
    given: dict[str, Any], demo: Stage, kubernetes: FakeKubernetes
) -> None:
    kubernetes.down["any"] = no_listener()
    outcome = await ask(demo, given)
    assert (outcome.holds, outcome.saw) == (False, "no API server listens")
    kubernetes.down.clear()
    kubernetes.hung.add("any")
    outcome = await ask(demo, given)
    assert (outcome.holds, outcome.saw) == (False, "the API server does not answer within 2 s")


@pytest.mark.parametrize("given", KUBE_CHECKS, ids=str)
async def test_without_kubernetes_nothing_holds(given: dict[str, Any], demo: Stage) -> None:
    assert (await ask(demo, given)).saw == "there is no Kubernetes"
    assert not (await ask(demo, given)).holds


async def test_a_lease_that_nobody_ever_wanted_is_held_by_nobody(demo: Stage, kubernetes: FakeKubernetes) -> None:
    kubernetes.drop(CONTROL_LEASES, "kube-system/kube-scheduler")
    assert (await ask(demo, {"lease": {"name": "kube-scheduler"}})).saw == "nobody holds it"


def show(
    demo: Stage,
    name: str,
    state: ApiState,
    *,
    at: float = ACTED + 1,
    unit: UnitStatus | None = None,
    failing: tuple[str, ...] = (),
) -> None:
    """Put an API server on the board and its unit on the machine."""
    status = unit or UnitStatus("running", pid=7)
    demo.lab.stage[name].units["kube-apiserver"] = status
    demo.context.hub.publish(
        ApiServerRow(seen_at=at, machine=name, state=state, since=0.0, failing=failing, version="1.37.2"),
        UnitRow(seen_at=at, machine=name, unit="kube-apiserver", state=status.state, exit=status.exit),
    )


async def test_an_api_server_is_as_it_was_seen_after_the_step_acted(demo: Stage) -> None:
    show(demo, "core-01", "ready", at=ACTED - 1)
    assert (await ask(demo, {"api": "core-01"})).saw == "core-01 not seen yet"
    show(demo, "core-01", "ready")
    assert (await ask(demo, {"api": "core-01"})).holds
    show(demo, "core-02", "unready", failing=("etcd",))
    outcome = await ask(demo, {"api": ["core-01", "core-02"]})
    assert (outcome.holds, outcome.saw) == (False, "core-01 ready, core-02 unready (etcd)")
    assert (await ask(demo, {"api": {"on": "core-02", "state": "unready"}})).saw == "core-02 unready"


async def test_of_many_checks_that_do_not_pass_three_are_named(demo: Stage) -> None:
    show(demo, "core-01", "unready", failing=("etcd", "ping", "a", "b", "c"))
    assert (await ask(demo, {"api": "core-01"})).saw == "core-01 unready (etcd, ping, a, and 2 more)"


async def test_a_server_that_does_not_run_is_down_whatever_was_seen_of_it(demo: Stage) -> None:
    given = {"api": {"on": "core-01", "state": "down"}}
    assert (await ask(demo, given)).holds, "there is none at all"
    show(demo, "core-01", "ready", at=ACTED - 1, unit=UnitStatus("stopped", exit="ended when asked to"))
    assert (await ask(demo, given)).saw == "core-01 down"
    assert (await ask(demo, {"api": "core-01"})).saw == "core-01 down (ended when asked to)"
    show(demo, "core-01", "ready")
    outcome = await ask(demo, given)
    assert (outcome.holds, outcome.saw) == (False, "core-01 ready")


LOG = [
    "W1124 08:23:31.406694   15085 logging.go:55] grpc: connection refused",
    'E1124 08:23:35.292853   15085 run.go:72] "command failed" err="etcd grpc connection not ready"',
    "goroutine 1 [running]:",
]


async def test_an_api_server_that_gave_up_says_why_with_the_end_of_its_log(demo: Stage) -> None:
    show(demo, "core-01", "down", at=0.0, unit=UnitStatus("failed", exit="exit code 1"))
    demo.lab.stage["core-01"].logs["kube-apiserver"] = LOG
    assert (await ask(demo, {"api": "core-01"})).saw == (
        'core-01 down (exit code 1: "command failed" err="etcd grpc connection not ready")'
    )
    demo.lab.stage["core-01"].logs["kube-apiserver"] = ["no such flag"]
    assert (await ask(demo, {"api": "core-01"})).saw == "core-01 down (exit code 1: no such flag)"
    demo.lab.stage["core-01"].logs.clear()
    assert (await ask(demo, {"api": "core-01"})).saw == "core-01 down (exit code 1)"


async def test_an_api_server_that_never_answers_tells_what_it_does_with_its_newest_line(demo: Stage) -> None:
    show(demo, "core-01", "down", at=0.0)
    demo.lab.stage["core-01"].logs["kube-apiserver"] = [LOG[1], LOG[0], ""]
    assert (await ask(demo, {"api": "core-01"})).saw == "core-01 not seen yet (grpc: connection refused)"
    show(demo, "core-01", "down", at=0.0, unit=UnitStatus("paused", pid=7))
    assert (await ask(demo, {"api": "core-01"})).saw == "core-01 down (paused)"


async def test_a_step_that_waits_in_vain_fails_with_the_end_of_the_log(tmp_path: Path) -> None:
    until = "{until: {api: core-01, within: 0.2}}"
    demo = stage(tmp_path, f"title: a\ngoal: b\nsteps:\n  - title: One\n    do: [{until}]\n")
    await demo.director.open("demo")
    await demo.director.settled()
    show(demo, "core-01", "down", at=0.0, unit=UnitStatus("failed", exit="exit code 1"))
    demo.lab.stage["core-01"].logs["kube-apiserver"] = LOG
    await demo.director.next()
    await demo.director.settled()
    check = demo.story.steps[0].checks[0]
    assert (check.status, check.saw) == (
        "failed",
        "the API server of core-01 is ready: not within 0.2 s, but core-01 down "
        '(exit code 1: "command failed" err="etcd grpc connection not ready")',
    )


def member(name: str, version: str, *, at: float = ACTED + 1, fresh: bool = True) -> MemberRow:
    return MemberRow(
        seen_at=at,
        fresh=fresh,
        id=name,
        name=name,
        machine=name,
        role="follower",
        health="healthy",
        since=0.0,
        version=version,
    )


async def test_the_version_of_etcd_is_what_a_member_says_now(demo: Stage) -> None:
    given = {"version": {"on": ["core-01", "core-02"], "unit": "etcd", "minor": "3.6"}}
    demo.context.hub.publish(member("core-01", "3.6.16"), member("core-02", "3.7.3"))
    outcome = await ask(demo, given)
    assert (outcome.holds, outcome.saw) == (False, "core-01 3.6.16, core-02 3.7.3")
    demo.context.hub.publish(member("core-02", "3.6.16"))
    assert (await ask(demo, given)).holds
    for stale in (member("core-02", "3.6.16", at=ACTED - 1), member("core-02", "3.6.16", fresh=False)):
        demo.context.hub.publish(stale)
        assert (await ask(demo, given)).saw == "core-01 3.6.16, core-02 does not say"
    assert not (await ask(demo, {"version": {"on": "core-01", "unit": "etcd", "minor": "3"}})).holds


async def test_the_version_of_an_api_server_counts_while_it_is_ready(demo: Stage) -> None:
    given = {"version": {"on": "core-01", "unit": "kube-apiserver", "minor": "1.37"}}
    show(demo, "core-01", "unready")
    assert (await ask(demo, given)).saw == "core-01 does not say"
    show(demo, "core-01", "ready", at=ACTED - 1)
    assert (await ask(demo, given)).saw == "core-01 does not say"
    show(demo, "core-01", "ready")
    assert (await ask(demo, given)).holds


async def test_the_version_of_a_kubelet_is_its_nodes(demo: Stage, kubernetes: FakeKubernetes) -> None:
    given = {"version": {"on": "core-02", "unit": "kubelet", "minor": "1.36"}}
    assert (await ask(demo, given)).saw == "core-02 does not say"
    for version, holds in (("v1.36.3", True), ("v1.37.2", False)):
        told = node("core-02")
        told.status = replace(told.status, node_info=NodeInfo(kubelet_version=version))
        kubernetes.put(NODES, told)
        outcome = await ask(demo, given)
        assert (outcome.holds, outcome.saw) == (holds, f"core-02 {version[1:]}")
    demo.watcher.kube = None
    assert (await ask(demo, given)).saw == "core-02 does not say"
