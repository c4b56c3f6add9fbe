"""What becomes of nodes, told once and in words, with how long after the fault it came."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from rwk_tui.board.frames import Level
from rwk_tui.board.hub import Hub
from rwk_tui.board.kube_rows import NodeRow
from rwk_tui.board.wording import count, seconds
from rwk_tui.cluster.kubernetes.units import KUBELET
from rwk_tui.watch.expected import Expected
from rwk_tui.watch.kube.moments import Moment, Moments

GATHER = 0.3
"""Seconds in which changes of the same sort are told together if there are many."""
FEW = 3
"""As many things of a sort are told one by one."""
OWN_TAINTS = "node.kubernetes.io/"

Failed = Callable[[str, Moment], None]


@dataclass(frozen=True, slots=True)
class News:
    """One line to be; `many` is said instead, of "12 nodes", if there are too many of the same."""

    text: str
    many: str
    level: Level
    subject: str
    at: float
    duration_ms: float | None = None
    resolution_ms: float | None = None


class NodeTeller:
    """Hears of each change of a node; nothing is told before `live`, since a first sight is no change.

    `failed` is called with each node that is no longer ready, and with the moment since when.
    """

    def __init__(self, hub: Hub, expected: Expected, moments: Moments, failed: Failed) -> None:
        self.live = False
        self._hub = hub
        self._expected = expected
        self._moments = moments
        self._failed = failed
        self._down: dict[str, float] = {}
        self._hits: dict[str, Moment] = {}
        self._joined: dict[str, float] = {}
        self._news: list[News] = []

    def forget(self) -> None:
        """There are no nodes any more; the next ones are first sights."""
        self.live = False
        self._down.clear()
        self._hits.clear()
        self._joined.clear()
        self._news.clear()

    def heard(self, old: NodeRow | None, new: NodeRow | None) -> None:
        """A node changed, came or went."""
        now = self._hub.now()
        if new is None:
            if old is not None:
                self._down.pop(old.name, None)
                self._add(f"{old.name} is no node any more", "{} are no nodes any more", "warning", old, now)
        elif old is None:
            if new.state != "ready":
                self._down[new.name] = now
                if self.live:
                    self._joined[new.name] = now
            self._add(f"{new.name} joined as a node", "{} joined", "good", new, now)
        else:
            self._state(old, new, now)
            self._schedulable(old, new, now)
            self._taints(old, new, now)

    def work_out(self, now: float) -> bool:
        """Tell what has been gathered for long enough; True if something still waits."""
        if not self._news or now - self._news[0].at < GATHER:
            return bool(self._news)
        sorts: dict[str, list[News]] = defaultdict(list)
        for one in self._news:
            sorts[one.many].append(one)
        self._news.clear()
        for many, found in sorts.items():
            if len(found) <= FEW:
                for one in found:
                    self._tell(one, one.text, one.subject)
            else:
                slowest = max(found, key=lambda one: one.duration_ms or 0.0)
                self._tell(slowest, many.format(count(len(found), "node")), "kube")
        return False

    def _state(self, old: NodeRow, new: NodeRow, now: float) -> None:
        if (old.state == "ready") == (new.state == "ready"):
            return
        if new.state == "ready":
            since, joined = self._down.pop(new.name, now), self._joined.pop(new.name, 0.0)
            if not self._expected.takes(new.key, "ready"):
                took = (now - since) * 1000
                words = f"{seconds(took)} after it joined" if joined == since else f"again after {seconds(took)}"
                self._add(f"{new.name} is Ready {words}", "{} are Ready", "good", new, now, took, 10.0)
            return
        self._down[new.name] = now
        moment = self._moments.hit(new.machine, KUBELET, old.renewed, now)
        self._hits[new.name] = moment
        self._failed(new.name, moment)
        if not self._expected.takes(new.key, new.state):
            took = max(0.0, now - moment.at) * 1000
            text = f"{new.name} is NotReady, {seconds(took)} after {moment.words}"
            self._add(text, "{} are NotReady", "bad", new, now, took, moment.resolution_ms)

    def _schedulable(self, old: NodeRow, new: NodeRow, now: float) -> None:
        if old.schedulable == new.schedulable:
            return
        if self._expected.takes(new.key, "schedulable" if new.schedulable else "cordoned"):
            return
        words = "takes new pods again" if new.schedulable else "takes no new pods (cordoned)"
        many = "{} take new pods again" if new.schedulable else "{} take no new pods (cordoned)"
        self._add(f"{new.name} {words}", many, "info", new, now)

    def _taints(self, old: NodeRow, new: NodeRow, now: float) -> None:
        """Only what throws pods out, or what somebody set by hand: the rest goes without saying."""
        for taint in new.taints:
            if taint not in old.taints and _telling(taint):
                hit = self._hits.get(new.name) if taint.startswith(OWN_TAINTS) and new.state != "ready" else None
                took, resolution = ((now - hit.at) * 1000, hit.resolution_ms) if hit else (None, None)
                short = taint.removeprefix(OWN_TAINTS)
                text = f"{new.name} is tainted {short}"
                self._add(text, f"{{}} are tainted {short}", "warning", new, now, took, resolution)
        for taint in old.taints:
            if taint not in new.taints and _telling(taint):
                short = taint.removeprefix(OWN_TAINTS)
                text = f"{new.name} lost its taint {short}"
                self._add(text, f"{{}} lost their taint {short}", "info", new, now)

    def _add(
        self,
        text: str,
        many: str,
        level: Level,
        row: NodeRow,
        now: float,
        duration_ms: float | None = None,
        resolution_ms: float | None = None,
    ) -> None:
        if self.live:
            self._news.append(News(text, many, level, row.key, now, duration_ms, resolution_ms))

    def _tell(self, news: News, text: str, subject: str) -> None:
        self._hub.tell(
            "node",
            text,
            level=news.level,
            subject=subject,
            at=news.at,
            duration_ms=None if news.duration_ms is None else round(news.duration_ms, 1),
            resolution_ms=news.resolution_ms,
        )


def _telling(taint: str) -> bool:
    return taint.endswith(":NoExecute") or not taint.startswith(OWN_TAINTS)
