"""A Kubernetes that only pretends: a test puts objects into it, breaks its watches, and lets it hang or go back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from rwk_tui.cluster.access import Access
from rwk_tui.watch.kube.kinds import (
    CONTROL_LEASES,
    DEPLOYMENTS,
    EVENTS,
    NODE_LEASES,
    NODES,
    PODS,
    Change,
    Kind,
    Page,
    key,
)
from rwk_tui.watch.kube.protocol import Readiness
from rwk_tui.watch.kube.reads import Reads
from rwk_tui.watch.kube.refusals import KubeError, broken, no_answer, refusal
from rwk_tui.watch.kube.wire import (
    About,
    Condition,
    Deployment,
    DeploymentSpec,
    DeploymentStatus,
    KubeEvent,
    Labels,
    Lease,
    LeaseSpec,
    Meta,
    Node,
    NodeSpec,
    NodeStatus,
    Owner,
    Pod,
    PodSpec,
    PodStatus,
    T,
    Taint,
    Wire,
)

MAPS = "/api/v1/namespaces/kube-system/configmaps"


def when(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def node(name: str, *, ready: bool | None = True, taints: Sequence[str] = (), cordoned: bool = False) -> Node:
    """A node; `ready` None is a kubelet that nobody hears of."""
    status = {True: "True", False: "False", None: "Unknown"}[ready]
    pairs = [taint.rpartition(":") for taint in taints]
    return Node(
        Meta(name=name),
        NodeSpec(unschedulable=cordoned, taints=[Taint(name, effect) for name, _, effect in pairs]),
        NodeStatus(conditions=[Condition("Ready", status, "Because")]),
    )


def pod(name: str, on: str = "", *, ready: bool = True, owner: str = "web", ending: bool = False) -> Pod:
    """A pod of a deployment, running where it has a node."""
    meta = Meta(
        name=name,
        namespace="default",
        uid=name,
        labels=Labels("abc"),
        owner_references=[Owner("ReplicaSet", f"{owner}-abc", True)],
        deletion_timestamp=when(1000.0) if ending else None,
        deletion_grace_period_seconds=30 if ending else None,
    )
    conditions = [Condition("Ready", "True" if ready else "False")]
    return Pod(meta, PodSpec(on), PodStatus("Running" if on else "Pending", conditions=conditions if on else None))


def deployment(name: str, wanted: int) -> Deployment:
    return Deployment(Meta(name=name, namespace="default"), DeploymentSpec(wanted), DeploymentStatus(wanted))


def lease(name: str, holder: str, renewed: float = 0.0, seconds: int = 15, transitions: int = 1) -> Lease:
    spec = LeaseSpec(holder or None, seconds, when(renewed), when(renewed) if renewed else None, transitions)
    return Lease(Meta(name=name, namespace="kube-system"), spec)


def event(name: str, at: float, about: str = "web-1") -> KubeEvent:
    meta = Meta(name=name, namespace="default", uid=f"uid-{name}")
    return KubeEvent(meta, About("Pod", "default", about), "Killing", "it ends", last_timestamp=when(at))


@dataclass
class FakeKubernetes:
    """The store and its API servers; `down`, `hung` and `readiness` are by host ("any" is the front).

    Who asks a hung host waits for `patience` seconds at most, and the host stands in `waiting` then.
    `floor` is the oldest version that a watch may begin at. `asked` notes the lists and watches that were begun.
    """

    objects: dict[str, dict[str, Wire]] = field(default_factory=dict)
    version: int = 100
    floor: int = 0
    down: dict[str, KubeError] = field(default_factory=dict)
    hung: set[str] = field(default_factory=set)
    patience: float = 0.1
    waiting: set[str] = field(default_factory=set)
    readiness: dict[str, Readiness] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    maps: dict[str, dict[str, str]] = field(default_factory=dict)
    writes_fail: KubeError | None = None
    closed: int = 0
    _history: list[tuple[int, str, Change[Any]]] = field(default_factory=list)
    _watches: set[asyncio.Event] = field(default_factory=set)
    _broken: KubeError | None = None
    _break: int = 0

    def put(self, kind: Kind[Any], *items: Wire) -> None:
        for item in items:
            self.version += 1
            item.metadata.resource_version = str(self.version)
            self.objects.setdefault(kind.path, {})[key(item)] = item
            self._history.append((self.version, kind.path, Change("put", str(self.version), item)))
        self._wake()

    def drop(self, kind: Kind[Any], name: str, *, quietly: bool = False) -> None:
        """Delete an object; `quietly` it goes without any watch being told, as when history is lost."""
        item = self.objects[kind.path].pop(name)
        self.version += 1
        if not quietly:
            self._history.append((self.version, kind.path, Change("gone", str(self.version), item)))
        self._wake()

    def break_watches(self, error: KubeError | None = None) -> None:
        """End every watch that is open, as a connection that is reset does."""
        self._broken, self._break = error or broken(), self._break + 1
        self._wake()

    def end_watches(self) -> None:
        """End every watch that is open in good order, as an API server that shuts down does."""
        self._broken, self._break = None, self._break + 1
        self._wake()

    def backup(self) -> FakeKubernetes:
        """What is stored now."""
        kept = copy(self)
        kept.objects = {path: dict(found) for path, found in self.objects.items()}
        kept.maps = {name: dict(data) for name, data in self.maps.items()}
        return kept

    def restore(self, kept: FakeKubernetes) -> None:
        """Go back to what was stored then, versions included; the API server was stopped for that."""
        self.objects, self.version = kept.objects, kept.version
        self.maps = kept.maps
        self._history = [entry for entry in self._history if entry[0] <= self.version]
        self.break_watches()

    def connect(self, host: str, port: int, access: Access, machines: Collection[str] = ()) -> FakeKube:
        return FakeKube(self, host, machines)

    def _wake(self) -> None:
        for one in self._watches:
            one.set()

    async def answer(self, host: str, timeout: float) -> None:
        """Answer, refuse or hang, as that host does."""
        if host in self.hung:
            self.waiting.add(host)
            await asyncio.sleep(min(timeout, self.patience))
            raise no_answer(timeout)
        if host in self.down:
            raise self.down[host]
        await asyncio.sleep(0)


class FakeKube(Reads):
    """A client of the pretended Kubernetes."""

    def __init__(self, kubernetes: FakeKubernetes, host: str, machines: Collection[str] = ()) -> None:
        self._all = kubernetes
        self._host = host
        self.machines = machines

    async def get(self, path: str, *, timeout: float = 5.0) -> bytes:
        await self._all.answer(self._host, timeout)
        where, _, name = path.rpartition("/")
        if where == MAPS and name in self._all.maps:
            return msgspec.json.encode({"metadata": {"name": name}, "data": self._all.maps[name]})
        for found in self._all.objects.get(where, {}).values():
            if found.metadata.name == name:
                return msgspec.json.encode(msgspec.to_builtins(found))
        raise refusal(404, b"")

    async def patch(self, path: str, body: Mapping[str, Any], *, timeout: float = 5.0) -> bytes:
        await self._all.answer(self._host, timeout)
        if self._all.writes_fail is not None:
            raise self._all.writes_fail
        name = path.rpartition("/")[2]
        if name not in self._all.maps:
            raise refusal(404, b"")
        self._all.maps[name].update(body["data"])
        self._all.version += 1
        return b"{}"

    async def put(self, path: str, body: Mapping[str, Any], *, timeout: float = 5.0) -> bytes:
        return await self.patch(path, body, timeout=timeout)

    async def create(self, path: str, body: Mapping[str, Any], *, timeout: float = 5.0) -> bytes:
        await self._all.answer(self._host, timeout)
        name = body["metadata"]["name"]
        if name in self._all.maps:
            raise refusal(409, b"")
        self._all.maps[name] = {}
        return b"{}"

    async def pages(self, kind: Kind[T], *, limit: int = 500, timeout: float = 10.0) -> AsyncGenerator[Page[T], None]:
        await self._all.answer(self._host, timeout)
        self._all.asked.append(f"list {kind.words}")
        items: list[Any] = list(self._all.objects.get(kind.path, {}).values())
        version = str(self._all.version)
        for start in range(0, max(1, len(items)), limit):
            yield Page(items[start : start + limit], version, start + limit >= len(items))

    async def watch(
        self, kind: Kind[T], version: str, *, seconds: float = 60.0, timeout: float = 5.0
    ) -> AsyncGenerator[Sequence[Change[T]], None]:
        await self._all.answer(self._host, timeout)
        self._all.asked.append(f"watch {kind.words}")
        if int(version) < self._all.floor:
            raise refusal(410, b'{"message": "too old resource version"}')
        came, woken, breaks = int(version), asyncio.Event(), self._all._break
        end = asyncio.get_running_loop().time() + seconds
        self._all._watches.add(woken)
        try:
            while True:
                if self._all._break != breaks:
                    if self._all._broken is not None:
                        raise self._all._broken
                    return
                news = [one for at, path, one in self._all._history if at > came and path == kind.path]
                if news:
                    came = int(news[-1].version)
                    yield news
                    continue
                woken.clear()
                async with asyncio.timeout_at(end):
                    await woken.wait()
        except TimeoutError:
            return
        finally:
            self._all._watches.discard(woken)

    async def ready(self, *, timeout: float = 1.0) -> Readiness:
        await self._all.answer(self._host, timeout)
        return self._all.readiness.get(self._host, Readiness(True))

    async def version(self, *, timeout: float = 1.0) -> str:
        await self._all.answer(self._host, timeout)
        return self._all.versions.get(self._host, "1.37.2")

    async def close(self) -> None:
        self._all.closed += 1


def small(kubernetes: FakeKubernetes, clock: Callable[[], float]) -> None:
    """Three machines of which two are workers, ten pods of one deployment, and the leases of the control plane."""
    kubernetes.put(NODES, node("core-02"), node("core-03"))
    for name in ("core-02", "core-03"):
        kubernetes.put(NODE_LEASES, lease(name, name, clock(), 8))
    kubernetes.put(DEPLOYMENTS, deployment("web", 10))
    kubernetes.put(PODS, *(pod(f"web-{number}", f"core-0{2 + number % 2}") for number in range(10)))
    for name in ("kube-controller-manager", "kube-scheduler"):
        kubernetes.put(CONTROL_LEASES, lease(name, "core-01_aaa", clock()))
    kubernetes.put(EVENTS, event("one", 5.0))
