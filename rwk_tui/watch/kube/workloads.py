"""How many pods of each owner run, and where: counted as they change, never by walking through all of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection

from rwk_tui.board.kube_rows import DeploymentRow, PodRow

Owner = tuple[str, str]
"""Namespace and name of what made a pod."""


class Workloads:
    """Counts of pods by owner; `good` ones run and are ready, `alive` ones are not about to end."""

    def __init__(self) -> None:
        self._good: dict[Owner, Counter[str]] = defaultdict(Counter)
        self._alive: Counter[Owner] = Counter()
        self._wanted: dict[Owner, int] = {}

    def forget(self) -> None:
        """There are no pods any more."""
        self._good.clear()
        self._alive.clear()
        self._wanted.clear()

    def pod(self, old: PodRow | None, new: PodRow | None) -> None:
        """A pod changed, came or went."""
        for row, step in ((old, -1), (new, 1)):
            if row is None or not row.owner:
                continue
            owner = (row.namespace, row.owner)
            if row.state == "running" and row.ready:
                self._good[owner][row.node] += step
            if row.state in ("pending", "starting", "running"):
                self._alive[owner] += step

    def deployment(self, new: DeploymentRow) -> None:
        """A deployment came or changed."""
        self._wanted[new.namespace, new.name] = new.wanted

    def no_deployment(self, old: DeploymentRow) -> None:
        """A deployment went."""
        self._wanted.pop((old.namespace, old.name), None)

    def on(self, node: str) -> list[Owner]:
        """The owners that have good pods on that node."""
        return [owner for owner, nodes in self._good.items() if nodes[node] > 0]

    def good(self, owner: Owner, without: Collection[str] = ()) -> int:
        """How many good pods an owner has, those on the nodes `without` not counted."""
        nodes = self._good.get(owner)
        if nodes is None:
            return 0
        return nodes.total() - sum(nodes[node] for node in without if node in nodes)

    def alive(self, owner: Owner) -> int:
        """How many pods an owner has that are not about to end."""
        return self._alive[owner]

    def wanted(self, owner: Owner) -> int | None:
        """How many pods a deployment wants; None if the owner is no deployment that is known."""
        return self._wanted.get(owner)
