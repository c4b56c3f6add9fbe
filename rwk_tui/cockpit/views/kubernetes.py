"""What the Kubernetes pane shows: its API servers, who leads its parts, its deployments, its nodes with their pods."""

from __future__ import annotations

import msgspec

from rwk_tui.board.board import Board
from rwk_tui.board.kube_rows import ApiServerRow, DeploymentRow, KubeRow, LeaseRow, NodeRow, PodRow
from rwk_tui.board.rows import QuorumRow
from rwk_tui.cockpit import marks, units
from rwk_tui.cockpit.keymap import USUAL, KeyMap
from rwk_tui.cockpit.remembered import pod_tally
from rwk_tui.cockpit.text import clean
from rwk_tui.cockpit.views.engines import InstallView, install_views, missing_engines
from rwk_tui.cockpit.views.kube_parts import (
    DeploymentView,
    LeaseView,
    NodeView,
    Runs,
    ServerView,
    bare,
    deployment_view,
    kubelet_of,
    lease_view,
    node_view,
    runs,
    server_view,
    without_node,
)

NOTES = ("kwok stands in for the kubelet: these pods run no containers", "kwok: pods run no containers")
MANY = 6
"""More nodes than that are summed up in lines of their own."""


class KubernetesView(msgspec.Struct, frozen=True):
    """The whole pane; `stale` says since when and why nothing below it is live, `waits` what there is to wait for.

    `missing` are the engines without which there can be none, `install_key` is the key that gets them ("" for none).
    """

    title: str = "Kubernetes"
    titles: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    waits: str = ""
    missing: tuple[str, ...] = ()
    install_key: str = USUAL.key("install")
    installs: tuple[InstallView, ...] = ()
    trouble: str = ""
    stale: str = ""
    servers: tuple[ServerView, ...] = ()
    leases: tuple[LeaseView, ...] = ()
    deployments: tuple[DeploymentView, ...] = ()
    nodes: tuple[NodeView, ...] = ()
    pods: Runs = ()
    troubled: bool = False


def kubernetes_view(board: Board, now: float, keys: KeyMap = USUAL, *, gets: bool = True) -> KubernetesView:
    """What the pane shows of the board."""
    kube = board.get(KubeRow, "kube")
    installs = install_views(board)
    if kube is None or kube.state == "none":
        failed = any(install.state == "failed" for install in installs)
        return KubernetesView(
            waits=_waits(board),
            missing=missing_engines(board),
            install_key=keys.key("install") if gets else "",
            installs=installs,
            troubled=failed,
        )
    mark, rows = marks.KUBE[kube.state], board.rows(NodeRow)
    servers = tuple(server_view(row, now) for row in board.rows(ApiServerRow))
    tally = pod_tally(board)
    # Before anything was read of it there is nothing that could be out of date.
    fresh = kube.fresh or not any(board.holds(kind) for kind in (NodeRow, PodRow, LeaseRow, DeploymentRow))
    stale = "" if fresh else f"stale {units.age(now - (kube.synced_at or kube.seen_at))}"
    versions = _versions(board)
    nodes = [node_view(row, tally.get(row.name, {}), now, fresh, len(versions) > 1) for row in rows]
    if any(row.runtime and not row.pretends for row in rows):
        nodes = [msgspec.structs.replace(node, kubelet=kubelet_of(row)) for node, row in zip(nodes, rows, strict=True)]
    nodes += without_node({row.name for row in rows}, tally)
    pods = _runs_of_all(tally)
    version = f"{versions[0]}–{versions[-1]} skew" if len(versions) > 1 else bare(kube.version)
    age = "" if kube.state == "ready" or not kube.since else f" {units.age(now - kube.since)}"
    heads = (f"Kubernetes {version}".strip(), f"api {mark.word}{age}")
    long, short = ((stale,), (stale,)) if stale else _counts(rows, pods)
    return KubernetesView(
        title=" · ".join((*heads, *long)),
        titles=(" · ".join((*heads, *short)), " · ".join((*heads[1:], *short))),
        notes=_notes(rows, kube),
        install_key=keys.key("install") if gets else "",
        installs=installs,
        trouble=f"{mark.glyph} {clean(kube.why)}" if kube.state != "ready" and fresh and kube.why else "",
        stale=_stale(kube, stale) if stale else "",
        servers=servers,
        leases=tuple(lease_view(row, now, fresh) for row in board.rows(LeaseRow)),
        deployments=tuple(deployment_view(row) for row in board.rows(DeploymentRow)),
        # A few stay where the audience knows them; of many, those that are not well must be in sight.
        nodes=tuple(sorted(nodes, key=lambda node: node.well) if len(nodes) > MANY else nodes),
        pods=pods,
        troubled=bool(stale)
        or mark.tone == "bad"
        or any(server.mark.tone == "bad" for server in servers)
        or any(row.state != "ready" for row in rows)
        or "failed" in dict(pods),
    )


def _notes(rows: list[NodeRow], kube: KubeRow) -> tuple[str, ...]:
    """Where kwok stands in: everywhere, on some nodes, or nowhere. Nodes say it themselves once they can."""
    said = [row for row in rows if row.runtime]
    pretended = [clean(row.name) for row in said if row.pretends]
    if not said or len(pretended) == len(said):
        return NOTES if kube.kubelet == "kwok" or pretended else ()
    if not pretended:
        return ()
    names = ", ".join(pretended)
    return (f"kwok stands in for the kubelet of {names}: no containers there", f"kwok on {names}: no containers")


Words = tuple[str, ...]


def _counts(rows: list[NodeRow], pods: Runs) -> tuple[Words, Words]:
    """How many nodes and pods are well, in full and in short."""
    counts = dict(pods)
    expected = sum(counts.values()) - counts.get("terminating", 0) - counts.get("succeeded", 0)
    ready, running = sum(row.state == "ready" for row in rows), counts.get("running", 0)
    long, short = [], []
    if rows:
        long.append(f"{ready} of {len(rows)} nodes ready")
        short.append(f"nodes {ready}/{len(rows)}")
    if pods:
        long.append(f"{units.number(running)} of {units.number(expected)} pods running")
        short.append(f"pods {running}/{expected}")
    return tuple(long), tuple(short)


def _versions(board: Board) -> list[str]:
    """The versions that run, the oldest first."""
    rows: tuple[ApiServerRow | NodeRow, ...] = (*board.all_of(ApiServerRow), *board.all_of(NodeRow))
    return sorted({bare(row.version) for row in rows if row.version}, key=_by_number)


def _by_number(version: str) -> tuple[tuple[int, str], ...]:
    return tuple((int(part), "") if part.isdigit() else (0, part) for part in version.split("."))


def _waits(board: Board) -> str:
    quorum = board.get(QuorumRow, "quorum")
    if quorum is None or quorum.state == "none":
        return "waits for an etcd cluster, then for an API server"
    if quorum.state == "lost":
        return "waits for an API server, which would wait for etcd's quorum"
    return "waits for an API server: no chapter has started one"


def _stale(kube: KubeRow, stale: str) -> str:
    because = f": {clean(kube.why)}" if kube.why else ""
    return f"{marks.STALE.glyph} {stale}{because}"


def _runs_of_all(tally: dict[str, dict[marks.Cell, int]]) -> Runs:
    counts: dict[marks.Cell, int] = {}
    for of_node in tally.values():
        for cell, count in of_node.items():
            counts[cell] = counts.get(cell, 0) + count
    return runs(counts)
