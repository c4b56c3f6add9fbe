"""The parts of Kubernetes as panes show them: API servers, nodes with their pods, leases, deployments."""

from __future__ import annotations

import msgspec

from rwk_tui.board.kube_rows import ApiServerRow, DeploymentRow, LeaseRow, NodeRow
from rwk_tui.cockpit import marks, units
from rwk_tui.cockpit.text import clean

PARTS = {"kube-controller-manager": "kcm", "kube-scheduler": "scheduler"}
"""Parts of the control plane as a narrow pane names them."""
NO_NODE = "no node"

Runs = tuple[tuple[marks.Cell, int], ...]
"""Pods by kind of cell, in the order of the legend."""


class ServerView(msgspec.Struct, frozen=True):
    """One API server; `failing` are the checks of its /readyz that don't pass."""

    key: str
    name: str
    mark: marks.Mark
    age: str = ""
    version: str = ""
    failing: tuple[str, ...] = ()


class NodeView(msgspec.Struct, frozen=True):
    """One node with its pods; `version` is "" unless versions differ, `kubelet` what plays it unless kwok plays all."""

    key: str
    name: str
    mark: marks.Mark
    age: str = ""
    version: str = ""
    kubelet: str = ""
    remarks: tuple[str, ...] = ()
    pods: Runs = ()
    well: bool = True


class LeaseView(msgspec.Struct, frozen=True):
    """Who leads one part of the control plane."""

    key: str
    part: str
    holder: str
    mark: marks.Mark
    more: str = ""


class DeploymentView(msgspec.Struct, frozen=True):
    """One deployment."""

    key: str
    name: str
    ready: int
    wanted: int
    outdated: int = 0


def bare(version: str) -> str:
    """A version without the v that Kubernetes puts before it."""
    return clean(version).removeprefix("v")


def short_taint(taint: str) -> str:
    """A taint without the group it belongs to: "unreachable:NoExecute"."""
    return clean(taint).rpartition("/")[2]


def server_view(row: ApiServerRow, now: float) -> ServerView:
    mark = marks.API[row.state]
    age = "" if row.state == "ready" or not row.since else units.age(now - row.since)
    if not row.fresh and row.state != "down":  # One that is down can't be asked: that is what down means.
        mark, age = marks.STALE, units.age(now - row.seen_at)
    failing = tuple(clean(check) for check in row.failing)
    return ServerView(row.key, clean(row.machine), mark, age, bare(row.version), failing)


def kubelet_of(row: NodeRow) -> str:
    """What plays the kubelet of a node: "kubelet · containerd 1.6.20", or "kwok"; "" as long as it did not say."""
    return "kwok" if row.pretends else f"kubelet · {clean(row.runtime)}" if row.runtime else ""


def node_view(row: NodeRow, tally: dict[marks.Cell, int], now: float, fresh: bool, skew: bool) -> NodeView:
    mark = marks.NODE[row.state]
    return NodeView(
        key=row.key,
        name=clean(row.name),
        mark=mark if fresh else marks.was(mark),
        age="" if row.state == "ready" or not fresh or not row.since else units.age(now - row.since),
        version=bare(row.version) if skew else "",
        remarks=(
            *(() if row.schedulable else (marks.CORDONED.both,)),
            *_taints(row),
        ),
        pods=runs(tally),
        well=row.state == "ready" and row.schedulable,
    )


def _taints(row: NodeRow) -> tuple[str, ...]:
    """Taints in short. Of two of one name the one that evicts says more; what "cordoned" says is not said again."""
    effects: dict[str, str] = {}
    for name, _, effect in sorted(short_taint(taint).rpartition(":") for taint in row.taints):
        if effects.get(name) != "NoExecute":
            effects[name] = effect
    if not row.schedulable:
        effects.pop("unschedulable", None)
    return tuple(f"{name}:{effect}" if name else effect for name, effect in effects.items())


def without_node(names: set[str], tally: dict[str, dict[marks.Cell, int]]) -> list[NodeView]:
    """Pods that wait for a node, and those of nodes that are no more."""
    waits = marks.Mark("◫", "waiting", "warn")
    return [
        NodeView(
            "",
            clean(name) or NO_NODE,
            waits if not name else marks.Mark("∅", "gone", "bad"),
            pods=runs(of),
            well=False,
        )
        for name, of in sorted(tally.items())
        if name not in names
    ]


def runs(tally: dict[marks.Cell, int]) -> Runs:
    return tuple((cell, tally[cell]) for cell in marks.POD if cell in tally)


def lease_view(row: LeaseRow, now: float, fresh: bool) -> LeaseView:
    holder = clean(row.machine or row.holder.partition("_")[0])
    mark, more = marks.LEASE, ""
    late = lapsed_for(row, now) if fresh else 0.0
    if not fresh:
        mark, more = marks.STALE, "then"
    elif not holder:
        mark = marks.Mark("○", "nobody", "warn")
    elif late:
        mark, more = marks.LAPSED, f"{marks.LAPSED.word} {units.age(late)}"
    return LeaseView(row.key, PARTS.get(row.name, clean(row.name)), holder or "nobody", mark, more)


def lapsed_for(row: LeaseRow, now: float) -> float:
    """Seconds since a lease ran out without anybody renewing or taking it, 0 while it holds."""
    # What is seen of a renewal comes up to a second late, so a lease is not called lapsed before that.
    late = now - row.renewed - row.duration_s - 1 if row.renewed and row.duration_s else 0.0
    return max(0.0, late)


def deployment_view(row: DeploymentRow) -> DeploymentView:
    return DeploymentView(row.key, clean(row.name), row.ready, row.wanted, max(0, row.pods - row.updated))
