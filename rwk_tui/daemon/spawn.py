"""Starts the daemon as a process of its own, which outlives the front end that started it."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rwk_tui.daemon.places import begin_log, disk_full, last_words, make_state
from rwk_tui.settings import Settings, as_environment

if TYPE_CHECKING:
    from subprocess import Popen


class DaemonError(Exception):
    """The daemon can't be had, in one line."""


class Spawned:
    """A daemon that this process started; `log_from` is where its words begin in the log (bytes)."""

    def __init__(self, process: Popen[bytes], settings: Settings, log_from: int) -> None:
        self._process = process
        self._settings = settings
        self.log_from = log_from

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def check(self) -> None:
        """Raises DaemonError, with the last line of its log, if the daemon has ended."""
        code = self._process.poll()
        if code is not None:
            words = last_words(self._settings, self.log_from)
            why = "" if words else disk_full(self._settings)
            raise DaemonError(words or why or f"the daemon ended at once (exit {code}) and left no word in its log")

    async def ended(self, within: float) -> bool:
        """Wait at most that many seconds until its process is gone."""
        until = time.monotonic() + within
        while self._process.poll() is None:
            if time.monotonic() > until:
                return False
            await asyncio.sleep(0.02)
        return True

    async def end(self) -> None:
        """Ask it to halt its lab and end; waits a moment for that, but not for a whole lab to halt."""
        if self._process.poll() is None:
            self._process.terminate()
            await self.ended(2.0)
        self.forget()

    def forget(self) -> None:
        """Stop minding it: it is meant to outlive us."""
        if self._process.poll() is None:
            self._process.returncode = 0  # so that the interpreter does not warn of a child that still runs


def python_path() -> dict[str, str]:
    """The variable with which a child finds this very package; none where Python's own directories hold it."""
    root, library = str(Path(__file__).parents[2]), str(Path(os.__file__).parent)
    own = sys.path[sys.path.index(library) + 1 :] if library in sys.path else []
    if root in own:
        return {}
    return {"PYTHONPATH": os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))}


def start_daemon(settings: Settings) -> Spawned:
    """Start a daemon for these settings. Raises DaemonError if the state directory can't be used."""
    import subprocess

    try:
        make_state(settings)
        log = begin_log(settings)
        log_from = os.fstat(log).st_size
    except OSError as error:
        raise DaemonError(f"{error.filename or settings.state} can't be used: {error.strerror or error}") from None
    try:
        process = subprocess.Popen(
            # -P: what lies in the current directory, and be it called logging.py, is not ours to run.
            [sys.executable, "-P", "-m", "rwk_tui.daemon", "--state", str(settings.state)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **python_path(), **as_environment(settings)},
            start_new_session=True,
        )
        return Spawned(process, settings, log_from)
    except OSError as error:
        raise DaemonError(f"the daemon can't be started: {error.strerror or error}") from None
    finally:
        os.close(log)
