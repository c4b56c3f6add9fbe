"""Three ways to show an install: a bar on a terminal, a line now and then elsewhere, JSON lines for programs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from rwk_tui.engines.progress import Front, Progress

EVERY = 5.0
"""Seconds between two plain lines about the same engine."""


class PlainFront:
    """Lines for logs: what is said, how each engine ends, and in between at most one line each five seconds."""

    def __init__(self, out: IO[str], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._out, self._clock = out, clock
        self._told = clock()

    def say(self, text: str) -> None:
        print(text, file=self._out, flush=True)

    def show(self, progress: Progress) -> None:
        if progress.state != "installing":
            self.say(f"{'✓' if progress.state == 'ready' else '✗'} {progress.engine}: {progress.text}")
            return
        if progress.done <= 0 or self._clock() - self._told < EVERY:
            return
        self._told = self._clock()
        self.say(f"  {progress.engine}: {progress.done:4.0%}, {time_left(progress.left_s)} · {progress.text}")


class JsonFront:
    """One JSON object a report on stdout (see `Progress.as_json`); what is said goes to stderr."""

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def show(self, progress: Progress) -> None:
        print(progress.as_json(), flush=True)


class BarFront:
    """A bar for the engine that is at work; what is said scrolls by above it."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn
        from rich.progress import Progress as Bars

        self.bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn("{task.fields[text]}", markup=False),
            transient=True,
        )
        self._task = self.bars.add_task("", total=1.0, text="", visible=False)

    def say(self, text: str) -> None:
        self.bars.console.print(text, markup=False, highlight=False)

    def show(self, progress: Progress) -> None:
        working = progress.state == "installing"
        text = f"{time_left(progress.left_s)} · {progress.text}"
        self.bars.update(
            self._task, description=progress.engine, completed=progress.done, text=text, visible=working, refresh=True
        )
        if not working:
            self.say(f"{'✓' if progress.state == 'ready' else '✗'} {progress.engine}: {progress.text}")


@contextmanager
def open_front(*, as_json: bool) -> Iterator[Front]:
    """The front that fits: JSON if asked for, a bar if stdout is a terminal, else plain lines."""
    if as_json:
        yield JsonFront()
    elif sys.stdout.isatty():
        front = BarFront()
        with front.bars:
            yield front
    else:
        yield PlainFront(sys.stdout)


def time_left(seconds: int) -> str:
    """How long it takes yet, in words that don't promise more than is known."""
    if seconds >= 90:
        return f"about {round(seconds / 60)} min left"
    return f"about {max(5, round(seconds / 5) * 5)} s left"
