"""What a run of the tests leaves behind on this computer: processes, ports, network namespaces, files."""

from __future__ import annotations

import os
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

MARK = "RWK_TEST_SUITE"
"""Environment variable that everything inherits that the run starts, at whatever remove."""
GRACE = 10.0
"""Seconds that what was told to end has for it."""
NAMESPACES = Path("/run/netns")


class Leftovers:
    """Compares this computer before and after a run whose temporary files go to `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._mark = uuid.uuid4().hex
        self._namespaces = _namespaces()
        self._ports = _ports()

    @property
    def environment(self) -> dict[str, str]:
        """What the run must inherit for its leftovers to be known as its own."""
        return {MARK: self._mark, "TMPDIR": str(self.directory)}

    def found(self) -> list[str]:
        """A line for each thing that is still there after `GRACE` s."""
        until = time.monotonic() + GRACE
        while (left := self._look()) and time.monotonic() < until:
            time.sleep(0.2)
        return left

    def _look(self) -> list[str]:
        return [
            *(f"process {line}" for line in self._processes()),
            *(f"port {address}" for address in sorted(_ports() - self._ports)),
            *(f"namespace {name}" for name in sorted(_namespaces() - self._namespaces)),
            *(f"file {path}" for path in sorted(self.directory.iterdir())),
        ]

    def _processes(self) -> Iterator[str]:
        for process in psutil.process_iter(["pid", "cmdline", "status"]):
            try:
                ours = process.environ().get(MARK) == self._mark
            except (psutil.Error, OSError):
                continue
            if ours and process.pid != os.getpid() and process.info["status"] != psutil.STATUS_ZOMBIE:
                yield f"{process.pid} {' '.join(process.info['cmdline'] or ())[:120]}"


@contextmanager
def leftovers() -> Iterator[Leftovers]:
    """For a run within this context; its own directory is gone afterwards, with whatever was left in it."""
    with tempfile.TemporaryDirectory(prefix="rwk-", dir="/tmp", ignore_cleanup_errors=True) as directory:
        temporary = Path(directory) / "tmp"
        temporary.mkdir()
        yield Leftovers(temporary)


def _namespaces() -> set[str]:
    return {path.name for path in NAMESPACES.iterdir()} if NAMESPACES.is_dir() else set()


def _ports() -> set[str]:
    """Where tests listen: at addresses of their subnets, and at the ports of labs that share one address."""
    from support.subnets import is_of_a_test

    try:
        entries = psutil.net_connections("tcp")
    except psutil.AccessDenied:  # macOS tells only root
        return set()
    listening = (entry.laddr for entry in entries if entry.status == psutil.CONN_LISTEN and entry.laddr)
    return {f"{at.ip}:{at.port}" for at in listening if is_of_a_test(at.ip, at.port)}
