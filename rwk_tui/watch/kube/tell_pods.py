"""What becomes of pods, told by the dozen: those that are on their way out, and that all run again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from rwk_tui.board.hub import Hub
from rwk_tui.board.kube_rows import DeploymentRow, NodeRow, PodRow
from rwk_tui.board.wording import count, seconds
from rwk_tui.watch.expected import Expected
from rwk_tui.watch.kube.moments import Moment
from rwk_tui.watch.kube.replaced import Replacements
from rwk_tui.watch.kube.tell_nodes import FEW
from rwk_tui.watch.kube.workloads import Owner, Workloads

SETTLED, LONGEST = 0.5, 2.0
"""Seconds without a further pod on its way out until they are told, and at most."""
RESOLUTION_MS = 10.0


@dataclass(slots=True)
class Leaving:
    """Pods of one node that are on their way out."""

    pods: int
    first: float
    last: float


@dataclass(slots=True)
class Recovery:
    """An owner that is to have `wanted` pods running again, since nodes failed at `moment`."""

    owner: Owner
    wanted: int
    moment: Moment
    nodes: set[str] = field(default_factory=set)
    done_at: float = 0.0
    good: int = 0
    elsewhere: bool = False


class PodTeller:
    """Hears of each change of a pod or a deployment; nothing is told before `live`.

    While the watches are not `in_step`, changes come from a list: when they happened is not known, so none is timed.
    """

    def __init__(self, hub: Hub, expected: Expected, node: Callable[[str], NodeRow | None]) -> None:
        self.live = False
        self.in_step = False
        self.replacements = Replacements(hub.now)
        self._hub = hub
        self._expected = expected
        self._node = node
        self._loads = Workloads()
        self._leaving: dict[str, Leaving] = {}
        self._hits: dict[str, Moment] = {}
        self._recoveries: dict[Owner, Recovery] = {}
        self._recovered: list[Recovery] = []
        self._burst = 0
        self._scaled: dict[Owner, float] = {}

    def forget(self) -> None:
        """There are no pods any more."""
        self.live = False
        self._loads.forget()
        self.replacements.forget()
        self._burst = 0
        self._leaving.clear()
        self._hits.clear()
        self._recoveries.clear()
        self._recovered.clear()
        self._scaled.clear()

    def pod(self, old: PodRow | None, new: PodRow | None) -> None:
        """A pod changed, came or went."""
        self._loads.pod(old, new)
        self.replacements.pod(old, new, news=self.live)
        if old is None or new is None or new.state != "terminating" or old.state == "terminating" or not new.node:
            return
        node = self._node(new.node)
        if node is not None and node.state == "ready" and node.schedulable:
            return  # not the node's doing; its deployment tells of it
        now = self._hub.now()
        leaving = self._leaving.setdefault(new.node, Leaving(0, now, now))
        leaving.pods, leaving.last = leaving.pods + 1, now

    def deployment(self, old: DeploymentRow | None, new: DeploymentRow | None) -> None:
        """A deployment changed, came or went."""
        if new is None:
            if old is not None:
                self._loads.no_deployment(old)
                owner = (old.namespace, old.name)
                self._recoveries.pop(owner, None)
                self._scaled.pop(owner, None)
                self._say(f"the deployment {old.name} is gone", old.key)
            return
        self._loads.deployment(new)
        if old is not None:
            self.replacements.deployment(old, new)
        if not self.live or (old is not None and old.wanted == new.wanted):
            return
        if self.in_step:
            self._scaled[new.namespace, new.name] = self._hub.now()
        if self._expected.takes(new.key, str(new.wanted)):
            return
        pods = count(new.wanted, "pod")
        if old is None:
            self._say(f"the deployment {new.name} is there: it wants {pods}", new.key)
        else:
            self._say(f"{new.name} wants {pods} now, not {old.wanted}", new.key)

    def node_failed(self, node: str, moment: Moment) -> None:
        """A node is no longer ready: whoever has pods there is to have them elsewhere."""
        self._hits[node] = moment
        if not self.live:
            return
        for owner in self._loads.on(node):
            known = self._recoveries.get(owner)
            if known is not None:
                known.nodes.add(node)
                continue
            wanted = self._loads.wanted(owner) or self._loads.good(owner)
            if self._loads.good(owner, (node,)) < wanted:
                self._recoveries[owner] = Recovery(owner, wanted, moment, {node})
                self._burst += 1

    def work_out(self, now: float) -> bool:
        """Tell what is complete; True if something waits for mere time to pass."""
        self._tell_leaving(now)
        for owner, since in list(self._scaled.items()):
            self._look_at_scaled(owner, since, now)
        for recovery in list(self._recoveries.values()):
            self._look_at(recovery, now)
        if self._recovered and (self._burst <= FEW or not self._recoveries):
            self._tell_recovered()
        if not self._recoveries:
            self._burst = 0
        return bool(self._leaving)

    def _tell_leaving(self, now: float) -> None:
        # Where many nodes lose their pods at once, they are told together, however long it takes to hear of them all.
        many = len(self._leaving) > FEW
        due: dict[str, Leaving] = {}
        for some in [dict(self._leaving)] if many else [{node: one} for node, one in self._leaving.items()]:
            first, last = min(one.first for one in some.values()), max(one.last for one in some.values())
            if now - last >= SETTLED or now - first >= LONGEST:
                due |= some
        for node in due:
            del self._leaving[node]
        if len(due) > FEW:
            pods = sum(one.pods for one in due.values())
            at = max(one.last for one in due.values())
            self._tell_pods(f"{pods} pods of {len(due)} nodes are terminating", "kube", at, None)
            return
        for node, one in due.items():
            verb = "is" if one.pods == 1 else "are"
            hit = self._hits.get(node)
            row = self._node(node)
            if hit is None or (row is not None and row.state == "ready"):
                text, took = f"{count(one.pods, 'pod')} of {node} {verb} terminating", None
            else:
                took = max(0.0, one.first - hit.at) * 1000
                text = f"{count(one.pods, 'pod')} of {node} {verb} terminating, {seconds(took)} after {hit.words}"
            self._tell_pods(text, f"node/{node}", one.first, took)

    def _tell_pods(self, text: str, subject: str, at: float, took: float | None) -> None:
        self._hub.tell(
            "pods",
            text,
            level="warning",
            subject=subject,
            at=at,
            duration_ms=None if took is None else round(took, 1),
            resolution_ms=None if took is None else RESOLUTION_MS,
        )

    def _look_at(self, recovery: Recovery, now: float) -> None:
        down = {name for name in recovery.nodes if (row := self._node(name)) is None or row.state != "ready"}
        wanted = self._loads.wanted(recovery.owner)
        wanted = recovery.wanted if wanted is None else wanted
        good = self._loads.good(recovery.owner, down)
        if good < wanted:
            return
        recovery.done_at, recovery.good, recovery.wanted = now, min(good, wanted), wanted
        recovery.elsewhere = down == recovery.nodes
        del self._recoveries[recovery.owner]
        self._recovered.append(recovery)

    def _tell_recovered(self) -> None:
        found, self._recovered = self._recovered, []
        if self._burst > FEW:
            pods, first = sum(one.good for one in found), min(one.moment.at for one in found)
            took = (max(one.done_at for one in found) - first) * 1000
            self._tell_good(
                f"all {pods} pods of {len(found)} deployments run again after {seconds(took)}", took, "kube"
            )
            return
        for one in found:
            took = max(0.0, one.done_at - one.moment.at) * 1000
            where = ", elsewhere" if one.elsewhere else ""
            nodes = " and ".join(sorted(one.nodes)) if len(one.nodes) <= FEW else f"{len(one.nodes)} nodes"
            after = f"{seconds(took)} after {nodes} {'was hit' if one.moment.exact else 'last gave a sign of life'}"
            text = f"{one.good} of {one.wanted} pods of {one.owner[1]} run again{where}, {after}"
            self._tell_good(text, took, f"deployment/{one.owner[0]}/{one.owner[1]}", one.done_at)

    def _look_at_scaled(self, owner: Owner, since: float, now: float) -> None:
        wanted = self._loads.wanted(owner)
        if wanted is None or self._loads.good(owner) != wanted or self._loads.alive(owner) != wanted:
            return
        del self._scaled[owner]
        took = (now - since) * 1000
        self._tell_good(
            f"{wanted} of {wanted} pods of {owner[1]} run, {seconds(took)} later",
            took,
            f"deployment/{owner[0]}/{owner[1]}",
        )

    def _tell_good(self, text: str, took: float, subject: str, at: float | None = None) -> None:
        self._hub.tell(
            "pods",
            text,
            level="good",
            subject=subject,
            at=at,
            duration_ms=round(took, 1),
            resolution_ms=RESOLUTION_MS,
        )

    def _say(self, text: str, subject: str) -> None:
        if self.live:
            self._hub.tell("deployment", text, subject=subject)
