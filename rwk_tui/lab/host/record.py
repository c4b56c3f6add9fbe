"""What runs, on disk: so that the next lab can end what a crash of this one left."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import psutil

from rwk_tui.lab.host import procs
from rwk_tui.lab.host.disk import read_json, write_json
from rwk_tui.lab.protocol import LabError

LAB_VARIABLE = "RWK_LAB"
"""In the environment of everything we start: the directory of the lab it belongs to."""


class Record:
    """One small file for each process group."""

    def __init__(self, directory: Path, lab: Path) -> None:
        self._directory = directory
        self._lab = str(lab)

    def add(self, pid: int, *, machine: str, what: str) -> None:
        """Write down a group by its leader. Raises LabError."""
        write_json(self._file(pid), {"pid": pid, "birth": procs.birth(pid), "machine": machine, "what": what})

    def remove(self, pid: int) -> None:
        """Strike out a group that has ended."""
        with contextlib.suppress(OSError):
            self._file(pid).unlink()

    def reap(self, deadline: float = 5.0) -> list[str]:
        """End every group on record that still lives and strike it out; what was ended, such as "core-01/etcd".

        Blocks, but for longer than some milliseconds only if there is something to end. Raises LabError if a process
        does not end within `deadline` (s).
        """
        files = list(self._directory.glob("*.json")) if self._directory.is_dir() else []
        ended = []
        for file in files:
            entry = read_json(file)
            pids = self._left(int(entry["pid"]), str(entry["birth"]))
            if pids:
                ended.append(f"{entry['machine'] or 'presenter'}/{entry['what']}")
                self._kill(pids, deadline)
            file.unlink(missing_ok=True)
        return ended

    def _file(self, pid: int) -> Path:
        return self._directory / f"{pid}.json"

    def _left(self, leader: int, birth: str) -> dict[int, str]:
        """The processes of that session that are ours beyond doubt, with their births."""
        now = procs.birth(leader)
        if now and now != birth:
            return {}  # the number belongs to a stranger by now
        left = {leader: now} if now else {}
        for pid, session in procs.sessions().items():
            if session == leader and pid != leader and self._is_ours(pid):
                left[pid] = procs.birth(pid)
        return left

    def _is_ours(self, pid: int) -> bool:
        try:
            return psutil.Process(pid).environ().get(LAB_VARIABLE) == self._lab
        except psutil.Error:
            return False

    def _kill(self, pids: dict[int, str], deadline: float) -> None:
        end = time.monotonic() + deadline
        while left := [pid for pid, birth in pids.items() if birth and procs.birth(pid) == birth]:
            if time.monotonic() > end:
                raise LabError(f"process {left[0]} of an earlier run does not end; end it, then start again")
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
