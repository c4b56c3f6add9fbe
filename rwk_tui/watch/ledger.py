"""The canary's ledger: every write is entered before it is sent, and its outcome after; it survives any crash.

The file is lines of text, appended with one system call each, so that a killed process loses none:
`E epoch time cluster why`, `I seq` (about to write), `A seq` (acknowledged), `F seq` (surely not done),
`U seq` (unknown), `C cluster` (the cluster the epoch writes to), `T seq` (keys below it are given up),
`S …` (counts of what a rewrite left out).
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

PREFIX = "/rwk/canary/"


@dataclass(slots=True)
class Epoch:
    """What is known of the writes since a beginning that somebody declared."""

    number: int = 0
    began: float = 0.0
    why: str = ""
    cluster: str = ""
    acknowledged: set[int] = field(default_factory=set)
    unknown: set[int] = field(default_factory=set)
    open: set[int] = field(default_factory=set)
    acknowledged_count: int = 0
    failed_count: int = 0
    unknown_count: int = 0
    low: int = 0
    """Keys below this sequence number were checked and given up: they need not exist any more."""

    def apply(self, kind: str, seq: int) -> None:
        """Take in the outcome of one write, or its intent."""
        if kind == "I":
            self.open.add(seq)
            return
        self.open.discard(seq)
        if kind == "A":
            self.acknowledged_count += 1
            if seq >= self.low:
                self.acknowledged.add(seq)
        elif kind == "F":
            self.failed_count += 1
        elif kind == "U":
            self.unknown_count += 1
            self.unknown.add(seq)

    def trim(self, low: int) -> None:
        """Give up what is below `low`; the counts stay."""
        self.low = low
        self.acknowledged = {seq for seq in self.acknowledged if seq >= low}
        self.unknown = {seq for seq in self.unknown if seq >= low}


class Ledger:
    """The ledger on disk and in memory. Every entering method raises OSError when the disk refuses."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1
        self.epoch = Epoch()
        self.nonce = secrets.token_hex(4)
        self._next = 1

    def open(self) -> None:
        """Read what is there, drop a line that a crash cut short, and go on after it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        content = self._path.read_bytes() if self._path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        for line in whole.decode(errors="replace").splitlines():
            self._read(line)
        self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.ftruncate(self._fd, len(whole))
        if not whole:
            self._append(f"N {self.nonce}")
        for seq in sorted(self.epoch.open):
            self.unknown(seq)

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def key(self, seq: int, epoch: int | None = None) -> str:
        """The key of a write; keys of an epoch sort by sequence number."""
        return f"{PREFIX}{self.epoch.number if epoch is None else epoch:04d}/{seq:010d}"

    def value(self, seq: int) -> str:
        """The value of a write, found nowhere else."""
        return f"{self.nonce}-{self.epoch.number}-{seq}"

    def new_epoch(self, why: str, at: float, cluster: str = "") -> None:
        """Begin to count anew."""
        number = self.epoch.number + 1
        self._append(f"E {number} {at:.3f} {cluster or '-'} {' '.join(why.split())}")
        self.epoch = Epoch(number, at, why, cluster)

    def bind(self, cluster: str) -> None:
        """Write down which cluster this epoch's writes go to."""
        self._append(f"C {cluster}")
        self.epoch.cluster = cluster

    def intend(self) -> int:
        """Enter a write that is about to be sent; returns its sequence number."""
        seq = self._next
        self._append(f"I {seq}")
        self._next += 1
        self.epoch.apply("I", seq)
        return seq

    def acknowledged(self, seq: int) -> None:
        """Enter that a write was acknowledged."""
        self._enter("A", seq)

    def failed(self, seq: int) -> None:
        """Enter that a write surely was not done."""
        self._enter("F", seq)

    def unknown(self, seq: int) -> None:
        """Enter that nobody can tell whether a write was done."""
        self._enter("U", seq)

    def trim(self, low: int) -> None:
        """Give up the keys below `low`, before they are deleted, and rewrite the file without them."""
        self._append(f"T {low}")
        self.epoch.trim(low)
        self._rewrite()

    def _enter(self, kind: str, seq: int) -> None:
        if seq not in self.epoch.open:
            return  # The epoch in which the write began is over.
        self._append(f"{kind} {seq}")
        self.epoch.apply(kind, seq)

    def _append(self, line: str) -> None:
        data = line.encode() + b"\n"
        written = os.write(self._fd, data)
        if written != len(data):
            os.ftruncate(self._fd, os.fstat(self._fd).st_size - written)
            raise OSError("the disk is full")

    def _rewrite(self) -> None:
        epoch = self.epoch
        lines = [f"N {self.nonce}", f"E {epoch.number} {epoch.began:.3f} {epoch.cluster or '-'} {epoch.why}"]
        left_out = (
            epoch.acknowledged_count - len(epoch.acknowledged),
            epoch.failed_count,
            epoch.unknown_count - len(epoch.unknown),
        )
        lines.append(f"S {epoch.low} {self._next} {left_out[0]} {left_out[1]} {left_out[2]}")
        for kind, seqs in (("I", epoch.open), ("A", epoch.acknowledged), ("U", epoch.unknown)):
            lines.extend(f"{kind} {seq}" for seq in sorted(seqs))
        draft = self._path.with_suffix(".new")
        draft.write_text("\n".join(lines) + "\n")
        draft.replace(self._path)
        os.close(self._fd)
        self._fd = os.open(self._path, os.O_WRONLY | os.O_APPEND)

    def _read(self, line: str) -> None:
        kind, _, rest = line.partition(" ")
        try:
            if kind == "N":
                self.nonce = rest
            elif kind == "E":
                number, began, cluster, why = (*rest.split(" ", 3), "")[:4]
                self.epoch = Epoch(int(number), float(began), why, "" if cluster == "-" else cluster)
            elif kind == "C":
                self.epoch.cluster = rest
            elif kind == "T":
                self.epoch.trim(int(rest))
            elif kind == "S":
                low, self._next, acknowledged, failed, unknown = (int(word) for word in rest.split())
                epoch = self.epoch
                epoch.low, epoch.acknowledged_count = low, acknowledged
                epoch.failed_count, epoch.unknown_count = failed, unknown
            elif kind in ("I", "A", "F", "U"):
                self.epoch.apply(kind, int(rest))
                self._next = max(self._next, int(rest) + 1)
        except ValueError:
            return  # A damaged line tells nothing; the others still do.
