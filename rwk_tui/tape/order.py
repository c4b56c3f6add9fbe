"""What stands between the frames of a tape, so that it is noticed if any of it is lost, repeated or misplaced."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from rwk_tui.board.frames import Frame
from rwk_tui.board.wording import count

LAST = 1e11
"""Unix time (s), far after any run: what lies beyond it no calendar can show."""
_TIMES = ("since", "injected", "healed", "renewed", "synced_at", "at", "seen_at")


class Part(msgspec.Struct, frozen=True, kw_only=True, tag="part", tag_field="t"):
    """The first line of each part but the first, which begins with the header: its number, and the frames before it."""

    part: int
    frames: int


class End(msgspec.Struct, frozen=True, kw_only=True, tag="end", tag_field="t"):
    """The last line of a tape that was closed, with the number of its frames."""

    frames: int


class Order:
    """Looks at the lines in turn; `ended` says that the last one was seen."""

    def __init__(self) -> None:
        self.ended = False
        self._part = 1
        self._frames = 0
        self._seq = -1

    def amiss(self, line: Frame | Part | End) -> str:
        """What is wrong with the next line, as the end of a sentence about it; "" if nothing is."""
        if self.ended:
            return "comes after the end of the tape"
        if isinstance(line, Frame):
            return self._frame(line)
        before = f"it follows {count(self._frames, 'frame')}"
        if isinstance(line, Part):
            self._part += 1
            if (line.part, line.frames) != (self._part, self._frames):
                return f"begins part {line.part} after {count(line.frames, 'frame')}: as part {self._part}, {before}"
        elif line.frames != self._frames:
            return f"ends a tape of {count(line.frames, 'frame')}: {before}"
        else:
            self.ended = True
        return ""

    def _frame(self, frame: Frame) -> str:
        if not self._frames and not frame.full:
            return "does not begin with the whole board"
        if frame.seq <= self._seq:
            return f"has frame number {frame.seq} after number {self._seq}"
        if frame.story is not None and not 0 <= frame.story.step <= len(frame.story.steps):
            return f"is damaged (step {frame.story.step} of {len(frame.story.steps)})"
        if strange := next((time for time in _times(frame) if not -LAST <= time <= LAST), None):
            return f"is damaged (a time of {strange:g} s)"
        self._frames += 1
        self._seq = frame.seq
        return ""


def _times(frame: Frame) -> Iterator[float]:
    yield frame.at
    yield from (event.at for event in frame.events)
    yield from (line.at for line in frame.output)
    for row in frame.rows:
        yield from (getattr(row, name) for name in _TIMES if name in row.__struct_fields__)
