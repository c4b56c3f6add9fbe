"""What a run of the tests leaves behind on this computer: processes, ports, network namespaces, files."""

from __future__ import annotations

import os
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator
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

    @property
    def environment(self) -> dict[str, str]:
        """What the run must inherit for its leftovers to be known as its own.

        A pytest that a test starts keeps its last directories on purpose: those go where all of them do.
        """
        kept = {"PYTEST_DEBUG_TEMPROOT": tempfile.gettempdir()}
        return {**kept, MARK: self._mark, "TMPDIR": str(self.directory)}

    def found(self) -> list[str]:
        """A line for each thing that is still there after `GRACE` s."""
        until = time.monotonic() + GRACE
        while (left := self._look()) and time.monotonic() < until:
            time.sleep(0.2)
        return left

    def _look(self) -> list[str]:
        ours = self._processes()
        files = sorted(self.directory.iterdir()) if self.directory.is_dir() else []
        return [
            *(f"process {pid} {words}" for pid, words in ours.items()),
            *(f"port {address}" for address in sorted(_ports_of(ours))),
            *(f"namespace {name}" for name in sorted(_namespaces() - self._namespaces)),
            *(f"file {path}" for path in files),
        ]

    def _processes(self) -> dict[int, str]:
        """What was started at whatever remove and runs still: pids with command lines.

        Engines inherit no mark, only where their lab lies.
        """
        found: dict[int, str] = {}
        place = str(self.directory.parent)
        for process in psutil.process_iter(["pid", "cmdline", "status"]):
            try:
                variables = process.environ()
                words = (*(process.info["cmdline"] or ()), *variables.values())
                ours = variables.get(MARK) == self._mark or any(word.startswith(place) for word in words)
            except (psutil.Error, OSError):
                continue
            if ours and process.pid != os.getpid() and process.info["status"] != psutil.STATUS_ZOMBIE:
                found[process.pid] = " ".join(process.info["cmdline"] or ())[:120]
        return found


@contextmanager
def leftovers() -> Iterator[Leftovers]:
    """For a run within this context; its own directory is gone afterwards, with whatever was left in it."""
    with tempfile.TemporaryDirectory(prefix="rwk-", dir="/tmp", ignore_cleanup_errors=True) as directory:
        temporary = Path(directory) / "tmp"
        temporary.mkdir()
        yield Leftovers(temporary)


def _namespaces() -> set[str]:
    return {path.name for path in NAMESPACES.iterdir()} if NAMESPACES.is_dir() else set()


def _ports_of(pids: Iterable[int]) -> set[str]:
    """Where those processes listen; other runs, and the user's own lab, listen at the same time."""
    found: set[str] = set()
    for pid in pids:
        try:
            entries = psutil.Process(pid).net_connections("tcp")
        except (psutil.Error, OSError):
            continue
        listening = (entry.laddr for entry in entries if entry.status == psutil.CONN_LISTEN and entry.laddr)
        found |= {f"{at.ip}:{at.port}" for at in listening}
    return found
