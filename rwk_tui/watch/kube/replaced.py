"""How many pods were replaced: old ones went, and as many new ones of the same owner run."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable

from rwk_tui.board.kube_rows import DeploymentRow, PodRow
from rwk_tui.watch.kube.workloads import Owner

KEPT = 10_000
"""Comings and goings that are remembered; a fault that moves more pods than that is counted short."""


class Replacements:
    """Hears of each change of a pod or a deployment, and remembers who came and who went.

    A pod went when it began to end, failed, or vanished, provided that it had been ready once. A pod came when it was
    ready for the first time. Of each owner's pods as many were replaced as both went and came, less what its
    deployment was scaled down and up by; whether on another node or not makes no difference.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._born: dict[str, float] = {}
        self._ready: set[str] = set()
        self._came: deque[tuple[float, float, Owner]] = deque(maxlen=KEPT)
        self._went: deque[tuple[float, Owner]] = deque(maxlen=KEPT)
        self._scaled: deque[tuple[float, Owner, int]] = deque(maxlen=KEPT)

    def forget(self) -> None:
        """There are no pods any more; that nothing is left of them is no replacement."""
        self._born.clear()
        self._ready.clear()
        for kept in (self._came, self._went, self._scaled):
            kept.clear()

    def pod(self, old: PodRow | None, new: PodRow | None, *, news: bool) -> None:
        """A pod changed, came or went; `news` is False where it is only seen for the first time."""
        if old is not None and (new is None or new.uid != old.uid):
            self._gone(old)
            self._born.pop(old.uid, None)
        if new is None or not new.owner:
            return
        if new.state == "running" and new.ready and new.uid not in self._ready:
            self._ready.add(new.uid)
            born = self._born.pop(new.uid, self._clock() if news else 0.0)
            if news:
                self._came.append((self._clock(), born, (new.namespace, new.owner)))
        elif new.state in ("pending", "starting", "running"):
            if new.uid not in self._ready:
                self._born.setdefault(new.uid, self._clock() if news else 0.0)
        else:
            self._gone(new)

    def deployment(self, old: DeploymentRow, new: DeploymentRow) -> None:
        """A deployment changed."""
        if old.wanted != new.wanted:
            self._scaled.append((self._clock(), (new.namespace, new.name), new.wanted - old.wanted))

    def count(self, since: float) -> int:
        """How many pods that there were at `since` (unix, s), or since, have been replaced by new ones."""
        came = Counter(owner for at, born, owner in self._came if at > since and born > since)
        went = Counter(owner for at, owner in self._went if at > since)
        for at, owner, pods in self._scaled:
            if at > since:
                (came if pods > 0 else went)[owner] -= abs(pods)
        return sum(max(0, min(number, went[owner])) for owner, number in came.items())

    def _gone(self, row: PodRow) -> None:
        if row.uid in self._ready:
            self._ready.discard(row.uid)
            self._went.append((self._clock(), (row.namespace, row.owner)))
