"""Boards with a Kubernetes, built by hand for tests: calm, without a worker, stale, with thousands of pods."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
from support.cockpit_frames import EVENTS, MACHINES, NOW, Scene, calm, canary, event, lab, unit

from rwk_tui.board.kube_rows import (
    ApiServerRow,
    DeploymentRow,
    EngineRow,
    KubeEventRow,
    KubeRow,
    LeaseRow,
    NodeRow,
    PodRow,
)
from rwk_tui.board.rows import AnyRow, ChapterRow

CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID"),
    ("Ready", "True", "KubeletReady"),
)
WHY = "etcd has no quorum, so no API server can serve"
LOST = tuple((kind, "Unknown", "NodeStatusUnknown") for kind, _, _ in CONDITIONS)
UNREACHABLE = ("node.kubernetes.io/unreachable:NoSchedule", "node.kubernetes.io/unreachable:NoExecute")


def kube(state: Any = "ready", **values: Any) -> KubeRow:
    known = {"since": NOW - 300, "version": "1.37.2", "kubelet": "kwok", "synced_at": NOW}
    return KubeRow(**{"seen_at": NOW, "state": state, **known, **values})


def server(machine: str, state: Any = "ready", **values: Any) -> ApiServerRow:
    known = {"since": NOW - 300, "version": "1.37.2", "latency_ms": 3.2}
    return ApiServerRow(**{"seen_at": NOW, "machine": machine, "state": state, **known, **values})


def node(name: str, state: Any = "ready", **values: Any) -> NodeRow:
    known = {
        "machine": name if name in MACHINES else "core-01",
        "since": NOW - 280,
        "version": "1.37.2",
        "conditions": CONDITIONS,
        "renewed": NOW - 1,
        "lease_s": 8,
    }
    return NodeRow(**{"seen_at": NOW, "name": name, "state": state, **known, **values})


def pod(number: int, on: str, state: Any = "running", **values: Any) -> PodRow:
    known = {
        "namespace": "default",
        "name": f"web-5d4f8c7b9-{number:05d}",
        "since": NOW - 60 - number % 9,
        "ready": state == "running",
        "owner": "web",
        "uid": f"4c1f-{number}",
        "ip": f"10.0.2.{number % 250}",
        "evicted_after": 30,
    }
    return PodRow(**{"seen_at": NOW, "node": on, "state": state, **known, **values})


def deployment(wanted: int = 10, ready: int = 10, name: str = "web", **values: Any) -> DeploymentRow:
    known = {"namespace": "default", "pods": wanted, "updated": wanted}
    return DeploymentRow(**{"seen_at": NOW, "name": name, "wanted": wanted, "ready": ready, **known, **values})


def lease(name: str, machine: str, **values: Any) -> LeaseRow:
    known = {"since": NOW - 290, "duration_s": 15, "transitions": 1, "renewed": NOW - 1}
    return LeaseRow(
        **{"seen_at": NOW, "name": name, "holder": f"{machine}_0f31", "machine": machine, **known, **values}
    )


def kube_event(number: int, about: str, reason: str, message: str, ago: float = 20, **values: Any) -> KubeEventRow:
    known = {"uid": f"e{number}", "warning": False}
    return KubeEventRow(
        **{"seen_at": NOW, "about": about, "reason": reason, "message": message, "at": NOW - ago, **known, **values}
    )


PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet")
ARGV = {
    "etcd": ("/engines/etcd-3.7.3/etcd", "--name=core-01"),
    "kube-apiserver": (
        "/engines/kubernetes-1.37.2/kube-apiserver",
        "--etcd-servers=https://127.0.8.101:2379,https://127.0.8.102:2379,https://127.0.8.103:2379",
        "--advertise-address=192.0.2.101",
        "--authorization-mode=Node,RBAC",
        "--default-not-ready-toleration-seconds=30",
    ),
    "kubelet": ("/engines/kwok-0.8.0/kwok", "--manage-single-node=core-02"),
}


def programs(machine: str, *names: str, **values: Any) -> list[AnyRow]:
    """Units that run on a machine."""
    return [
        msgspec.structs.replace(unit(machine), unit=name, argv=ARGV.get(name, (f"/engines/{name}",)), **values)
        for name in names
    ]


def healthy() -> Scene:
    """Two API servers, two workers, ten pods."""
    rows: list[AnyRow] = [kube(), server("core-01"), server("core-02"), deployment(), canary()]
    rows += [lease("kube-controller-manager", "core-01"), lease("kube-scheduler", "core-01")]
    rows += [msgspec.structs.replace(canary(acknowledged=402), name="api")]
    rows += [node("core-02"), node("core-03")]
    rows += [pod(number, "core-02" if number % 2 else "core-03") for number in range(10)]
    rows += programs("core-01", *PROGRAMS[:4]) + programs("core-02", *PROGRAMS) + programs("core-03", "etcd", "kubelet")
    rows += [
        kube_event(1, "node/core-02", "NodeReady", "Node core-02 status is now: NodeReady", 270),
        kube_event(2, "node/core-03", "NodeReady", "Node core-03 status is now: NodeReady", 270),
    ]
    return calm().with_rows(*rows)


def worker_lost() -> Scene:
    """core-03 was halted 45 s ago: its node is unknown, its pods are on their way elsewhere."""
    scene = healthy().changed("machine/core-03", power="halted", since=NOW - 45)
    for name in ("etcd", "kubelet"):
        scene = scene.changed(f"unit/core-03/{name}", state="stopped", pid=0, since=NOW - 45)
    rows: list[AnyRow] = [
        node(
            "core-03",
            "unknown",
            since=NOW - 24,
            taints=UNREACHABLE,
            conditions=LOST,
            renewed=NOW - 46,
        ),
        *(pod(number, "core-03", "terminating", since=NOW - 3) for number in range(0, 10, 2)),
        *(pod(number, "core-02", since=NOW - 2) for number in range(10, 13)),
        *(pod(number, "core-02", "starting", since=NOW - 1) for number in range(13, 15)),
        deployment(10, 8),
        msgspec.structs.replace(canary("flowing", 160.0, 12, 1, acknowledged=402), name="api"),
        kube_event(3, "node/core-03", "NodeNotReady", "Node core-03 status is now: NodeNotReady", 24, warning=True),
        kube_event(4, "node/core-03", "TaintManagerEviction", "Marking for deletion pods on core-03", 3, count=5),
    ]
    member = next(key for key in scene.rows if key.startswith("member/") and key.endswith("3"))
    scene = scene.changed(member, health="down", fresh=False, since=NOW - 45, seen_at=NOW - 45)
    more = (
        event(7, 45, "machine", "bad", "core-03 was halted", by_presenter=True),
        event(8, 24, "node", "bad", "node core-03 is not ready", duration_ms=21000.0),
        event(9, 3, "pod", "warning", "5 pods on core-03 are evicted"),
    )
    quorum = msgspec.structs.replace(scene.rows["quorum"], state="degraded", reachable=2)
    return replace(scene.with_rows(quorum, *rows), events=(*EVENTS, *more))


def silent_worker() -> Scene:
    """The moment before: the node is unknown already, its pods still count as running."""
    scene = healthy()
    pods = (pod(number, "core-03", ready=False) for number in range(0, 10, 2))
    return scene.with_rows(node("core-03", "unknown", since=NOW - 6, taints=UNREACHABLE, conditions=LOST), *pods)


def stale_kube() -> Scene:
    """The watches are out of step for 12 s."""
    return healthy().changed("kube", fresh=False, why="no API server answers", synced_at=NOW - 12)


def unready() -> Scene:
    """etcd lost its quorum, so one API server is down and the other one serves nothing."""
    scene = stale_kube().changed("kube", state="unready", since=NOW - 9, why=WHY)
    return scene.with_rows(
        server("core-01", "down", since=NOW - 9, fresh=False, why="nothing listens there"),
        server("core-02", "unready", since=NOW - 8, failing=("etcd", "ping")),
    )


def skew() -> Scene:
    """In the middle of an upgrade, one node cordoned."""
    scene = healthy().with_rows(server("core-02", version="v1.36.3"), node("core-03", version="v1.36.3"))
    return scene.changed(
        "node/core-03", schedulable=False, taints=("node.kubernetes.io/unschedulable:NoSchedule",)
    ).changed("lease/kube-controller-manager", renewed=NOW - 20)


def crowd(nodes: int = 100, pods: int = 3000) -> Scene:
    """Many nodes and pods, a few of them not well."""
    scene = healthy()
    rows = {key: row for key, row in scene.rows.items() if not isinstance(row, PodRow | NodeRow | KubeEventRow)}
    more: list[AnyRow] = [deployment(pods, pods - 60), deployment(3, 3, "api-gateway"), deployment(2, 1, "batch")]
    for number in range(nodes):
        name = f"kwok-{number:03d}"
        if number % 33 == 7:
            more.append(node(name, "unknown", since=NOW - 40, taints=UNREACHABLE))
        elif number == 50:
            more.append(node(name, schedulable=False))
        else:
            more.append(node(name))
    for number in range(pods):
        on = number % nodes
        state = "terminating" if on % 33 == 7 else "starting" if number % 100 == 3 else "running"
        more.append(pod(number, f"kwok-{on:03d}", state))
    more += [pod(pods + number, "", "pending") for number in range(7)]
    return Scene({**rows, **{row.key: row for row in more}}, scene.events, scene.story, scene.output)


def engine(name: str, state: Any = "missing", **values: Any) -> EngineRow:
    known = {"version": "1.37.2", "left_s": 840.0, "size": 450_000_000, "text": ""}
    return EngineRow(**{"seen_at": NOW, "name": name, "state": state, **known, **values})


WORKERS = ChapterRow(
    seen_at=NOW,
    name="12-worker-failure",
    title="A worker fails",
    goal="Lose a worker and see its pods come back elsewhere.",
    steps=("Ten replicas", "Halt core-03", "Why does it take that long?"),
    engines=("etcd-3.7", "kubernetes-1.37"),
)


def not_installed() -> Scene:
    """Kubernetes can't be had yet."""
    return calm().with_rows(WORKERS, engine("etcd-3.7", "ready"), engine("kubernetes-1.37"))


def installing(done: float = 0.42) -> Scene:
    """It is being built."""
    going = engine("kubernetes-1.37", "installing", done=done, left_s=490.0, text="building kube-apiserver")
    return not_installed().with_rows(going)


def install_failed() -> Scene:
    """It could not be built."""
    return not_installed().with_rows(engine("kubernetes-1.37", "failed", text="no space left on the disk: 8 GB needed"))


KUBE_SCENES = {
    "healthy": healthy,
    "worker_lost": worker_lost,
    "silent_worker": silent_worker,
    "stale_kube": stale_kube,
    "unready": unready,
    "skew": skew,
    "crowd": crowd,
    "not_installed": not_installed,
    "installing": installing,
    "install_failed": install_failed,
}
__all__ = ["KUBE_SCENES", "lab"]
