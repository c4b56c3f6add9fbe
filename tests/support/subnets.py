"""A number for the addresses of a lab that no other test on this machine uses now, be it of another run."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUBNETS = range(100, 200)


@contextmanager
def free_subnet() -> Iterator[int]:
    """The number, kept for as long as the context lasts."""
    locks = Path(tempfile.gettempdir()) / f"rwk-subnets-{os.getuid()}"
    locks.mkdir(mode=0o700, exist_ok=True)
    for number in SUBNETS:
        with (locks / str(number)).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield number
            return
    raise AssertionError("no subnet is free: other runs hold all of them")
