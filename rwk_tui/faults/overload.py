"""Overload: a crowd asks the API far more than it may, and nobody else is to notice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections import Counter

from rwk_tui.board.board import Board
from rwk_tui.board.rows import FaultRow
from rwk_tui.board.targets import ALL
from rwk_tui.cluster import roles
from rwk_tui.cluster.access import Access
from rwk_tui.cluster.certificates import Identity
from rwk_tui.cluster.kubernetes.units import API_PORT
from rwk_tui.cluster.ops import RunOp
from rwk_tui.faults import flood, sights
from rwk_tui.faults.base import Case, Fault, Sight
from rwk_tui.faults.objects import Document, apply, delete
from rwk_tui.lab.protocol import LabError

USER = "rwk-crowd"
CROWD = roles.Papers("kubernetes", "crowd", Identity(USER))
"""Whom the crowd calls itself: in no group that is exempt."""
SEATS = 1
"""The share of an API server's seats that the crowd gets, of some 250 that all have together: that is 3 of 600."""
ENOUGH = 20
"""Requests that must have been turned away until it counts as seen: one or two may be chance."""


class Overload(Fault):
    """Thirty clients of one user flood the API; priority and fairness turn most of their requests away."""

    name = "overload"
    domain = "control plane"
    stage = "kubernetes"
    title = "Flood the API"
    explain = "Thirty clients of one user ask all at once, again and again. A FlowSchema leaves that user a few seats."
    look = "Most of the crowd's requests are answered 429, Too Many Requests. Everybody else is served as ever."
    must = "Writes through the API go on without a gap: who has seats of his own does not feel the crowd."

    def targets(self, board: Board) -> tuple[str, ...]:
        return (ALL,) if sights.api_serves(board) else ()

    def done(self, target: str) -> str:
        return "a crowd floods the API"

    def undone(self, target: str) -> str:
        return "the crowd goes home"

    async def inject(self, case: Case) -> None:
        try:
            await apply(case.ground, self.title, USER, limits())
        except LabError:
            with contextlib.suppress(LabError):
                await delete(case.ground, "Take its rights away", USER)
            raise

    async def keep_up(self, case: Case) -> None:
        ground = case.ground
        access = await asyncio.to_thread(roles.access, ground.site.pki, CROWD)
        host, port = ground.lab.any_address(API_PORT)
        await ground.keep_running(self.title, RunOp(ground.lab.desk, command(host, port, access)))

    async def shows(self, case: Case) -> Sight | None:
        """What the crowd itself counted since the injection."""
        lines = (line for line in case.ground.hub.board.output if line.step == self.title and line.at >= case.at)
        counts = tally([line.text for line in lines if line.stream == "out"])
        if counts["429"] < ENOUGH:
            return None
        return Sight(f"{counts['429']} requests of the crowd turned away (429), {counts['200']} answered")

    async def heal(self, case: Case, others: tuple[FaultRow, ...]) -> None:
        await delete(case.ground, "Take its rights away", USER)

    def holds(self, board: Board, target: str) -> bool:
        return sights.api_serves(board)


def command(host: str, port: int, access: Access) -> tuple[str, ...]:
    """The command of a crowd that comes to the API at host and port with these certificates."""
    place = ("--host", host, "--port", str(port))
    papers = ("--ca", str(access.ca), "--cert", str(access.cert), "--key", str(access.key))
    return (sys.executable, "-I", "-S", flood.__file__, *place, *papers)


def tally(lines: list[str]) -> Counter[str]:
    """How often the crowd was answered with each status, added up over the lines that it printed."""
    counts: Counter[str] = Counter()
    for line in lines:
        try:
            found = json.loads(line)
        except ValueError:
            continue  # what kubectl said
        if isinstance(found, dict):
            counts.update({str(status): int(number) for status, number in found.items()})
    return counts


def limits() -> list[Document]:
    """What lets the crowd in, and keeps it to its seats: too many requests are turned away rather than queued."""
    flow, rights = "flowcontrol.apiserver.k8s.io/v1", "rbac.authorization.k8s.io"
    everything = {
        "verbs": ["*"],
        "apiGroups": ["*"],
        "resources": ["*"],
        "namespaces": ["*"],
        "clusterScope": True,
    }
    limited = {
        "nominalConcurrencyShares": SEATS,
        "lendablePercent": 0,
        "borrowingLimitPercent": 0,
        "limitResponse": {"type": "Reject"},
    }
    return [
        {
            "apiVersion": flow,
            "kind": "PriorityLevelConfiguration",
            "metadata": {"name": USER},
            "spec": {"type": "Limited", "limited": limited},
        },
        {
            "apiVersion": flow,
            "kind": "FlowSchema",
            "metadata": {"name": USER},
            "spec": {
                "priorityLevelConfiguration": {"name": USER},
                "matchingPrecedence": 1000,
                "distinguisherMethod": {"type": "ByUser"},
                "rules": [
                    {"subjects": [{"kind": "User", "user": {"name": USER}}], "resourceRules": [everything]},
                ],
            },
        },
        {
            "apiVersion": f"{rights}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": USER},
            "roleRef": {"apiGroup": rights, "kind": "ClusterRole", "name": "view"},
            "subjects": [{"kind": "User", "apiGroup": rights, "name": USER}],
        },
    ]
