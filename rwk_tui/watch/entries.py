"""What the lines of the canary's ledger say, and the lines that say all of it again.

`N nonce` · `E epoch time cluster why` · `C cluster` (the cluster the epoch writes to) · `I seq` (about to write) ·
`A seq revision` (acknowledged) · `F seq` (surely not done) · `U seq` (unknown) · `T seq` (keys below it are given up) ·
`M epoch revision after name` (a backup) · `R name` (who serves next was restored from it) · `D name` (what became of
the last epoch is to be counted) · `X …` (it was) · `S …` (counts of what a rewrite left out).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from rwk_tui.watch.aftermath import Aftermath
from rwk_tui.watch.epochs import Epoch, Mark

MARKS_KEPT = 50
"""Backups that are remembered, the newest ones."""


class Entries:
    """Everything that a ledger knows; it changes by lines only, be they new or read back.

    `last` is the last epoch before this one that had acknowledged writes, until it is counted. `restored` names what
    was restored while nobody has answered since, `due` what was once somebody did ("": no backup); None otherwise.
    """

    def __init__(self, nonce: str) -> None:
        self.nonce = nonce
        self.next = 1
        self.epoch = Epoch()
        self.last: Epoch | None = None
        self.marks: dict[str, Mark] = {}
        self.restored: str | None = None
        self.due: str | None = None
        self.aftermath: Aftermath | None = None

    def holder(self, seq: int) -> Epoch | None:
        """The epoch in which that write is still under way."""
        return next((one for one in (self.epoch, self.last) if one is not None and seq in one.open), None)

    def read(self, line: str) -> None:
        """Take in one line; a damaged one tells nothing."""
        kind, _, rest = line.partition(" ")
        try:
            self._read(kind, rest)
        except (ValueError, IndexError, msgspec.DecodeError):
            return

    def _read(self, kind: str, rest: str) -> None:
        if kind == "N":
            self.nonce = rest
        elif kind == "E":
            number, began, cluster, why = (*rest.split(" ", 3), "")[:4]
            self._begin(Epoch(int(number), float(began), why, "" if cluster == "-" else cluster))
        elif kind == "C":
            self.epoch.cluster = rest
        elif kind == "T":
            self.epoch.trim(int(rest))
        elif kind == "S":
            self._counts([int(word) for word in rest.split()])
        elif kind == "M":
            number, revision, after, name = rest.split(" ", 3)
            self._mark(Mark(name, int(number), int(revision), None if after == "-" else int(after)))
        elif kind == "R":
            self.restored, self.aftermath = rest, None
        elif kind == "D":
            self.restored, self.due = None, rest if self.last is not None else None
        elif kind == "X":
            self.aftermath = msgspec.json.decode(rest, type=Aftermath)
            self.due = self.last = None
        elif kind in ("I", "A", "F", "U"):
            self._outcome(kind, [int(word) for word in rest.split()])

    def _begin(self, epoch: Epoch) -> None:
        if self.epoch.acknowledged_count:
            self.last = self.epoch
        self.epoch = epoch
        self.restored = self.due = self.aftermath = None

    def _outcome(self, kind: str, numbers: list[int]) -> None:
        seq = numbers[0]
        self.next = max(self.next, seq + 1)
        if kind == "I":
            self.epoch.intend(seq)
            return
        epoch = self.holder(seq) or self.epoch
        if kind == "A":
            revision = numbers[1] if len(numbers) > 1 else 0
            epoch.acknowledge(seq, revision)
            for mark in self.marks.values():
                if mark.epoch == epoch.number and mark.after is not None and revision > mark.revision:
                    mark.after += 1
        elif kind == "F":
            epoch.fail(seq)
        else:
            epoch.doubt(seq)

    def _mark(self, mark: Mark) -> None:
        self.marks.pop(mark.name, None)
        self.marks[mark.name] = mark
        if len(self.marks) > MARKS_KEPT:
            del self.marks[next(iter(self.marks))]

    def _counts(self, numbers: list[int]) -> None:
        low, following, acknowledged, failed, unknown, given_up_to = (*numbers, 0)[:6]
        epoch, self.next = self.epoch, max(self.next, following)
        epoch.low, epoch.given_up_to = low, given_up_to
        epoch.acknowledged_count, epoch.failed_count, epoch.unknown_count = acknowledged, failed, unknown

    def lines(self) -> Iterator[str]:
        """All of it, as short as can be."""
        yield f"N {self.nonce}"
        for epoch in (self.last, self.epoch):
            if epoch is not None:
                yield from self._lines_of(epoch)
        for mark in self.marks.values():
            yield mark_line(mark)
        if self.restored is not None:
            yield f"R {self.restored}"
        if self.due is not None:
            yield f"D {self.due}"
        if self.aftermath is not None:
            yield aftermath_line(self.aftermath)

    def _lines_of(self, epoch: Epoch) -> Iterator[str]:
        yield epoch_line(epoch)
        left_out = (
            epoch.acknowledged_count - len(epoch.acknowledged),
            epoch.failed_count,
            epoch.unknown_count - len(epoch.unknown),
        )
        yield f"S {epoch.low} {self.next} {left_out[0]} {left_out[1]} {left_out[2]} {epoch.given_up_to}"
        yield from (f"I {seq}" for seq in sorted(epoch.open))
        yield from (f"A {seq} {revision}" for seq, revision in sorted(epoch.acknowledged.items()))
        yield from (f"U {seq}" for seq in sorted(epoch.unknown))


def epoch_line(epoch: Epoch) -> str:
    """The line with which an epoch begins."""
    return f"E {epoch.number} {epoch.began:.3f} {epoch.cluster or '-'} {flat(epoch.why)}"


def mark_line(mark: Mark) -> str:
    """The line of a backup."""
    return f"M {mark.epoch} {mark.revision} {'-' if mark.after is None else mark.after} {mark.name}"


def aftermath_line(aftermath: Aftermath) -> str:
    """The line that says what became of an epoch."""
    return f"X {msgspec.json.encode(aftermath).decode()}"


def flat(words: str) -> str:
    """The words in one line."""
    return " ".join(words.split())
