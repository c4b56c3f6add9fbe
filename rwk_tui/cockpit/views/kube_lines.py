"""How the Kubernetes pane is painted: what there is little of above, the nodes below, made once they are in sight."""

from __future__ import annotations

from collections.abc import Sequence

from rwk_tui.cockpit import marks, units
from rwk_tui.cockpit.panes.stack import Rows, Stack
from rwk_tui.cockpit.text import Line, Span, about, cell, cut, fade, fit, flow, line, width_of
from rwk_tui.cockpit.views.engines import install_lines
from rwk_tui.cockpit.views.kube_parts import DeploymentView, LeaseView, NodeView, Runs, ServerView
from rwk_tui.cockpit.views.kubernetes import MANY, KubernetesView

LABEL = 8
"""Cells of the labels at the left; names of nodes begin there too, and three machines' names fit."""
NAME = 20
LAST_KNOWN = " · what follows is what was last known"


def kubernetes_lines(view: KubernetesView, width: int) -> Sequence[Line]:
    """The pane's lines."""
    lines = install_lines(view.installs, width, view.install_key)
    if view.waits:
        if not lines:
            lines.append(_waits_line(view, width))
        return lines
    lines += _server_lines(view.servers, width)  # They are asked one by one, whatever becomes of the watches.
    if view.trouble:
        lines.append(fit(line((view.trouble, "warn")), width))
    if view.stale:
        lines.append(_stale_line(view.stale, width))
    stale = bool(view.stale)
    below = flow("leases", [_lease(lease) for lease in view.leases], width, LABEL)
    below += flow("deploy", [_deployment(deployment, stale) for deployment in _unready_first(view)], width, LABEL)
    if len(view.nodes) > MANY:
        below += _sums(view, width)
    return Stack(lines, [fade(parts) for parts in below] if stale else below, node_rows(view.nodes, width, stale=stale))


def _stale_line(text: str, width: int) -> Line:
    long = line((text + LAST_KNOWN, "warn"))
    return long if width_of(long) <= width else fit(line((text, "warn")), width)


def _waits_line(view: KubernetesView, width: int) -> Line:
    if not view.missing or not view.install_key:
        return line((f"○ {view.waits}", "muted"))
    them = "them" if len(view.missing) > 1 else "it"
    key = line(" · ", Span(view.install_key, "key", "install"), Span(f" gets {them}", "plain", "install"))
    missing = line((f"○ not installed: {', '.join(view.missing)}", "muted"))
    return (*fit(missing, width - width_of(key)), *key)


def _server_lines(servers: tuple[ServerView, ...], width: int) -> list[Line]:
    entries = []
    for server in servers:
        parts = line((f"{server.mark.glyph} ", server.mark.tone), (server.name, "strong"), " ")
        age = f" {server.age}" if server.age else ""
        parts += (Span(server.mark.word + age, server.mark.tone),)
        if server.version and server.mark.tone == "good":
            parts += (Span(f" {server.version}", "muted"),)
        entries.append(about(server.key, parts))
    lines = flow("api", entries, width, LABEL)
    for server in servers:
        if server.failing:
            text = f"! {server.name} fails: {', '.join(server.failing)}"
            lines.append(about(server.key, fit(line(" " * LABEL, (text, "bad")), width)))
    return lines


def _lease(lease: LeaseView) -> Line:
    more = f" {lease.more}" if lease.more else ""
    return about(
        lease.key,
        line(
            (f"{lease.mark.glyph} ", lease.mark.tone),
            f"{lease.part} ",
            (lease.holder, "strong"),
            (more, lease.mark.tone),
        ),
    )


def _unready_first(view: KubernetesView) -> list[DeploymentView]:
    return sorted(view.deployments, key=lambda deployment: deployment.ready >= deployment.wanted)


def _deployment(deployment: DeploymentView, stale: bool) -> Line:
    whole = deployment.ready >= deployment.wanted and not deployment.outdated
    mark = marks.STALE if stale else marks.WHOLE if whole else marks.PARTLY
    count = f"{deployment.ready}/{deployment.wanted}" + (" then" if stale else "")
    parts = line((f"{mark.glyph} ", mark.tone), f"{deployment.name} ", (count, mark.tone))
    if deployment.outdated:
        parts += (Span(f" {deployment.outdated} old", "warn"),)
    return about(deployment.key, parts)


def _sums(view: KubernetesView, width: int) -> list[Line]:
    """How many nodes and pods there are in which state."""
    states: dict[marks.Mark, int] = {}
    for node in view.nodes:
        if node.key:
            states[node.mark] = states.get(node.mark, 0) + 1
    nodes: list[Line] = [
        (Span(f"{mark.glyph} ", mark.tone), Span(f"{units.number(count)} {mark.word}", mark.tone))
        for mark, count in sorted(states.items(), key=lambda pair: pair[0].tone != "good")
    ]
    return [
        *flow("nodes", nodes, width, LABEL),
        *flow("pods", [_counted(one, count, bool(view.stale)) for one, count in view.pods], width, LABEL),
    ]


def _counted(one: marks.Cell, count: int, stale: bool) -> Line:
    mark = marks.POD[one]
    return (Span(f"{mark.glyph} ", mark.tone), Span(f"{units.number(count)} {'were ' if stale else ''}{mark.word}"))


def node_rows(nodes: tuple[NodeView, ...], width: int, *, stale: bool) -> Rows:
    """One line a node, made when it is in sight."""
    name = min(NAME, max((len(node.name) for node in nodes), default=0)) + 1
    state = max((len(node.mark.both) + (len(node.age) + 1 if node.age else 0) for node in nodes), default=0) + 2
    version = max((len(node.version) for node in nodes), default=0)
    sizes = (max(LABEL, name), max(12, state), version + 2 if version else 0)
    keys = [node.key for node in nodes]
    return Rows(keys, lambda at: node_line(nodes[at], sizes, width, stale), (nodes, sizes, width, stale))


def node_line(node: NodeView, sizes: tuple[int, int, int], width: int, stale: bool) -> Line:
    """Name, state, version where they differ, pods as cells, and what keeps pods away."""
    name, state, version = sizes
    age = f" {node.age}" if node.age else ""
    head = line(
        (cell(cut(node.name, name - 1), name), "strong"),
        (cell(f"{node.mark.both}{age}".rstrip(), state), node.mark.tone),
    )
    if version:
        head = (*head, Span(cell(node.version, version), "plain"))
    room = width - width_of(head)
    remarks = line(("  " + " · ".join(node.remarks), "warn")) if node.remarks else ()
    pods = pod_line(node.pods, room - width_of(remarks), stale)
    if not node.pods:
        pods = line(("no pods", "muted"))
    whole = about(node.key, fit((*head, *pods, *remarks, *_kubelet(node.kubelet, room, pods, remarks)), width))
    return fade(whole) if stale else whole


def _kubelet(words: str, room: int, pods: Line, remarks: Line) -> Line:
    """What plays the kubelet, in full or in short, where there is room beside what changes."""
    left = room - width_of(pods) - width_of(remarks)
    for text in (words, words.rpartition(" · ")[2]):
        told = line((f"  {text}", "muted"))
        if text and width_of(told) <= left:
            return told
    return ()


def pod_line(pods: Runs, room: int, stale: bool) -> Line:
    """Pods as cells, each kind with its count and word; where they don't fit, "■×23"."""
    were = "were " if stale else ""
    full, short, shortest = [], [], []
    drawn = sum(count for _, count in pods) <= room
    for kind, count in pods:
        mark = marks.POD[kind]
        words = Span(f" {count} {were}{mark.word}", "plain")
        full.append((Span(mark.glyph * (count if drawn else 1), mark.tone), words))
        short.append((Span(f"{mark.glyph}×{count}", mark.tone), Span(f" {were}{mark.word}", "plain")))
        shortest.append((Span(f"{mark.glyph}×{count}", mark.tone),))
    for entries in (full, short, shortest) if drawn else (short, shortest):
        joined = tuple(
            span for number, entry in enumerate(entries) for span in ((Span("  "),) if number else ()) + entry
        )
        if width_of(joined) <= room:
            return joined
    return fit(joined, max(0, room)) if pods else ()
