"""The Kubernetes pane: until there is an API server, one line says what it waits for."""

from __future__ import annotations

import msgspec

from rwk_tui.board.board import Board
from rwk_tui.board.rows import QuorumRow, UnitRow
from rwk_tui.cockpit.text import Line, line


class KubernetesView(msgspec.Struct, frozen=True):
    """What the pane waits for."""

    waits: str = ""
    title: str = "Kubernetes"
    troubled: bool = False


def kubernetes_view(board: Board, now: float) -> KubernetesView:
    """What the pane shows of the board."""
    if any(row.unit == "kube-apiserver" and row.state == "running" for row in board.rows(UnitRow)):
        return KubernetesView("an API server runs; no probe watches it yet")
    quorum = board.get(QuorumRow, "quorum")
    if quorum is None or quorum.state == "none":
        return KubernetesView("waits for an etcd cluster, then for an API server")
    if quorum.state == "lost":
        return KubernetesView("waits for an API server, which would wait for etcd's quorum")
    return KubernetesView("waits for an API server: no chapter has started one")


def kubernetes_lines(view: KubernetesView, width: int) -> list[Line]:
    """The pane's lines."""
    return [line((f"○ {view.waits}", "muted"))]
