"""Whether etcd's history goes forward: what each acknowledged write proves about the writes before it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Literal

from rwk_tui.watch.answers import Written

KEPT = 50

Course = Literal["forward", "backward", "doubtful"]


@dataclass(frozen=True, slots=True)
class Place:
    """How far history was known to have come: the highest revision, of which write, and the highest term (0: none).

    `reached` is the highest revision in that term, `latest` the write that got it: lower than `revision` where writes
    were lost on the way to that term.
    """

    revision: int = 0
    seq: int = 0
    term: int = 0
    reached: int = 0
    latest: int = 0


class History:
    """Follows the acknowledgements of one history; `place` is what a write that is sent now has to exceed."""

    def __init__(self) -> None:
        self.place = Place()
        self._backward: deque[tuple[float, str]] = deque(maxlen=KEPT)

    def restart(self, seq: int = 0, revision: int = 0) -> None:
        """Another history begins; or an old one goes on, of which only its newest write is known."""
        self.place = Place(revision, seq, 0, revision, seq)

    def take(self, seq: int, written: Written) -> None:
        """Take in an acknowledged write of this history."""
        place = self.place
        if written.term > place.term:
            place = replace(place, term=written.term, reached=written.revision, latest=seq)
        elif written.revision > place.reached:
            place = replace(place, reached=written.revision, latest=seq)
        if written.revision > place.revision:
            place = replace(place, revision=written.revision, seq=seq)
        self.place = place

    def violated(self, at: float, seq: int, machine: str, written: Written, before: Place) -> str:
        """Note that a write was acknowledged at no higher revision than one that had been before it was sent."""
        line = (
            f"write {seq}, through {machine}, got revision {written.revision}, though write {before.seq} "
            f"had got {before.revision} before it was sent"
        )
        self._backward.append((at, line))
        return line

    def backward(self, since: float) -> list[str]:
        """The lines of what was noted after `since` (unix, s), the newest 50 at most."""
        return [line for at, line in self._backward if at > since]


def judge(written: Written, before: Place) -> Course:
    """What a write tells that was sent when history had come to `before`.

    A revision that did not grow is a violation in a higher term: the cluster went on, and lost something. In the same
    term it may as well be another history, of a cluster that was set up again with the same names and so with the same
    ID, as a lower term suggests in any case: whether the latest known write is there decides.
    """
    same_term = written.term == before.term or not before.term
    if written.term < before.term or (same_term and written.revision <= before.reached):
        return "doubtful"
    return "forward" if written.revision > before.revision else "backward"
