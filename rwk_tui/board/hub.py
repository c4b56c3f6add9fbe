"""The live board inside the daemon: probes and the director publish to it, frames are drawn from it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from rwk_tui.board.board import OUTPUT_KEPT, Board
from rwk_tui.board.frames import Event, Frame, Level, Output, Story
from rwk_tui.board.rows import Row

NUMBERS_WAIT = 1.0
"""Seconds that a change of mere numbers may wait before it goes out."""
LINE_KEPT = 4000
"""Characters of an output line that are kept: a command may print a gigabyte without a newline."""


class Hub:
    """One writer's view of the board; all methods belong to the event loop's thread.

    Publishing an equal row costs nothing on the stream. State changes go out with the next drain, numbers within
    `NUMBERS_WAIT`.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.board = Board()
        self._clock = clock
        self._seq = 0
        self._next_event = 1
        self._urgent: dict[str, Row] = {}
        self._numbers: dict[str, Row] = {}
        self._numbers_since = 0.0
        self._gone: set[str] = set()
        self._events: list[Event] = []
        self._output: deque[Output] = deque(maxlen=OUTPUT_KEPT)
        self._story: Story | None = None
        self._changed = asyncio.Event()
        self._waiters: set[asyncio.Event] = set()

    def now(self) -> float:
        """The time (unix, s) that rows and events carry."""
        return self._clock()

    def publish(self, *rows: Row) -> None:
        """Put rows on the board; equal ones only grow younger."""
        for row in rows:
            key, old = row.key, self.board.get(Row, row.key)
            self.board.put(row)
            if old is not None and old == row:
                continue
            if old is None or not old.same_state(row) or key in self._urgent:
                self._gone.discard(key)
                self._numbers.pop(key, None)
                self._urgent[key] = row
                self._wake()
            else:
                if not self._numbers:
                    self._numbers_since = time.monotonic()
                self._numbers[key] = row
        self.board.at = self.now()
        self._notify()

    def retract(self, *keys: str) -> None:
        """Take rows off the board; unknown keys don't matter."""
        for key in keys:
            if self.board.get(Row, key) is None:
                continue
            self.board.drop(key)
            self.board.at = self.now()
            self._urgent.pop(key, None)
            self._numbers.pop(key, None)
            self._gone.add(key)
            self._wake()
        self._notify()

    def tell(
        self,
        kind: str,
        text: str,
        *,
        level: Level = "info",
        subject: str = "",
        by_presenter: bool = False,
        duration_ms: float | None = None,
        resolution_ms: float | None = None,
        at: float | None = None,
    ) -> Event:
        """Put an event on the timeline and return it."""
        event = Event(
            id=self._next_event,
            at=self.now() if at is None else at,
            kind=kind,
            level=level,
            text=text,
            subject=subject,
            by_presenter=by_presenter,
            duration_ms=duration_ms,
            resolution_ms=resolution_ms,
        )
        self._next_event += 1
        self._events.append(event)
        self.board.events.append(event)
        self._wake()
        self._notify()
        return event

    def print(self, line: Output) -> None:
        """Append one line to the story's output; what no screen could show of it is left out."""
        if len(line.text) > LINE_KEPT:
            text = f"{line.text[:LINE_KEPT]} … ({len(line.text) - LINE_KEPT} characters more)"
            line = msgspec.structs.replace(line, text=text)
        self._output.append(line)
        self.board.output.append(line)
        self._wake()

    def story(self, story: Story) -> None:
        """Set the story's state."""
        before = self.board.story
        self.board.tell(story, self.now())
        if self.board.story == before:
            return
        self._story = self.board.story
        self._wake()
        self._notify()

    async def wait(self, holds: Callable[[Board], bool], timeout: float) -> bool:
        """Wait until `holds` is true of the board; False when `timeout` (s) ran out first."""
        waiter = asyncio.Event()
        self._waiters.add(waiter)
        try:
            async with asyncio.timeout(timeout):
                while not holds(self.board):
                    waiter.clear()
                    await waiter.wait()
            return True
        except TimeoutError:
            return holds(self.board)
        finally:
            self._waiters.discard(waiter)

    async def changed(self, timeout: float) -> None:
        """Wait until a drain is worth it, at most `timeout` seconds."""
        if self._numbers:
            due = self._numbers_since + NUMBERS_WAIT - time.monotonic()
            timeout = max(0.0, min(timeout, due))
        try:
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        except TimeoutError:
            pass

    def drain(self) -> Frame:
        """The frame of all that changed since the last drain; it may be empty."""
        self._seq += 1
        rows: list[Row] = list(self._urgent.values())
        if self._numbers and time.monotonic() - self._numbers_since >= NUMBERS_WAIT:
            rows.extend(self._numbers.values())
            self._numbers = {}
        frame = Frame(
            seq=self._seq,
            at=self.now(),
            rows=tuple(rows),  # type: ignore[arg-type]
            gone=tuple(sorted(self._gone)),
            events=tuple(self._events),
            story=self._story,
            output=tuple(self._output),
        )
        self._urgent, self._gone, self._events, self._story = {}, set(), [], None
        self._output.clear()
        self._changed.clear()
        self.board.at = frame.at
        return frame

    def snapshot(self) -> Frame:
        """The whole board as a full frame, for a client that comes in now."""
        return self.board.snapshot(self._seq, self.now())

    def restore(self, rows: Iterable[Row]) -> None:
        """Put rows of an earlier run back on the board."""
        self.publish(*rows)

    def _wake(self) -> None:
        self._changed.set()

    def _notify(self) -> None:
        for waiter in self._waiters:
            waiter.set()
