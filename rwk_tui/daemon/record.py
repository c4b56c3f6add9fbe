"""What must survive a crash of the daemon, written down before it is acted on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from rwk_tui.board.rows import FaultRow
from rwk_tui.lab.protocol import LabError
from rwk_tui.private import write_whole


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """Where the story stood (`step` is 0-based) and what was broken on purpose."""

    chapter: str = ""
    step: int = 0
    faults: tuple[FaultRow, ...] = ()


class Record:
    """The record on disk; `complain` is told, in one line, what could not be written but holds nothing up."""

    def __init__(self, path: Path, complain: Callable[[str], None]) -> None:
        self._path = path
        self._complain = complain
        self._told = ""
        self.now = Recorded()

    def load(self) -> Recorded:
        """What the last run wrote; an unreadable record is complained of and counts as none."""
        try:
            self.now = msgspec.json.decode(self._path.read_bytes(), type=Recorded)
        except FileNotFoundError:
            pass
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._complain(f"{self._path} can't be read, so faults and chapter of the last run are unknown: {error}")
        return self.now

    def story(self, chapter: str, step: int) -> None:
        """The director is about to do that step. A full disk is complained of: the story itself can go on."""
        self._write(msgspec.structs.replace(self.now, chapter=chapter, step=step), must=False)

    def faults(self, faults: tuple[FaultRow, ...]) -> None:
        """These faults are about to be active. Raises LabError if a further one can't be written down."""
        more = {row.id for row in faults} - {row.id for row in self.now.faults}
        self._write(msgspec.structs.replace(self.now, faults=faults), must=bool(more))

    def clear(self) -> None:
        """Nothing of an earlier run counts any more."""
        self._write(Recorded(), must=False)

    def _write(self, value: Recorded, *, must: bool) -> None:
        if value == self.now:
            return
        try:
            write_whole(self._path, msgspec.json.encode(value))
        except OSError as error:
            line = f"{self._path} can't be written: {error.strerror or error}"
            if must:
                raise LabError(line) from error
            if line != self._told:
                self._complain(f"{line}; after a crash the lab could not go on from here")
            self._told = line
        else:
            self._told = ""
        self.now = value
