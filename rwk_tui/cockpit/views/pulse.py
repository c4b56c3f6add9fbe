"""The pulse: the whole lab in one line, for screens that show one pane at a time."""

from __future__ import annotations

import msgspec

from rwk_tui.board.board import Board
from rwk_tui.board.kube_rows import ApiServerRow, KubeRow, NodeRow
from rwk_tui.board.rows import MachineRow, QuorumRow
from rwk_tui.cockpit import marks, units
from rwk_tui.cockpit.text import Line, Span, Tone, fit, width_of
from rwk_tui.cockpit.views.availability import availability_view

Word = tuple[str, Tone]


class PulseView(msgspec.Struct, frozen=True):
    """Machines, etcd, Kubernetes and writes; what has a long and a short form comes as (long, short, tone)."""

    machines: tuple[Word, ...] = ()
    etcd: tuple[str, str, Tone] = ("no cluster yet", "no cluster", "muted")
    api: Word | None = None
    nodes: Word | None = None
    writes: tuple[str, str, Tone] | None = None


def pulse_view(board: Board, now: float) -> PulseView:
    """What the pulse shows of the board."""
    api, nodes = _kubernetes(board, now)
    return PulseView(
        machines=tuple((marks.POWER[row.power].glyph, marks.POWER[row.power].tone) for row in board.rows(MachineRow)),
        etcd=_etcd(board),
        api=api,
        nodes=nodes,
        writes=_writes(board, now),
    )


def _etcd(board: Board) -> tuple[str, str, Tone]:
    quorum = board.get(QuorumRow, "quorum")
    if quorum is None or quorum.state == "none":
        return "no cluster yet", "no cluster", "muted"
    if quorum.state == "lost":
        return (
            f"✗ no quorum: {quorum.reachable} of {quorum.voters}",
            f"✗ no quorum {quorum.reachable}/{quorum.voters}",
            "bad",
        )
    leader = f" ★ {quorum.leader}" if quorum.leader else " no leader"
    tone: Tone = "good" if quorum.state == "healthy" else "warn"
    long = f"quorum {quorum.reachable} of {quorum.voters}{leader}"
    return long, f"{quorum.reachable}/{quorum.voters}{leader}", tone


def _kubernetes(board: Board, now: float) -> tuple[Word | None, Word | None]:
    kube = board.get(KubeRow, "kube")
    if kube is None or kube.state == "none":
        return None, None
    mark = marks.KUBE[kube.state]
    servers = board.all_of(ApiServerRow)
    lame = len([row for row in servers if row.state != "ready"])
    tone: Tone = "warn" if mark.tone == "good" and lame else mark.tone
    api = f"{mark.glyph} {mark.word}" + (f" {len(servers) - lame}/{len(servers)}" if lame and len(servers) > 1 else "")
    rows = board.all_of(NodeRow)
    if not kube.fresh:
        if kube.state != "ready":
            return (api, tone), None  # That nobody knows of the nodes goes without saying.
        return (api, tone), (f"{marks.STALE.both} {units.age(now - (kube.synced_at or kube.seen_at))}", "warn")
    ready = sum(row.state == "ready" for row in rows)
    return (api, tone), (f"{ready}/{len(rows)}", "good" if ready == len(rows) else "bad") if rows else None


def _writes(board: Board, now: float) -> tuple[str, str, Tone] | None:
    """What the canaries see; the one that fares worst speaks for all."""
    canaries = availability_view(board, now).canaries
    if not canaries:
        return None
    worst = min(canaries, key=lambda canary: canary.state.tone != "bad")
    state, gap = worst.state, worst.gap
    if gap and state.tone == "bad":
        return f"{state.glyph} {gap}", f"{state.glyph} {gap.removeprefix('no writes for ')}", state.tone
    return ", ".join(filter(None, (state.both, gap))), state.both, state.tone


def pulse_line(view: PulseView, width: int) -> Line:
    """The pulse; as much of it in short as must be, the writes last."""
    for saved in range(4):
        spans = _spans(view, saved >= 1, saved >= 2, saved >= 3)
        if width_of(spans) <= width:
            return spans
    return fit(spans, width)


def _spans(view: PulseView, short: bool, short_etcd: bool, short_writes: bool) -> Line:
    spans: list[Span] = [Span("machines ", "muted")]
    spans += [Span(glyph if short else f"{glyph} ", tone) for glyph, tone in view.machines] or [Span("– ", "muted")]
    gap = "  " if short else " "
    spans += [Span(f"{gap}etcd ", "muted"), Span(view.etcd[1 if short_etcd else 0], view.etcd[2])]
    if view.api is not None:
        spans += [Span("  api ", "muted"), Span(*view.api)]
    if view.nodes is not None:
        spans += [Span("  nodes ", "muted"), Span(*view.nodes)]
    if view.writes is not None:
        spans += [Span("  writes ", "muted"), Span(view.writes[1 if short_writes else 0], view.writes[2])]
    return tuple(spans)
