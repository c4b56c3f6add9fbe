"""Addresses and ports of a lab that no other test on this machine uses now, be it of another run or another worker."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUBNETS = range(100, 175)
_BASE_PORT, _APART = 11000, 5
"""Ports of a lab end in what its programs listen on (379, 380, 443, 0, 1): none of these are a multiple of 5 apart
below 375, so labs whose base ports are 5 apart share none."""


@contextmanager
def free_subnet() -> Iterator[int]:
    """The number, kept for as long as the context lasts."""
    locks = Path("/tmp") / f"rwk-subnets-{os.getuid()}"  # the same for all runs, wherever their files go
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


def base_port(subnet: int) -> int:
    """Where the ports of a lab begin that has all its machines at one address: as much its own as the subnet is."""
    return _BASE_PORT + _APART * (subnet - SUBNETS.start)
