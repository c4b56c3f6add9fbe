"""Small programs for tests: scripts that pretend to be an engine or a Go, and the real command line in a process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

CHECKOUT = Path(__file__).resolve().parents[2]


def script(path: Path, body: str) -> Path:
    """Write an executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", "utf-8")
    path.chmod(0o755)
    return path


def fake_engine(path: Path, version: str) -> Path:
    """A script that says it is the engine after which its file is named."""
    return script(path, f'echo "{path.name} version: {version}"')


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a new user: an empty home, and of PATH only what /bin/sh scripts need."""
    mark = {key: value for key, value in os.environ.items() if key == "RWK_TEST_RUN"}
    return {"HOME": str(home), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(CHECKOUT), "LANG": "C.UTF-8", **mark, **more}


def rwk_tui(
    *arguments: str, home: Path, timeout: float = 60.0, cwd: Path | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run the command as a user would, in a process of its own; `more` is environment."""
    return subprocess.run(
        [sys.executable, "-m", "rwk_tui", *arguments],
        env=environment(home, **more),
        cwd=cwd or home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def one_line(finished: subprocess.CompletedProcess[str]) -> str:
    """What it complained, which must be one line and no traceback."""
    lines = finished.stderr.splitlines()
    assert len(lines) == 1, finished.stderr
    assert lines[0].startswith("rwk-tui"), lines[0]
    return lines[0]


def group_is_gone(group: int, *, within: float = 5.0) -> bool:
    """Whether every process of a group has ended within that many seconds; one that nobody has reaped has ended."""
    until = time.monotonic() + within
    while left := [pid for pid in psutil.pids() if _runs_in(pid, group)]:
        if time.monotonic() > until:
            return not left
        time.sleep(0.02)
    return True


def _runs_in(pid: int, group: int) -> bool:
    try:
        return os.getpgid(pid) == group and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False
