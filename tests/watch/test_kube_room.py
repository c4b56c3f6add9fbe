"""The Kubernetes half of the watcher over a pretended lab and Kubernetes: rows, their age, and what is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.watch_etcd import FakeCluster
from support.watch_kube import FakeKubernetes, deployment, lease, node, pod, small
from support.watch_lab import FakeLab

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Event
from rwk_tui.board.hub import Hub
from rwk_tui.board.kube_rows import (
    ApiServerRow,
    DeploymentRow,
    KubeEventRow,
    KubeRow,
    LeaseRow,
    NodeRow,
    PodRow,
)
from rwk_tui.board.rows import CanaryRow
from rwk_tui.cluster.access import Access
from rwk_tui.lab.protocol import MachineStatus, UnitSpec, UnitStatus
from rwk_tui.settings import Settings
from rwk_tui.watch.kube.kinds import CONTROL_LEASES, DEPLOYMENTS, NODE_LEASES, NODES, PODS
from rwk_tui.watch.kube.protocol import Readiness
from rwk_tui.watch.kube.refusals import no_listener, refusal
from rwk_tui.watch.watcher import Watcher

WAIT = 20.0
NOWHERE = Access(Path("/nowhere/ca"), Path("/nowhere/crt"), Path("/nowhere/key"))
HOST = {"core-01": "10.0.0.1", "core-02": "10.0.0.2"}


class World:
    """A running watcher with what it watches: API servers on core-01 and, once `serve` says so, elsewhere."""

    def __init__(self, tmp_path: Path) -> None:
        self.lab = FakeLab()
        self.hub = Hub()
        self.kubernetes = FakeKubernetes()
        self.access: Access | None = NOWHERE
        cluster = FakeCluster()
        cluster.lead("core-01", 2)
        self.watcher = Watcher(
            self.lab,
            self.hub,
            Settings(state=tmp_path, engine_cache=tmp_path, election_ms=200),
            ledger=tmp_path / "ledger",
            connect=cluster.connect,
            kube=self.kubernetes.connect,
            api_access=lambda: self.access,
        )

    def unit(self, machine: str, name: str, status: UnitStatus | None) -> None:
        units = self.lab.fakes[machine].units
        if status is None:
            units.pop(name, None)
        else:
            units[name] = status

    def serve(self, machine: str, pid: int = 1, since: float = 0.0) -> None:
        self.unit(machine, "kube-apiserver", UnitStatus("running", pid, since, spec=UnitSpec("kube-apiserver", ("x",))))

    async def start(self) -> None:
        self.kubernetes.down.update(dict.fromkeys(("any", *HOST.values()), no_listener()))
        await self.watcher.start()
        self.watcher.alert(60)

    async def ready(self) -> None:
        self.serve("core-01")
        self.kubernetes.down.clear()
        await self.shows("ready", fresh=True)

    async def shows(self, state: str, *, fresh: bool | None = None, why: str | None = None) -> KubeRow:
        def holds(board: Board) -> bool:
            row = kube(board)
            return row.state == state and fresh in (None, row.fresh) and why in (None, row.why)

        assert await self.hub.wait(holds, WAIT), kube(self.hub.board)
        return kube(self.hub.board)

    async def told(self, kind: str, words: str) -> Event:
        def find(board: Board) -> list[Event]:
            return [event for event in board.events if event.kind == kind and words in event.text]

        assert await self.hub.wait(lambda board: bool(find(board)), WAIT), self.texts()
        assert len(find(self.hub.board)) == 1, self.texts()
        return find(self.hub.board)[0]

    def texts(self, *kinds: str) -> list[str]:
        return [event.text for event in self.hub.board.events if not kinds or event.kind in kinds]


def kube(board: Board) -> KubeRow:
    return board.get(KubeRow, "kube") or KubeRow(seen_at=0, state="none")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    small(made.kubernetes, made.hub.now)
    await made.start()
    yield made
    await made.watcher.stop()


async def test_without_an_api_server_there_is_no_kubernetes_and_nothing_is_asked(world: World) -> None:
    await world.shows("none", fresh=True, why="no API server is set up")
    await asyncio.sleep(0.5)
    assert world.kubernetes.asked == []
    assert world.watcher.kube_api() is None
    assert world.hub.board.get(CanaryRow, "canary/api") is None


async def test_from_starting_to_ready_everything_shows(world: World) -> None:
    world.serve("core-01")
    row = await world.shows("starting")
    assert row.why == "no API server answers yet"
    world.kubernetes.down.clear()
    world.kubernetes.readiness[HOST["core-01"]] = Readiness(False, ("poststarthook/rbac/bootstrap-roles", "b", "c"))
    why = "the API server of core-01 is not ready: 3 checks do not pass, such as bootstrap-roles"
    await world.shows("starting", why=why)
    world.kubernetes.readiness.clear()
    world.unit("core-02", "kubelet", UnitStatus("running", 5, spec=UnitSpec("kubelet", ("/opt/kwok", "x"))))
    row = await world.shows("ready", fresh=True)
    board = world.hub.board
    assert (row.version, row.why) == ("1.37.2", "")
    assert await world.hub.wait(lambda board: kube(board).kubelet == "kwok", WAIT)
    counts = [len(board.rows(kind)) for kind in (ApiServerRow, NodeRow, PodRow, DeploymentRow, LeaseRow, KubeEventRow)]
    assert counts == [1, 2, 10, 1, 2, 1]
    first = board.rows(NodeRow)[0]
    assert (first.machine, first.lease_s, first.renewed > 0) == ("core-02", 8, True)
    assert [row.machine for row in board.rows(LeaseRow)] == ["core-01", "core-01"]
    event = await world.told("api", "the API server of core-01 is ready")
    assert event.level == "good"
    assert world.texts("node", "pods", "lease", "deployment") == []  # a first sight is no change
    client = world.watcher.kube_api()
    assert client is not None
    assert (await client.nodes())[0] == first


async def test_what_is_read_once_equals_what_is_watched(world: World) -> None:
    await world.ready()
    client, board = world.watcher.kube_api(), world.hub.board
    assert client is not None
    assert sorted(row.key for row in await client.pods("default")) == []  # that namespace's collection is not faked
    assert sorted(await client.pods(), key=lambda row: row.key) == board.rows(PodRow)
    assert await client.deployments() == board.rows(DeploymentRow)
    assert await client.lease("kube-scheduler") == board.get(LeaseRow, "lease/kube-scheduler")
    assert await client.lease("no-such") is None


async def test_without_certificates_nothing_is_shown_as_live(world: World) -> None:
    world.access = None
    world.serve("core-01")
    row = await world.shows("starting")
    assert not row.fresh
    assert world.watcher.kube_api() is None
    world.access = NOWHERE
    await world.ready()


async def test_the_fronts_follow_the_api_servers_that_are_ready(world: World) -> None:
    await world.ready()
    assert world.lab.steered == {6443: ("core-01",)}
    world.serve("core-02")
    assert await world.hub.wait(lambda _: world.lab.steered[6443] == ("core-01", "core-02"), WAIT)
    world.kubernetes.readiness[HOST["core-01"]] = Readiness(False, ("etcd",))
    assert await world.hub.wait(lambda _: world.lab.steered[6443] == ("core-02",), WAIT)
    assert await world.hub.wait(lambda board: board.rows(ApiServerRow)[0].state == "unready", WAIT)
    row = world.hub.board.rows(ApiServerRow)[0]
    assert (row.state, row.failing, row.why) == ("unready", ("etcd",), "etcd does not pass")
    assert kube(world.hub.board).state == "ready"
    event = await world.told("api", "the API server of core-01 is not ready: etcd does not pass")
    assert event.level == "warning"


async def test_a_lost_quorum_is_the_reason_and_it_is_told_once_with_how_long_it_took(world: World) -> None:
    await world.ready()
    world.kubernetes.readiness[HOST["core-01"]] = Readiness(False, ("etcd",))
    row = await world.shows("unready")
    assert (row.fresh, row.why) == (False, "etcd does not answer, so no API server can serve")
    assert len(world.hub.board.rows(PodRow)) == 10
    event = await world.told("api", "etcd does not answer, so no API server can serve")
    assert event.level == "bad"
    world.kubernetes.readiness.clear()
    event = await world.told("api", "Kubernetes serves again after")
    assert event.duration_ms is not None
    assert event.duration_ms >= 500
    assert event.resolution_ms == 250
    await world.shows("ready", fresh=True)
    assert len(world.texts("api")) == 3  # the server itself has no further line


async def test_an_api_server_that_is_killed_and_comes_back(world: World) -> None:
    await world.ready()
    world.unit("core-01", "kube-apiserver", UnitStatus("failed", exit="killed by SIGKILL", spec=UnitSpec("x", ("x",))))
    world.kubernetes.down.update({"any": no_listener(), HOST["core-01"]: no_listener()})
    world.kubernetes.break_watches()
    row = await world.shows("unreachable", why="no API server is up: kube-apiserver failed: killed by SIGKILL")
    assert not row.fresh
    assert len(world.hub.board.rows(NodeRow)) == 2
    await world.told("api", "no API server is up")
    world.kubernetes.down.clear()
    world.serve("core-01", pid=2, since=world.hub.now())
    event = await world.told("api", "after its start")
    assert event.text.startswith("the API server of core-01 is ready, ")
    await world.shows("ready", fresh=True)
    assert world.texts("watch") == []


async def test_a_hung_api_server_is_no_longer_live_and_all_is_listed_anew(world: World) -> None:
    await world.ready()
    world.kubernetes.hung.add(HOST["core-01"])
    row = await world.shows("unreachable")
    assert (row.fresh, row.why) == (
        False,
        "no API server answers: the API server does not answer within 1 s",
    )
    world.kubernetes.drop(PODS, "default/web-3", quietly=True)  # its watch is dead, though nobody said so
    world.kubernetes.hung.clear()
    await world.shows("ready", fresh=True)
    assert len(world.hub.board.rows(PodRow)) == 9


async def test_a_frozen_api_server_is_known_as_soon_as_its_machine_says_so(world: World) -> None:
    await world.ready()
    world.kubernetes.patience = 30.0
    world.kubernetes.hung.add(HOST["core-01"])
    async with asyncio.timeout(5):
        while not world.kubernetes.waiting:  # noqa: ASYNC110 - a question must be under way
            await asyncio.sleep(0.01)
    began = world.hub.now()
    world.unit("core-01", "kube-apiserver", UnitStatus("paused", pid=1, spec=UnitSpec("x", ("x",))))
    row = await world.shows("unreachable")
    assert row.why == "no API server is up: kube-apiserver is paused"
    assert world.hub.now() - began < 10.0, "no deadline of a question was waited for"


async def test_a_watch_that_breaks_off_alone_is_said_and_told(world: World) -> None:
    await world.ready()
    world.kubernetes.down["any"] = refusal(500, b'{"message": "etcdserver: no leader"}')
    world.kubernetes.break_watches()
    row = await world.shows("ready", fresh=False)
    assert "broke off: " in row.why
    assert await world.hub.wait(lambda board: "it answers 500: no leader" in kube(board).why, WAIT)
    assert row.synced_at > 0
    await world.told("watch", "broke off")
    world.kubernetes.down.clear()
    event = await world.told("watch", "Kubernetes is watched again after")
    assert event.duration_ms is not None
    await world.shows("ready", fresh=True)


async def test_a_dead_worker_is_told_from_the_fault_to_the_last_pod_elsewhere(world: World) -> None:
    await world.ready()
    put, now = world.kubernetes.put, world.hub.now
    hit = now() - 7.8
    world.watcher.expected.disturb("core-03", hit)
    put(NODE_LEASES, lease("core-03", "core-03", hit - 1.0, 8))
    assert await world.hub.wait(lambda board: board.rows(NodeRow)[1].renewed < hit, WAIT)
    put(NODES, node("core-03", ready=None))
    event = await world.told("node", "core-03 is NotReady, 7.8")
    assert event.duration_ms is not None
    assert 7800 <= event.duration_ms < 8800
    assert (event.level, event.subject, event.resolution_ms) == ("bad", "node/core-03", 10.0)
    taints = ("node.kubernetes.io/unreachable:NoSchedule", "node.kubernetes.io/unreachable:NoExecute")
    put(NODES, node("core-03", ready=None, taints=taints))
    event = await world.told("node", "core-03 is tainted unreachable:NoExecute")
    assert event.duration_ms is not None
    assert event.duration_ms > 7800
    ours = [f"web-{number}" for number in range(1, 10, 2)]
    put(PODS, *(pod(name, "core-03", ready=False) for name in ours))
    put(PODS, *(pod(name, "core-03", ready=False, ending=True) for name in ours))
    event = await world.told("pods", "5 pods of core-03 are terminating")
    assert event.duration_ms is not None
    put(PODS, *(pod(f"new-{number}", "core-02", ready=False) for number in range(5)))
    put(PODS, *(pod(f"new-{number}", "core-02") for number in range(4)))
    await asyncio.sleep(0.2)
    assert len(world.texts("pods")) == 1
    assert world.watcher.pods_replaced(hit) == 4
    put(PODS, pod("new-4", "core-02"))
    event = await world.told("pods", "10 of 10 pods of web run again, elsewhere, ")
    assert world.watcher.pods_replaced(hit) == 5
    assert event.text.endswith(" after core-03 was hit")
    assert event.duration_ms is not None
    assert event.duration_ms > 7800
    put(NODES, node("core-03"))
    await world.told("node", "core-03 is Ready again after")
    await world.told("node", "core-03 lost its taint unreachable:NoExecute")


async def test_without_a_known_fault_it_is_measured_from_the_last_sign_of_life(world: World) -> None:
    await world.ready()
    seen = world.hub.now() - 9.0
    world.kubernetes.put(NODE_LEASES, lease("core-02", "core-02", seen, 8))
    assert await world.hub.wait(lambda board: abs(board.rows(NodeRow)[0].renewed - seen) < 0.01, WAIT)
    world.kubernetes.put(NODES, node("core-02", ready=None))
    event = await world.told("node", "after its last sign of life")
    assert event.duration_ms is not None
    assert 9000 <= event.duration_ms < 10000
    assert event.resolution_ms == 1000.0


async def test_what_the_presenter_announced_is_not_told_twice(world: World) -> None:
    await world.ready()
    world.watcher.expected.announce("node/core-02", "cordoned")
    world.watcher.expected.announce("deployment/default/web", "5")
    world.kubernetes.put(NODES, node("core-02", cordoned=True))
    world.kubernetes.put(DEPLOYMENTS, deployment("web", 5))
    assert await world.hub.wait(lambda board: board.rows(DeploymentRow)[0].wanted == 5, WAIT)
    world.kubernetes.put(NODES, node("core-02"))
    await world.told("node", "core-02 takes new pods again")
    assert world.texts("deployment") == []
    assert len(world.texts("node")) == 1


async def test_a_scaled_deployment_is_told_until_its_pods_are_as_many(world: World) -> None:
    await world.ready()
    world.kubernetes.put(DEPLOYMENTS, deployment("web", 12))
    await world.told("deployment", "web wants 12 pods now, not 10")
    world.kubernetes.put(PODS, pod("more-1", "core-02"), pod("more-2", "core-03", ready=False))
    await asyncio.sleep(0.1)
    assert world.texts("pods") == []
    world.kubernetes.put(PODS, pod("more-2", "core-03"))
    event = await world.told("pods", "12 of 12 pods of web run, ")
    assert event.duration_ms is not None
    world.kubernetes.put(PODS, pod("more-1", "core-02", ending=True))
    await asyncio.sleep(0.7)
    assert len(world.texts("pods")) == 1  # one pod that goes is no news of its node


async def test_a_hundred_nodes_are_told_in_one_line(world: World) -> None:
    await world.ready()
    names = [f"fake-{number}" for number in range(100)]
    world.kubernetes.put(NODES, *(node(name) for name in names))
    await world.told("node", "100 nodes joined")
    for number, name in enumerate(names):
        world.kubernetes.put(DEPLOYMENTS, deployment(f"load-{number % 20}", 50))
        world.kubernetes.put(PODS, *(pod(f"{name}-{one}", name, owner=f"load-{number % 20}") for one in range(10)))
    assert await world.hub.wait(lambda board: len(board.rows(PodRow)) == 1010, WAIT)
    await asyncio.sleep(0.3)
    said = len(world.texts("pods"))
    world.kubernetes.put(NODES, *(node(name, ready=None) for name in names))
    await world.told("node", "100 nodes are NotReady")
    for name in names:
        pods = [pod(f"{name}-{one}", name, owner="x", ready=False, ending=True) for one in range(10)]
        world.kubernetes.put(PODS, *pods)
    await world.told("pods", "1000 pods of 100 nodes are terminating")
    assert len(world.texts("pods")) == said + 1
    assert len(world.texts("node")) == 2


async def test_a_lease_that_moves_is_measured_from_the_fault(world: World) -> None:
    await world.ready()
    hit = world.hub.now() - 15.0
    world.watcher.expected.disturb("core-01", hit)
    world.kubernetes.put(CONTROL_LEASES, lease("kube-scheduler", "core-01_aaa", hit - 1.0))
    world.kubernetes.put(CONTROL_LEASES, lease("kube-scheduler", "core-02_bbb", world.hub.now()))
    event = await world.told("lease", "the lease kube-scheduler moved from core-01 to core-02, 15.")
    assert event.text.endswith("after core-01 was hit")
    assert event.duration_ms is not None
    assert 15000 <= event.duration_ms < 16000
    (takeover,) = world.watcher.takeovers(hit)
    assert (takeover.lease, takeover.machine) == ("kube-scheduler", "core-02")
    assert round(takeover.ms, 1) == event.duration_ms
    assert world.watcher.early_takeovers(hit) == []


async def test_a_lease_that_is_taken_from_its_holder_is_a_violation_unless_nobody_watched(world: World) -> None:
    await world.ready()
    now = world.hub.now()
    world.kubernetes.put(CONTROL_LEASES, lease("kube-scheduler", "core-02_bbb", now, transitions=2))
    event = await world.told("violated", "kube-scheduler: core-02 took it ")
    assert event.level == "bad"
    assert world.watcher.early_takeovers(now - 1) == [event.text]
    world.kubernetes.down["any"] = no_listener()
    world.kubernetes.break_watches()
    await world.shows("ready", fresh=False)
    world.kubernetes.put(CONTROL_LEASES, lease("kube-scheduler", "core-03_ccc", now, transitions=3))
    world.kubernetes.down.clear()
    await world.told("lease", "moved from core-02 to core-03")
    assert world.watcher.early_takeovers(now - 1) == [event.text]
    assert [one.machine for one in world.watcher.takeovers(now - 1)] == ["core-02", "core-03"]


async def test_a_lease_that_was_given_up_moves_fast(world: World) -> None:
    await world.ready()
    world.kubernetes.put(CONTROL_LEASES, lease("kube-scheduler", ""))
    world.kubernetes.put(CONTROL_LEASES, lease("kube-scheduler", "core-02_bbb", world.hub.now()))
    event = await world.told("lease", "moved from core-01 to core-02")
    assert event.text.endswith("after it was given up")
    world.kubernetes.put(CONTROL_LEASES, lease("kube-scheduler", "core-02_ccc", world.hub.now()))
    await world.told("lease", "the lease kube-scheduler was taken again by core-02")


async def test_other_leases_are_not_shown(world: World) -> None:
    world.kubernetes.put(CONTROL_LEASES, lease("apiserver-xyz", "apiserver-xyz_1", 1.0))
    await world.ready()
    assert len(world.hub.board.rows(LeaseRow)) == 2


async def test_set_down_everything_goes_quietly_and_the_next_one_is_a_first_sight(world: World) -> None:
    await world.ready()
    assert await world.hub.wait(lambda board: board.get(CanaryRow, "canary/api") is not None, WAIT)
    world.unit("core-01", "kube-apiserver", None)
    world.kubernetes.down.update({"any": no_listener(), HOST["core-01"]: no_listener()})
    await world.shows("none", fresh=True)
    board = world.hub.board
    for kind in (ApiServerRow, NodeRow, PodRow, DeploymentRow, LeaseRow, KubeEventRow):
        assert board.rows(kind) == []
    assert board.get(CanaryRow, "canary/api") is None
    assert world.watcher.kube_api() is None
    await asyncio.sleep(0.05)
    assert world.kubernetes.closed > 0
    said = len(world.texts("node", "pods", "lease", "deployment", "watch"))
    await world.ready()
    assert len(board.rows(PodRow)) == 10
    assert len(world.texts("node", "pods", "lease", "deployment", "watch")) == said == 0
    assert not [text for text in world.texts("outage") if text.startswith("API")]


async def test_a_machine_that_lost_its_power_says_so_of_its_api_server(world: World) -> None:
    await world.ready()
    world.kubernetes.down.update({"any": no_listener(), HOST["core-01"]: no_listener()})
    world.lab.fakes["core-01"].now = MachineStatus("off", world.hub.now(), "")
    row = await world.shows("unreachable")
    assert await world.hub.wait(lambda board: kube(board).why == "no API server is up: core-01 is off", WAIT), row


async def test_an_upgraded_api_server_says_its_new_version(world: World) -> None:
    await world.ready()
    host = HOST["core-01"]
    world.kubernetes.down[host] = no_listener()
    await world.shows("unreachable")
    world.kubernetes.versions[host] = "1.38.0"
    del world.kubernetes.down[host]
    assert await world.hub.wait(lambda board: kube(board).version == "1.38.0", WAIT)


async def test_of_thousands_of_events_only_the_newest_are_kept(world: World) -> None:
    from support.watch_kube import event

    from rwk_tui.watch.kube.kinds import EVENTS

    await world.ready()
    world.kubernetes.put(EVENTS, *(event(f"e-{number}", float(number)) for number in range(1000)))
    assert await world.hub.wait(lambda board: len(board.rows(KubeEventRow)) == 300, WAIT)
    assert min(row.at for row in world.hub.board.rows(KubeEventRow)) == 700.0
    world.kubernetes.put(EVENTS, event("old", 1.0), event("new", 2000.0))
    assert await world.hub.wait(lambda board: board.get(KubeEventRow, "kube-event/uid-new") is not None, WAIT)
    rows = world.hub.board.rows(KubeEventRow)
    assert len(rows) == 300
    assert "uid-old" not in {row.uid for row in rows}
