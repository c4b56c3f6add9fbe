"""The figures of Kubernetes in present mode: nodes that are ready and pods that run, as far as it is known."""

from __future__ import annotations

import msgspec

from rwk_tui.board.board import Board
from rwk_tui.board.kube_rows import KubeRow, NodeRow
from rwk_tui.cockpit import marks
from rwk_tui.cockpit.remembered import pod_tally
from rwk_tui.cockpit.views.figures import FigureView

GONE = ("terminating", "succeeded")
"""Pods that are not expected to run."""


class KubeCounts(msgspec.Struct, frozen=True):
    """How many nodes are ready and how many pods run, of how many."""

    ready: int = 0
    nodes: int = 0
    running: int = 0
    pods: int = 0


def kube_runs(board: Board) -> bool:
    """Whether there is any Kubernetes to speak of."""
    kube = board.get(KubeRow, "kube")
    return kube is not None and kube.state != "none"


def kube_counts(board: Board) -> KubeCounts:
    """The counts as the board has them."""
    nodes = board.all_of(NodeRow)
    tallies = pod_tally(board).values()
    return KubeCounts(
        ready=sum(node.state == "ready" for node in nodes),
        nodes=len(nodes),
        running=sum(tally.get("running", 0) for tally in tallies),
        pods=sum(count for tally in tallies for cell, count in tally.items() if cell not in GONE),
    )


def kube_figure_views(board: Board, changed: frozenset[str]) -> dict[str, FigureView]:
    """Nodes and pods; where the API is not there, that is said in the place of what nobody can know."""
    kube, counts = board.get(KubeRow, "kube"), kube_counts(board)
    nodes, pods = f"{counts.ready}/{counts.nodes}", f"{counts.running}/{counts.pods}"
    if kube is None or kube.state == "none":
        return {"nodes": FigureView("no Kubernetes yet"), "pods": FigureView("no pods yet")}
    if kube.state != "ready":
        mark = marks.KUBE[kube.state]
        return {
            "nodes": FigureView(f"{mark.glyph} API {mark.word}", nodes, mark.tone, "nodes" in changed),
            "pods": FigureView(f"{marks.STALE.glyph} pods, before", pods, "muted"),
        }
    if not kube.fresh:
        return {
            "nodes": FigureView(f"{marks.STALE.both}: nodes ready", nodes, "warn", "nodes" in changed),
            "pods": FigureView(f"{marks.STALE.both}: pods running", pods, "warn"),
        }
    return {
        "nodes": _share("nodes ready", nodes, well=counts.ready == counts.nodes, changed="nodes" in changed),
        "pods": _share(_pods(board, kube), pods, well=counts.running == counts.pods, changed="pods" in changed),
    }


def _share(words: str, digits: str, *, well: bool, changed: bool) -> FigureView:
    return FigureView(f"{'●' if well else '!'} {words}", digits, "good" if well else "warn", changed)


def _pods(board: Board, kube: KubeRow) -> str:
    """The pods' words, which own up to it where they run no containers."""
    nodes = board.all_of(NodeRow)
    return "pods run, on kwok" if kube.kubelet == "kwok" or any(node.pretends for node in nodes) else "pods run"
