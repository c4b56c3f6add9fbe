"""The board: all rows at one moment, changed by frames and by nothing else."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TypeVar

from rwk_tui.board.frames import Event, Frame, Output, Story
from rwk_tui.board.rows import Row

R = TypeVar("R", bound=Row)

EVENTS_KEPT = 500
OUTPUT_KEPT = 2000


class Board:
    """All rows at one moment, with the newest events and the output of the story's commands."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self.events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self.output: deque[Output] = deque(maxlen=OUTPUT_KEPT)
        self.story = Story()
        self.at = 0.0

    def apply(self, frame: Frame) -> None:
        """Change the board as the frame says."""
        if frame.full:
            self._rows.clear()
            self.events.clear()
            self.output.clear()
            self.story = Story()
        for row in frame.rows:
            self._rows[row.key] = row
        for key in frame.gone:
            self._rows.pop(key, None)
        self.events.extend(frame.events)
        self.output.extend(frame.output)
        if frame.story is not None:
            self.story = frame.story
        self.at = frame.at

    def snapshot(self, seq: int, at: float) -> Frame:
        """The whole board as one full frame."""
        return Frame(
            seq=seq,
            at=at,
            full=True,
            rows=tuple(self._rows.values()),  # type: ignore[arg-type]
            events=tuple(self.events),
            story=self.story,
            output=tuple(self.output),
        )

    def get(self, kind: type[R], key: str) -> R | None:
        """The row of that kind and full key, or None."""
        row = self._rows.get(key)
        return row if isinstance(row, kind) else None

    def rows(self, kind: type[R]) -> list[R]:
        """All rows of one kind, by key."""
        return sorted((row for row in self._rows.values() if isinstance(row, kind)), key=lambda row: row.key)

    def all(self) -> Iterable[Row]:
        """Every row, in no particular order."""
        return self._rows.values()
