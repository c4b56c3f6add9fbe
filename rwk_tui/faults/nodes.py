"""Faults of nodes: the kubelet dies."""

from __future__ import annotations

from rwk_tui.board.board import Board
from rwk_tui.board.kube_rows import NodeRow
from rwk_tui.cluster.kubernetes.units import KUBELET
from rwk_tui.faults import sights
from rwk_tui.faults.base import Case, Sight, machine_of, unit_of
from rwk_tui.faults.process import KillUnit


class KillKubelet(KillUnit):
    """The kubelet of a node is killed: nobody renews the node's lease any more."""

    name = "kill-kubelet"
    domain = "nodes"
    stage = "kubernetes"
    title = "Kill a kubelet"
    explain = (
        "SIGKILL to the node's agent. The control plane hears nothing of it; it can only wait for what is not said."
    )
    look = "After a grace period the node is NotReady; after a toleration its pods are made anew elsewhere."
    must = "Nothing is evicted too early; each deployment gets all its pods back; the node comes back by itself."
    shows_within = 45.0
    well_within = 90.0

    def targets(self, board: Board) -> tuple[str, ...]:
        running = sights.units(board, "running", "paused")
        ready = {row.machine for row in board.rows(NodeRow) if row.state == "ready"}
        return tuple(target for target in running if unit_of(target) == KUBELET and machine_of(target) in ready)

    def of_leader(self, machine: str) -> str:
        return ""

    async def shows(self, case: Case) -> Sight | None:
        row = case.ground.hub.board.get(NodeRow, f"node/{machine_of(case.target)}")
        return Sight(f"{row.name} is NotReady") if row is not None and row.state != "ready" else None

    def holds(self, board: Board, target: str) -> bool:
        return super().holds(board, target) and sights.deployments_are_well(board)
