"""One daemon per state directory: a lock that the kernel drops when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path


class AlreadyRunning(Exception):
    """Another daemon holds the state directory; `pid` is 0 where it could not be read."""

    def __init__(self, directory: Path, pid: int) -> None:
        self.pid = pid
        super().__init__(f"another daemon (pid {pid or 'unknown'}) already holds the lab in {directory}")


class StateLock:
    """The lock of a state directory; hold on to the object as long as the lock is needed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = -1

    def take(self, patience: float = 0.0) -> None:
        """Take the lock, waiting at most `patience` seconds (blocking). Raises AlreadyRunning, or OSError."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        until = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() < until:
                    time.sleep(0.02)
                    continue
                pid = _pid(handle)
                os.close(handle)
                raise AlreadyRunning(self._path.parent, pid) from None
            except OSError:
                os.close(handle)
                raise
            break
        self._handle = handle
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)

    def drop(self) -> None:
        """Give the lock back; harmless when it isn't held."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def _pid(handle: int) -> int:
    text = os.pread(handle, 32, 0).decode(errors="replace").strip()
    return int(text) if text.isdigit() else 0
