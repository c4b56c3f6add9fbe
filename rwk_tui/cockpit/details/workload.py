"""Details of what runs on Kubernetes: a node, a pod, a deployment."""

from __future__ import annotations

from collections.abc import Sequence

from rwk_tui.board.board import Board
from rwk_tui.board.kube_rows import DeploymentRow, KubeRow, NodeRow, PodRow
from rwk_tui.cockpit import marks, units
from rwk_tui.cockpit.details.control import is_stale, renewal, watched
from rwk_tui.cockpit.details.page import Page, event_lines, field, heading, state_of
from rwk_tui.cockpit.panes.stack import Rows, Stack
from rwk_tui.cockpit.remembered import pods_by_node, pods_by_owner
from rwk_tui.cockpit.text import Line, Tone, about, cell, clean, fit, line
from rwk_tui.cockpit.views.kube_parts import bare
from rwk_tui.cockpit.views.kubernetes import NOTES


def node_page(board: Board, key: str, now: float, width: int) -> Page | None:
    """Conditions, taints and lease of a node, its pods, and what was said about it."""
    row = board.get(NodeRow, key)
    if row is None:
        return None
    kube = board.get(KubeRow, "kube")
    lines = watched(board, now, width)
    lines += field("state", state_of(marks.NODE[row.state], row.since, now, stale=is_stale(board)))
    if row.machine:
        lines += field("machine", row.machine, thing=f"machine/{row.machine}")
    lines += field("version", bare(row.version) or "–")
    if row.pretends or (not row.runtime and kube is not None and kube.kubelet == "kwok"):
        lines += field("kubelet", (NOTES[0], "muted"), width=width)
    elif row.runtime:
        lines += field("kubelet", f"runs containers on {clean(row.runtime)}", width=width)
    cordoned = marks.CORDONED.span(": takes no new pods")
    lines += field("new pods", "takes them" if row.schedulable else cordoned)
    lines += renewal(row.renewed, row.lease_s, now)
    taints = [clean(taint) for taint in row.taints]
    lines += field("taints", (", ".join(taints), "warn") if taints else "none", width=width)
    if row.conditions:
        lines += heading("Conditions")
        lines += [_condition(*map(clean, each), width=width) for each in row.conditions]
    pods = pods_by_node(board).get(row.name, ())
    return Page(
        f"node {clean(row.name)}",
        Stack(lines, *_pods(pods, now, width), event_lines(board, key, width)),
        is_stale(board),
    )


def _condition(kind: str, status: str, reason: str, *, width: int) -> Line:
    # Ready should be True, everything else that a node has conditions for should be False.
    well = status == ("True" if kind == "Ready" else "False")
    glyph, tone = ("✓", "good") if well else ("?", "bad") if status == "Unknown" else ("✗", "bad")
    shade: Tone = "good" if tone == "good" else "bad"
    return fit(line((f"{glyph} ", shade), cell(kind, 20), (cell(status, 8), shade), (reason, "muted")), width)


def _pods(pods: tuple[PodRow, ...], now: float, width: int, *, node: bool = False) -> list[Sequence[Line]]:
    """Pods, one a line; with the node they are on where that is not said already."""

    def paint(at: int) -> Line:
        pod = pods[at]
        mark = marks.POD[marks.cell_of(pod)]
        where = f"{clean(pod.node) or 'no node'}  " if node else ""
        age = units.age(now - pod.since) if pod.since else ""
        return about(
            pod.key,
            fit(
                line(
                    (f"{cell(mark.both, 14)} ", mark.tone),
                    (cell(age, 7), "muted"),
                    (where, "plain"),
                    clean(pod.name),
                    (f"  {clean(pod.reason)}" if pod.reason else "", "warn"),
                ),
                width,
            ),
        )

    counts: dict[str, int] = {}
    for pod in pods:
        word = marks.POD[marks.cell_of(pod)].word
        counts[word] = counts.get(word, 0) + 1
    said = ", ".join(f"{units.number(count)} {word}" for word, count in counts.items())
    title = f"Pods ({len(pods)})" + (f": {said}" if said else "")
    return [heading(title), Rows([pod.key for pod in pods], paint, (id(pods), int(now), width))]


def pod_page(board: Board, key: str, now: float, width: int) -> Page | None:
    """State of a pod, where it is, whose it is, and how long it stays on a node that is lost."""
    row = board.get(PodRow, key)
    if row is None:
        return None
    node = board.get(NodeRow, f"node/{row.node}") if row.node else None
    lines = watched(board, now, width)
    lines += field("state", state_of(marks.POD[marks.cell_of(row)], row.since, now, stale=is_stale(board)))
    if row.reason:
        lines += field("reason", (clean(row.reason), "warn"), width=width)
    if node is not None:
        lines += field("node", f"{clean(row.node)} ", marks.NODE[node.state].span(), thing=node.key)
    else:
        lines += field("node", clean(row.node) or "none yet")
    owner = board.get(DeploymentRow, f"deployment/{row.namespace}/{row.owner}")
    lines += field("owner", clean(row.owner) or "nobody", thing=owner.key if owner is not None else "")
    lines += field("namespace", clean(row.namespace))
    lines += field("address", clean(row.ip) or "–")
    lines += field("tolerates", _tolerates(row), width=width)
    due = "" if is_stale(board) else _eviction(row, node, now)
    if due:
        lines += field("eviction", (due, "warn"), width=width)
    if row.uid:
        lines += field("uid", (clean(row.uid), "muted"), width=width)
    return Page(f"pod {clean(row.name)}", Stack(lines, event_lines(board, key, width)), is_stale(board))


def _tolerates(row: PodRow) -> str:
    if row.evicted_after is None:
        return "a lost node (not ready, unreachable) for ever"
    return f"a lost node (not ready, unreachable) for {row.evicted_after} s"


def _eviction(row: PodRow, node: NodeRow | None, now: float) -> str:
    """How long a pod on a lost node has left, which is what an audience waits for."""
    if node is None or node.state == "ready" or row.evicted_after is None or row.state == "terminating":
        return ""
    left = node.since + row.evicted_after - now
    return f"due in about {units.age(left)}" if left >= 1 else "due now"


def deployment_page(board: Board, key: str, now: float, width: int) -> Page | None:
    """What a deployment wants and has."""
    row = board.get(DeploymentRow, key)
    if row is None:
        return None
    lines = watched(board, now, width)
    mark = marks.STALE if is_stale(board) else marks.WHOLE if row.ready >= row.wanted else marks.PARTLY
    lines += field("ready", (f"{mark.glyph} {row.ready} of {row.wanted}", mark.tone))
    lines += field("pods", f"{row.pods}, {row.updated} of them of its newest template")
    lines += field("namespace", clean(row.namespace))
    pods = pods_by_owner(board).get(f"{row.namespace}/{row.name}", ())
    return Page(
        f"deployment {clean(row.name)}",
        Stack(lines, *_pods(pods, now, width, node=True), event_lines(board, key, width)),
        is_stale(board),
    )
