"""The canary's ledger: every write is entered before it is sent, and its outcome after; it survives any crash.

The file is lines of text, appended with one system call each, so that a killed process loses none.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from rwk_tui.watch.aftermath import Aftermath
from rwk_tui.watch.entries import Entries, aftermath_line, epoch_line, flat, mark_line
from rwk_tui.watch.epochs import Epoch, Mark

PREFIX = "/rwk/canary/"


class Ledger:
    """The ledger on disk and in memory. Every entering method raises OSError when the disk refuses."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1
        self._entries = Entries(secrets.token_hex(4))

    def open(self) -> None:
        """Read what is there, drop a line that a crash cut short, and go on after it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        content = self._path.read_bytes() if self._path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        for line in whole.decode(errors="replace").split("\n"):
            self._entries.read(line)
        self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.ftruncate(self._fd, len(whole))
        if not whole:
            self._append(f"N {self._entries.nonce}")
        for epoch in (self.epoch, self.last):
            for seq in sorted(epoch.open) if epoch is not None else ():
                self.unknown(seq)

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @property
    def epoch(self) -> Epoch:
        """The epoch that is written in."""
        return self._entries.epoch

    @property
    def last(self) -> Epoch | None:
        """The last epoch before this one that had acknowledged writes, until what became of it is counted."""
        return self._entries.last

    @property
    def restored(self) -> str | None:
        """The backup from which whoever serves next was restored ("": from none); None if nobody said so."""
        return self._entries.restored

    @property
    def due(self) -> str | None:
        """The backup that the last epoch is to be counted against ("": none); None if nothing is to be counted."""
        return self._entries.due

    @property
    def aftermath(self) -> Aftermath | None:
        """What became of the epoch before this one."""
        return self._entries.aftermath

    def backup(self, name: str) -> Mark | None:
        """What is known of the backup of that name."""
        return self._entries.marks.get(flat(name))

    def key(self, seq: int, epoch: int | None = None) -> str:
        """The key of a write; keys of an epoch sort by sequence number."""
        return f"{PREFIX}{self.epoch.number if epoch is None else epoch:04d}/{seq:010d}"

    def value(self, seq: int, epoch: int | None = None) -> str:
        """The value of a write, found nowhere else."""
        return f"{self._entries.nonce}-{self.epoch.number if epoch is None else epoch}-{seq}"

    def new_epoch(self, why: str, at: float, cluster: str = "") -> None:
        """Begin to count anew."""
        self._enter(epoch_line(Epoch(self.epoch.number + 1, at, why, cluster)))

    def bind(self, cluster: str) -> None:
        """Write down which cluster this epoch's writes go to."""
        self._enter(f"C {cluster}")

    def intend(self) -> int:
        """Enter a write that is about to be sent; returns its sequence number."""
        seq = self._entries.next
        self._enter(f"I {seq}")
        return seq

    def acknowledged(self, seq: int, revision: int = 0) -> None:
        """Enter that a write was acknowledged, as that revision."""
        self._outcome(f"A {seq} {revision}", seq)

    def failed(self, seq: int) -> None:
        """Enter that a write surely was not done."""
        self._outcome(f"F {seq}", seq)

    def unknown(self, seq: int) -> None:
        """Enter that nobody can tell whether a write was done."""
        self._outcome(f"U {seq}", seq)

    def trim(self, low: int) -> None:
        """Give up the keys below `low`, before they are deleted, and rewrite the file without them."""
        self._enter(f"T {low}")
        self._rewrite()

    def mark(self, name: str, revision: int) -> None:
        """Enter that a backup of that name holds everything up to `revision` of this epoch's cluster."""
        self._enter(mark_line(self.epoch.mark(flat(name), revision)))

    def restore(self, name: str) -> None:
        """Enter that whoever serves next was restored from that backup; "" from none."""
        self._enter(f"R {flat(name)}")

    def owe(self, name: str) -> None:
        """Enter that what became of the last epoch, if there is one, is to be counted; against the backup if named."""
        self._enter(f"D {flat(name)}")

    def settle(self, aftermath: Aftermath) -> None:
        """Enter what became of the last epoch, of which no more is kept then."""
        self._enter(aftermath_line(aftermath))

    def _outcome(self, line: str, seq: int) -> None:
        if self._entries.holder(seq) is not None:
            self._enter(line)  # otherwise the epoch in which the write began is long over

    def _enter(self, line: str) -> None:
        self._append(line)
        self._entries.read(line)

    def _append(self, line: str) -> None:
        data = line.encode() + b"\n"
        written = os.write(self._fd, data)
        if written != len(data):
            os.ftruncate(self._fd, os.fstat(self._fd).st_size - written)
            raise OSError("the disk is full")

    def _rewrite(self) -> None:
        draft = self._path.with_suffix(".new")
        draft.write_text("".join(f"{line}\n" for line in self._entries.lines()))
        draft.replace(self._path)
        os.close(self._fd)
        self._fd = os.open(self._path, os.O_WRONLY | os.O_APPEND)
