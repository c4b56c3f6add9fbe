"""A drain against a budget: a node is to be emptied, and what runs there may not go."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter

from rwk_tui.board.board import Board
from rwk_tui.board.kube_rows import DeploymentRow, NodeRow, PodRow
from rwk_tui.board.rows import FaultRow
from rwk_tui.cluster.ops import RunOp
from rwk_tui.faults import sights
from rwk_tui.faults.base import Case, Fault, Sight
from rwk_tui.faults.ground import Ground
from rwk_tui.faults.objects import Document, apply, delete, kubectl
from rwk_tui.lab.protocol import LabError

REFUSED = "disruption budget"
"""What kubectl says when an eviction is refused for its sake."""
AGAIN = 5.0
"""Seconds until a drain that gave up is tried again."""
ONE_IN = 4
"""Of so many pods one may be missing once the budget is loosened: a drain of many would take all day otherwise."""


class Drain(Fault):
    """A node is drained although a PodDisruptionBudget says that each pod is needed."""

    name = "drain"
    domain = "nodes"
    stage = "kubernetes"
    title = "Drain against a budget"
    explain = "A PodDisruptionBudget says that no pod may be missing; then the node is drained all the same."
    look = "The node takes no new pods, and every eviction is refused: the drain waits, and waits."
    must = "There are never fewer ready pods than the budget asks for. Loosened, it lets them go one after another."
    well_within = 90.0

    def targets(self, board: Board) -> tuple[str, ...]:
        """Nodes with pods of a deployment that can go to another node."""
        open_nodes = [row.name for row in board.rows(NodeRow) if row.state == "ready" and row.schedulable]
        if len(open_nodes) < 2 or not sights.deployments_are_well(board):
            return ()
        empty = set(open_nodes)
        for pod in board.all_of(PodRow):
            if pod.node in empty and pod.state == "running" and _deployment_of(board, pod) is not None:
                empty.remove(pod.node)
                if not empty:
                    break  # there may be thousands of pods, and this is asked at each change
        return tuple(name for name in open_nodes if name not in empty)

    def done(self, target: str) -> str:
        return f"{target} is drained against a budget"

    def undone(self, target: str) -> str:
        return f"the budget is loosened, {target} is drained and then takes pods again"

    def seen(self, target: str) -> tuple[tuple[str, str], ...]:
        return ((f"node/{target}", "cordoned"),)

    def seen_healed(self, target: str) -> tuple[tuple[str, str], ...]:
        return ((f"node/{target}", "schedulable"),)

    async def inject(self, case: Case) -> None:
        ground, node = case.ground, case.target
        deployment = deployment_on(ground.hub.board, node)
        if deployment is None:
            raise LabError(f"{node} has no pod of a deployment any more")
        try:
            spec = {"minAvailable": deployment.ready}
            await apply(ground, self.title, _file(node), [budget(node, deployment, spec)])
            await ground.do(self.title, [kubectl(ground, "cordon", node)])
        except LabError:
            with contextlib.suppress(LabError):
                await delete(ground, "Take the budget away", _file(node))
            raise

    async def keep_up(self, case: Case) -> None:
        """Drain, and again if it gives up, as it does when the API is away."""
        while True:
            try:
                return await case.ground.keep_running(self.title, drain(case.ground, case.target))
            except LabError as error:
                case.ground.teller(self.title, case.ground.lab.desk.name)("note", str(error))
            await asyncio.sleep(AGAIN)

    async def shows(self, case: Case) -> Sight | None:
        board = case.ground.hub.board
        lines = (line for line in board.output if line.step == self.title and line.at >= case.at)
        refused = sum(REFUSED in line.text for line in lines)
        if not refused or not _is_cordoned(board, case.target):
            return None
        times = {1: "once", 2: "twice"}.get(refused, f"{refused} times")
        return Sight(f"{case.target} is cordoned, and an eviction was refused {times} for the budget's sake")

    async def heal(self, case: Case, others: tuple[FaultRow, ...]) -> None:
        """Loosen the budget, let the drain go through, and take everything back; each step can be done twice."""
        ground, node = case.ground, case.target
        deployment = deployment_on(ground.hub.board, node)
        if deployment is not None:
            spec = {"maxUnavailable": max(1, deployment.wanted // ONE_IN)}
            await apply(ground, "Loosen the budget", _file(node), [budget(node, deployment, spec)])
            await ground.do("Drain it now", [drain(ground, node)])
        await delete(ground, "Take the budget away", _file(node))
        await ground.do("Let pods come again", [kubectl(ground, "uncordon", node)])

    def holds(self, board: Board, target: str) -> bool:
        return (
            sights.node_is_well(board, target)
            and not _is_cordoned(board, target)
            and sights.deployments_are_well(board)
        )

    def persists(self, board: Board, target: str) -> bool:
        row = board.get(NodeRow, f"node/{target}")
        return row is None or not row.schedulable


def drain(ground: Ground, node: str) -> RunOp:
    """The command that empties a node."""
    return kubectl(ground, "drain", node, "--ignore-daemonsets", "--delete-emptydir-data")


def deployment_on(board: Board, node: str) -> DeploymentRow | None:
    """The deployment with the most pods on that node, None where it has none of any."""
    pods = (pod for pod in board.all_of(PodRow) if pod.node == node and pod.state == "running")
    found = Counter(row.key for pod in pods if (row := _deployment_of(board, pod)) is not None)
    return board.get(DeploymentRow, found.most_common(1)[0][0]) if found else None


def budget(node: str, deployment: DeploymentRow, spec: dict[str, int]) -> Document:
    """A PodDisruptionBudget for the pods of a deployment, which are labelled as `kubectl create deployment` does it."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": f"rwk-drain-{node}", "namespace": deployment.namespace},
        "spec": {**spec, "selector": {"matchLabels": {"app": deployment.name}}},
    }


def _deployment_of(board: Board, pod: PodRow) -> DeploymentRow | None:
    return board.get(DeploymentRow, f"deployment/{pod.namespace}/{pod.owner}") if pod.owner else None


def _file(node: str) -> str:
    return f"budget-{node}"


def _is_cordoned(board: Board, node: str) -> bool:
    row = board.get(NodeRow, f"node/{node}")
    return row is not None and not row.schedulable
