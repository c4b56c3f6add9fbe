"""Reads a tape back: frame by frame, as far as it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from rwk_tui.board.frames import PROTOCOL, Frame
from rwk_tui.board.wording import clean, count
from rwk_tui.tape.order import End, Order, Part
from rwk_tui.tape.packing import CUT_OFF, Damaged, first_line, lines_of
from rwk_tui.tape.write import TAPE, Header

_WITHOUT_END = 1
"""The version of tapes that just stop; they are read as well as they can be."""
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class BadTape(Exception):
    """A file that can't be used as a tape, in one line."""


class Tape:
    """A tape; iterate it for its frames, then look at `problem`.

    `problem` is "" if the tape was whole, else one line that says what could be kept. `frames` counts those read.
    """

    def __init__(self, path: Path) -> None:
        """Open the file and read its header. Raises BadTape."""
        self.path = path
        self.problem = ""
        self.frames = 0
        try:
            with path.open("rb") as file:
                header = msgspec.json.decode(first_line(file), type=Header)
        except OSError as error:
            raise BadTape(f"{path}: {error.strerror or error}") from None
        except (*_UNREADABLE, Damaged):
            raise BadTape(f"{path}: not a tape of rwk-tui: its first line is no header") from None
        self.header = msgspec.structs.replace(header, version=clean(header.version))
        if self.header.tape not in (_WITHOUT_END, TAPE) or self.header.protocol != PROTOCOL:
            raise BadTape(
                f"{path}: written by rwk-tui {self.header.version} as tape {self.header.tape}, protocol "
                f"{self.header.protocol}; this is tape {TAPE}, protocol {PROTOCOL}"
            )

    def __iter__(self) -> Iterator[Frame]:
        self.problem, self.frames = "", 0
        decoder, order = msgspec.json.Decoder(Frame | Part | End), Order()
        try:
            with self.path.open("rb") as file:
                for number, line in enumerate(lines_of(file), 1):
                    if number == 1:
                        continue
                    try:
                        entry = decoder.decode(line)
                    except _UNREADABLE as error:
                        whole = line.endswith(b"\n")
                        self._stop_at(number, f"is damaged ({clean(str(error))})" if whole else "is cut off")
                        return
                    if amiss := order.amiss(entry):
                        self._stop_at(number, amiss)
                        return
                    if isinstance(entry, Frame):
                        self.frames += 1
                        yield entry
            if not order.ended and self.header.tape != _WITHOUT_END:
                raise Damaged(CUT_OFF)
        except Damaged as why:
            self.problem = f"{self.path}: what follows frame {self.frames} {why}; {self._kept()}"
        except OSError as error:
            self._stop_at(self.frames + 1, f"can't be read: {error.strerror or error}")

    def _stop_at(self, line: int, what: str) -> None:
        self.problem = f"{self.path}:{line}: the line {what}; {self._kept()}"

    def _kept(self) -> str:
        return f"kept the {count(self.frames, 'frame')} before it" if self.frames else "nothing could be kept"
