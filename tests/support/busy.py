"""Other programs that want every core."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

BEAT = 0.01
"""Seconds between two looks at the clock."""


@contextmanager
def busy_cores() -> Iterator[None]:
    """A loop for each core that never waits, until the end."""
    argv = (sys.executable, "-c", "while True: pass")
    loops = [subprocess.Popen(argv) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
        for loop in loops:
            loop.wait()


@contextmanager
def stood_still() -> Iterator[Callable[[], float]]:
    """How many seconds this process has been late in all since the beginning, as other programs had the cores."""
    late, done = [0.0], threading.Event()

    def watch() -> None:
        due = time.monotonic() + BEAT
        while not done.wait(max(0.0, due - time.monotonic())):
            late[0] += max(0.0, time.monotonic() - due)
            due = time.monotonic() + BEAT

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield lambda: late[0]
    finally:
        done.set()
        thread.join()
