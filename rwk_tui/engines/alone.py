"""One install at a time in a cache, in a directory of its own that is gone afterwards, however it ends."""

from __future__ import annotations

import fcntl
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rwk_tui.engines.ask import EngineError

_BUILDING = ".build-"


@contextmanager
def alone(cache: Path) -> Iterator[None]:
    """Hold the lock of the cache, so that no two installs tread on each other. Raises EngineError if another has it."""
    with (cache / ".install.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EngineError(f"{cache}: another install is at work there; wait for it") from None
        yield


@contextmanager
def work_directory(cache: Path) -> Iterator[Path]:
    """A directory on the cache's own file system, gone afterwards; those that killed installs left go first."""
    for left in leftovers(cache):
        shutil.rmtree(left, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=_BUILDING, dir=cache))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def leftovers(cache: Path) -> list[Path]:
    """The work directories that are there; while the lock is held and none was made, killed installs left them."""
    return list(cache.glob(f"{_BUILDING}*"))


@contextmanager
def terminate_as_interrupt() -> Iterator[None]:
    """Let SIGTERM clean up as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
