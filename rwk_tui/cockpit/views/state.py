"""The lab in a few words: quorum, leader, term, Kubernetes and the faults that are injected."""

from __future__ import annotations

import msgspec

from rwk_tui.board.board import Board
from rwk_tui.board.kube_rows import KubeRow, NodeRow
from rwk_tui.board.rows import FaultRow, QuorumRow
from rwk_tui.board.targets import target_words
from rwk_tui.cockpit import marks
from rwk_tui.cockpit.text import Line, Span, Tone, clean, fit, width_of

SEPARATOR = Span(" · ", "muted")


class StateView(msgspec.Struct, frozen=True):
    """What is said of the lab; `leader` and `term` are those of etcd ("" and 0 where there is none).

    `faults` are injected and not healed, the newest first.
    """

    quorum: str = "no cluster yet"
    tone: Tone = "muted"
    leader: str = ""
    term: int = 0
    kube: str = ""
    kube_tone: Tone = "muted"
    faults: tuple[str, ...] = ()


def state_view(board: Board) -> StateView:
    """The state as the board has it."""
    quorum = board.get(QuorumRow, "quorum")
    kube = board.get(KubeRow, "kube")
    view = StateView(faults=tuple(fault_words(row) for row in newest_faults(board)))
    if kube is not None and kube.state != "none":
        mark = marks.KUBE[kube.state]
        nodes = [row.state == "ready" for row in board.all_of(NodeRow)]
        ready = f" · {sum(nodes)} of {len(nodes)} nodes ready" if nodes and kube.fresh else ""
        tone: Tone = "warn" if ready and not all(nodes) and mark.tone == "good" else mark.tone
        view = msgspec.structs.replace(view, kube=f"{mark.glyph} API {mark.word}{ready}", kube_tone=tone)
    if quorum is None or quorum.state == "none":
        return view
    words, how = _quorum(quorum)
    return msgspec.structs.replace(view, quorum=words, tone=how, leader=clean(quorum.leader), term=quorum.term)


def _quorum(quorum: QuorumRow) -> tuple[str, Tone]:
    count = f"{quorum.reachable} of {quorum.voters}"
    if not quorum.fresh:
        return f"{marks.STALE.glyph} stale: quorum {count}", "warn"
    if quorum.state == "lost":
        return f"✗ no quorum: {count}", "bad"
    if quorum.state == "degraded":
        return f"! quorum {count}", "warn"
    return f"● quorum {count}", "good"


def newest_faults(board: Board) -> list[FaultRow]:
    """The active faults, the newest first."""
    return sorted(board.rows(FaultRow), key=lambda row: -row.since)


def fault_words(row: FaultRow) -> str:
    """A fault and where it strikes."""
    healing = " (healing…)" if row.healing else ""
    return f"{clean(row.fault)} {target_words(clean(row.target))}{healing}"


def leader_words(view: StateView) -> Line:
    """Who leads etcd in which term, or that nobody does; nothing where there is no cluster."""
    if view.leader:
        return (Span(f"★ {view.leader}", "accent"), Span(f" term {view.term}"))
    return (Span("no leader", "bad"),) if view.term else ()


def faults_words(view: StateView) -> Line:
    """The injected faults, or that there is none."""
    if not view.faults:
        return (Span("no fault", "muted"),)
    return (Span(f"{marks.FAULT.glyph} {', '.join(view.faults)}", marks.FAULT.tone),)


def _newest_fault(view: StateView) -> Line:
    """The newest fault, with how many there are."""
    if len(view.faults) < 2:
        return faults_words(view)
    return (Span(f"{marks.FAULT.glyph} {len(view.faults)} faults, last {view.faults[0]}", marks.FAULT.tone),)


def state_line(view: StateView, width: int, *, with_faults: bool = True) -> Line:
    """All of it on one line; what is least important is left out where it does not fit."""
    quorum: Line = (Span(view.quorum, view.tone),)
    kube: Line = (Span(view.kube, view.kube_tone),) if view.kube else ()
    leader, faults, count = leader_words(view), faults_words(view), _newest_fault(view)
    if not with_faults:
        faults = count = ()
    who = leader[:1]
    ways = (
        (quorum, leader, kube, faults),
        (leader, kube, faults),
        (who, kube, faults),
        (quorum, leader, faults),
        (leader, faults),
        (who, faults),
        (who, count),
    )
    lines = [joined(*way) for way in ways]
    return next((parts for parts in lines if width_of(parts) <= width), fit(lines[-1], width))


def joined(*parts: Line) -> Line:
    """Pieces of a line with a dot between them; empty ones leave none."""
    spans: list[Span] = []
    for part in parts:
        if part:
            spans += [SEPARATOR, *part] if spans else part
    return tuple(spans)
