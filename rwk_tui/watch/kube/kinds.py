"""The kinds of objects that are listed and watched: where each is found, and how it is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal

import msgspec

from rwk_tui.cluster.kubernetes.units import CONTROLLER_MANAGER, SCHEDULER
from rwk_tui.watch.kube.wire import Deployment, KubeEvent, Lease, Listed, Node, Pod, T, Wire

LED = (CONTROLLER_MANAGER, SCHEDULER)
"""The leases that are shown."""
SYSTEM = "kube-system"


class Kind(Generic[T]):
    """One collection: `words` for people ("pods"), its `path` on an API server, and its decoders."""

    def __init__(self, words: str, path: str, type: type[T]) -> None:
        self.words = words
        self.path = path
        self.one = msgspec.json.Decoder(type)
        self.page = msgspec.json.Decoder(Listed[type])  # type: ignore[valid-type]

    def within(self, namespace: str) -> Kind[T]:
        """The same collection, of one namespace only."""
        above, _, name = self.path.rpartition("/")
        narrowed: Kind[T] = object.__new__(Kind)
        narrowed.words, narrowed.path = self.words, f"{above}/namespaces/{namespace}/{name}"
        narrowed.one, narrowed.page = self.one, self.page
        return narrowed


NODES = Kind("nodes", "/api/v1/nodes", Node)
PODS = Kind("pods", "/api/v1/pods", Pod)
DEPLOYMENTS = Kind("deployments", "/apis/apps/v1/deployments", Deployment)
LEASES = Kind("leases", "/apis/coordination.k8s.io/v1/leases", Lease)
CONTROL_LEASES = LEASES.within(SYSTEM)
NODE_LEASES = LEASES.within("kube-node-lease")
EVENTS = Kind("events", "/api/v1/events", KubeEvent)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list; `version` is where a watch goes on from, that of the last page."""

    items: list[T]
    version: str
    last: bool


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """One event of a watch; a bookmark only says how far the watch has come."""

    what: Literal["put", "gone", "bookmark"]
    version: str
    item: T | None = None


def key(item: Wire) -> str:
    """The identity of an object within its kind."""
    meta = item.metadata
    return f"{meta.namespace}/{meta.name}" if meta.namespace else meta.name
