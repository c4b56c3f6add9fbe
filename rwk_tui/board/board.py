"""The board: all rows at one moment, changed by frames and by nothing else."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Collection, Iterable
from typing import TypeVar

from rwk_tui.board.frames import Event, Frame, Output, Story
from rwk_tui.board.rows import Row
from rwk_tui.board.telling import with_beginnings

R = TypeVar("R", bound=Row)

EVENTS_KEPT = 500
OUTPUT_KEPT = 2000


class Board:
    """All rows at one moment, with the newest events and the output of the story's commands."""

    def __init__(self) -> None:
        # By kind, since there may be thousands of pods and whoever looks for machines must not walk past them.
        self._rows: dict[type[Row], dict[str, Row]] = {}
        self._kinds: dict[str, type[Row]] = {}
        self._changes: dict[type[Row], int] = {}
        self.events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self.output: deque[Output] = deque(maxlen=OUTPUT_KEPT)
        self.story = Story()
        self.at = 0.0

    def apply(self, frame: Frame) -> None:
        """Change the board as the frame says."""
        if frame.full:
            for kind in self._rows:
                self._count(kind)
            self._rows.clear()
            self._kinds.clear()
            self.events.clear()
            self.output.clear()
            self.story = Story()
        for row in frame.rows:
            self.put(row)
        for key in frame.gone:
            self.drop(key)
        self.events.extend(frame.events)
        self.output.extend(frame.output)
        if frame.story is not None:
            # Since the frame before, so that nothing is missed of what this one brings; a whole board does not say.
            self.tell(frame.story, 0.0 if frame.full else self.at)
        self.at = frame.at

    def put(self, row: Row) -> None:
        """Put one row on the board, in place of the one with its key."""
        kind, key = type(row), row.key
        if self._kinds.get(key, kind) is not kind:
            self.drop(key)
        self._kinds[key] = kind
        self._rows.setdefault(kind, {})[key] = row
        self._count(kind)

    def drop(self, key: str) -> None:
        """Take the row of that key off the board; an unknown key doesn't matter."""
        kind = self._kinds.pop(key, None)
        if kind is not None:
            del self._rows[kind][key]
            self._count(kind)

    def tell(self, story: Story, at: float) -> None:
        """Take over the story's state as of that time (unix, s)."""
        self.story = with_beginnings(story, self.story, at)

    def snapshot(self, seq: int, at: float) -> Frame:
        """The whole board as one full frame."""
        return Frame(
            seq=seq,
            at=at,
            full=True,
            rows=tuple(self.all()),  # type: ignore[arg-type]
            events=tuple(self.events),
            story=self.story,
            output=tuple(self.output),
        )

    def get(self, kind: type[R], key: str) -> R | None:
        """The row of that kind and full key, or None."""
        found = self._kinds.get(key)
        row = self._rows[found][key] if found is not None else None
        return row if isinstance(row, kind) else None

    def rows(self, kind: type[R]) -> list[R]:
        """All rows of one kind, by key."""
        rows = self._rows.get(kind, {})
        return [rows[key] for key in sorted(rows)]  # type: ignore[misc]  # they are of their kind

    def all_of(self, kind: type[R]) -> Collection[R]:
        """All rows of one kind, in no particular order: not every look at thousands needs them sorted."""
        return self._rows.get(kind, {}).values()  # type: ignore[return-value]  # they are of their kind

    def changes(self, kind: type[Row]) -> int:
        """How often rows of that kind came, changed or went: what is worked out of them can be kept until it rises."""
        return self._changes.get(kind, 0)

    def all(self) -> Iterable[Row]:
        """Every row, in no particular order."""
        return itertools.chain.from_iterable(rows.values() for rows in self._rows.values())

    def holds(self, kind: type[Row]) -> bool:
        """Whether there is any row of that kind."""
        return bool(self._rows.get(kind))

    def _count(self, kind: type[Row]) -> None:
        self._changes[kind] = self._changes.get(kind, 0) + 1
