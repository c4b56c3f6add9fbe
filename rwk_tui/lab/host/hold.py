"""One lab object a directory: a lock that the kernel drops when its holder dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from rwk_tui.lab.host.disk import said
from rwk_tui.lab.protocol import LabError


class Hold:
    """The lock of a lab's directory."""

    def __init__(self, file: Path) -> None:
        self._path = file
        self._handle = -1

    def take(self) -> None:
        """Take it unless it is ours. Raises LabError if another process has it."""
        if self._handle >= 0:
            return
        with said(f"can't write {self._path}"):
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            pid = os.read(handle, 20).decode(errors="replace").strip()
            os.close(handle)
            raise LabError(f"the lab in {self._path.parent} is in use by process {pid or 'unknown'}") from error
        self._handle = handle
        with said(f"can't write {self._path}"):
            os.truncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)

    def drop(self) -> None:
        """Let others have it."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __del__(self) -> None:
        self.drop()
