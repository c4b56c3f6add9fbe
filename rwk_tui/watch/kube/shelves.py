"""The rows of each kind: made from objects, kept, and put on the board when they changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Generic, TypeVar

from rwk_tui.board.hub import Hub
from rwk_tui.board.kube_rows import DeploymentRow, KubeEventRow, LeaseRow, NodeRow, PodRow
from rwk_tui.board.row import Row
from rwk_tui.watch.kube.kinds import LED, key
from rwk_tui.watch.kube.to_rows import deployment_row, event_row, lease_row, node_row, pod_row
from rwk_tui.watch.kube.wire import Deployment, KubeEvent, Lease, Node, Pod, T

R = TypeVar("R", bound=Row)

Heard = Callable[[R | None, R | None], None]
"""Told of each change: the row before and after, None where there was or is none."""

EVENTS_KEPT = 300


def same(one: Row, other: Row) -> bool:
    """Whether both say the same, whenever they were seen."""
    return one == other  # rows define only ==, so that != would compare identities


def _nobody(old: object, new: object) -> None:
    """Nobody wants to hear."""


class RowShelf(Generic[T, R]):
    """The rows of one kind; only those that changed go to the board. `changes` counts changes of state."""

    def __init__(self, hub: Hub, make: Callable[[T, float], R | None], heard: Heard[R] = _nobody) -> None:
        self.rows: dict[str, R] = {}
        self.changes = 0
        self._hub = hub
        self._make = make
        self._heard = heard

    def take(self, items: Sequence[T]) -> None:
        now = self._hub.now()
        changed: list[R] = []
        for item in items:
            row = self._make(item, now)
            if row is None:
                continue
            name = key(item)
            old = self.rows.get(name)
            if old is None or not same(old, row):
                if old is not None and old.key != row.key:
                    self._hub.retract(old.key)
                self.rows[name] = row
                self.changes += old is None or not old.same_state(row)
                changed.append(row)
                self._heard(old, row)
        if changed:
            self._hub.publish(*changed)

    def lose(self, item: T) -> None:
        self._drop((key(item),))

    def only(self, keys: set[str]) -> None:
        self._drop(tuple(self.rows.keys() - keys))

    def clear(self) -> None:
        """Take everything off the board without a word."""
        rows, self.rows = list(self.rows.values()), {}
        self._hub.retract(*(row.key for row in rows))

    def _drop(self, keys: Sequence[str]) -> None:
        gone = [self.rows.pop(name) for name in keys if name in self.rows]
        for row in gone:
            self._heard(row, None)
        if gone:
            self.changes += 1
            self._hub.retract(*(row.key for row in gone))


class NodeShelf(RowShelf[Node, NodeRow]):
    """The nodes, with when each was last heard of: that is in its lease, which changes every few seconds."""

    def __init__(self, hub: Hub, machines: Collection[str], heard: Heard[NodeRow]) -> None:
        super().__init__(hub, self._joined, heard)
        self._machines = machines
        self._nodes: dict[str, Node] = {}
        self._leases: dict[str, Lease] = {}

    @property
    def leases(self) -> NodeLeaseShelf:
        """Where the leases of the nodes go."""
        return NodeLeaseShelf(self)

    def _joined(self, node: Node, now: float) -> NodeRow:
        name = node.metadata.name
        self._nodes[name] = node
        return node_row(node, self._leases.get(name), self._machines, now)

    def renewed(self, lease: Lease) -> None:
        """A node's lease came."""
        name = lease.metadata.name
        self._leases[name] = lease
        if name in self._nodes:
            self.take((self._nodes[name],))

    def clear(self) -> None:
        super().clear()
        self._leases.clear()
        self._nodes.clear()

    def _drop(self, keys: Sequence[str]) -> None:
        for name in keys:
            self._nodes.pop(name, None)
        super()._drop(keys)


class NodeLeaseShelf:
    """Passes the leases of nodes on to their rows; a lease that is gone leaves its node's last values."""

    def __init__(self, nodes: NodeShelf) -> None:
        self._nodes = nodes

    def take(self, items: Sequence[Lease]) -> None:
        for lease in items:
            self._nodes.renewed(lease)

    def lose(self, item: Lease) -> None:
        return None

    def only(self, keys: set[str]) -> None:
        return None


class EventShelf(RowShelf[KubeEvent, KubeEventRow]):
    """The newest events: there may be thousands, and only the newest are of interest."""

    def __init__(self, hub: Hub, kept: int = EVENTS_KEPT) -> None:
        super().__init__(hub, self._newer)
        self._kept = kept
        self._oldest = 0.0

    def take(self, items: Sequence[KubeEvent]) -> None:
        super().take(items)
        extra = len(self.rows) - self._kept
        if extra > 0:
            by_age = sorted(self.rows, key=lambda name: self.rows[name].at)
            self._oldest = self.rows[by_age[extra]].at
            self._drop(by_age[:extra])

    def _newer(self, event: KubeEvent, now: float) -> KubeEventRow | None:
        """The event's row unless it is older than all that are kept, which are as many as may be."""
        row = event_row(event, now)
        return None if len(self.rows) >= self._kept and row.at < self._oldest else row


def pod_shelf(hub: Hub, heard: Heard[PodRow]) -> RowShelf[Pod, PodRow]:
    """The pods."""
    return RowShelf(hub, pod_row, heard)


def deployment_shelf(hub: Hub, heard: Heard[DeploymentRow]) -> RowShelf[Deployment, DeploymentRow]:
    """The deployments."""
    return RowShelf(hub, deployment_row, heard)


def lease_shelf(
    hub: Hub, machines: Collection[str], known: Mapping[str, str], heard: Heard[LeaseRow]
) -> RowShelf[Lease, LeaseRow]:
    """The leases of the control plane, of which there are more than are shown."""

    def make(lease: Lease, now: float) -> LeaseRow | None:
        return lease_row(lease, machines, now, known) if lease.metadata.name in LED else None

    return RowShelf(hub, make, heard)
