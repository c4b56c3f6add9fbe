"""Which numbers the API canary wrote, and which of them may stand in the store now: the proof of a loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

KEPT = 2000
"""At least so many of the newest numbers are remembered one by one."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest acknowledged number at some moment (0: none), and when it had been sent."""

    newest: int
    sent: float


class Tally:
    """The outcomes of writes of growing numbers to one and the same place; times are those of a monotonic clock.

    Writes overlap and a write that nobody heard of may still land late, so that not every smaller number is a loss:
    only one that was acknowledged before another acknowledged write was even sent can't rightly be there.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sent: dict[int, float] = {}
        self._acknowledged: dict[int, float] = {}
        self._unknown: set[int] = set()
        self._next = 1
        self._newest_sent = 0.0
        self.newest = 0
        self.count = 0
        self.failed_count = 0
        self.unknown_count = 0

    def begin(self, after: int) -> None:
        """Count anew; numbers go on after `after`."""
        self.settle(after)
        self.count = self.failed_count = self.unknown_count = 0

    def settle(self, stored: int) -> None:
        """Take what is stored for the truth from now on, whatever was lost; the counts stay."""
        self._acknowledged.clear()
        self._unknown.clear()
        self._next = max(self._next, stored + 1)
        self.newest, self._newest_sent = 0, 0.0

    def intend(self) -> int:
        """The next number; it is about to be sent."""
        number = self._next
        self._next += 1
        self._sent[number] = self._clock()
        if len(self._sent) > 2 * KEPT:
            self._trim(number - KEPT)
        return number

    def acknowledged(self, number: int) -> None:
        """That write is surely done."""
        self._acknowledged[number] = self._clock()
        if number > self.newest:
            self.newest, self._newest_sent = number, self._sent.get(number, 0.0)
        self.count += 1

    def failed(self, number: int) -> None:
        """That write was surely not done."""
        self._sent.pop(number, None)
        self.failed_count += 1

    def unknown(self, number: int) -> None:
        """Nobody knows whether that write was done, or will be."""
        self._unknown.add(number)
        self.unknown_count += 1

    @property
    def mark(self) -> Mark:
        """What a question that is asked now must find."""
        return Mark(self.newest, self._newest_sent)

    def lost(self, stored: int, mark: Mark) -> int:
        """How many acknowledged writes are lost, given the number that is stored (0: none is).

        `mark` is that of the moment when the question was asked: what was acknowledged since, its answer can't know.
        """
        if not mark.newest or stored >= mark.newest or stored in self._unknown:
            return 0
        ended = self._acknowledged.get(stored)
        if ended is None and stored in self._sent:
            return 0  # it is still under way
        if ended is not None and ended >= mark.sent:
            return 0
        return sum(1 for number in self._acknowledged if stored < number <= mark.newest) or 1

    def _trim(self, low: int) -> None:
        self._sent = {number: at for number, at in self._sent.items() if number >= low}
        self._acknowledged = {number: at for number, at in self._acknowledged.items() if number >= low}
        self._unknown = {number for number in self._unknown if number >= low}
