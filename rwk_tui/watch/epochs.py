"""An epoch: the writes to one history of etcd, and what the backups of it hold."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Mark:
    """A backup that was made in that epoch and holds everything up to `revision`.

    `after` counts the acknowledged writes beyond that; None if it can't be known, because keys had been given up.
    """

    name: str
    epoch: int
    revision: int
    after: int | None = 0


@dataclass(slots=True)
class Epoch:
    """What is known of the writes since a beginning that somebody declared, or that was found out."""

    number: int = 0
    began: float = 0.0
    why: str = ""
    cluster: str = ""
    acknowledged: dict[int, int] = field(default_factory=dict)
    """The revision of each acknowledged write, by sequence number, without those that were given up."""
    unknown: set[int] = field(default_factory=set)
    open: set[int] = field(default_factory=set)
    acknowledged_count: int = 0
    failed_count: int = 0
    unknown_count: int = 0
    low: int = 0
    """Keys below this sequence number were checked and given up: they need not exist any more."""
    given_up_to: int = 0
    """The highest revision of an acknowledged write whose key was given up."""

    def intend(self, seq: int) -> None:
        """A write is about to be sent."""
        self.open.add(seq)

    def acknowledge(self, seq: int, revision: int) -> None:
        """A write was acknowledged."""
        self.open.discard(seq)
        self.acknowledged_count += 1
        if seq >= self.low:
            self.acknowledged[seq] = revision
        else:
            self.given_up_to = max(self.given_up_to, revision)

    def fail(self, seq: int) -> None:
        """A write was surely not done."""
        self.open.discard(seq)
        self.failed_count += 1

    def doubt(self, seq: int) -> None:
        """Nobody can tell whether a write was done."""
        self.open.discard(seq)
        self.unknown_count += 1
        if seq >= self.low:
            self.unknown.add(seq)

    def trim(self, low: int) -> None:
        """Give up what is below `low`; the counts stay."""
        self.low = low
        gone = [revision for seq, revision in self.acknowledged.items() if seq < low]
        self.given_up_to = max(self.given_up_to, *gone, 0)
        self.acknowledged = {seq: revision for seq, revision in self.acknowledged.items() if seq >= low}
        self.unknown = {seq for seq in self.unknown if seq >= low}

    def mark(self, name: str, revision: int) -> Mark:
        """A backup was made that holds everything up to `revision`; counts what was acknowledged beyond that by now."""
        after = sum(1 for known in self.acknowledged.values() if known > revision)
        return Mark(name, self.number, revision, None if self.given_up_to > revision else after)

    @property
    def newest(self) -> tuple[int, int]:
        """Sequence number and revision of the acknowledged write with the highest revision; (0, 0) without one."""
        return max(self.acknowledged.items(), key=lambda item: item[1], default=(0, 0))
