"""Ask a binary for its version, with a deadline and a limit to what it may say: it may be anything."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from pathlib import Path

from rwk_tui.engines.upstreams import version_arguments, version_pattern

DEADLINE = 10.0
"""Seconds that a binary has to tell its version: a hundred megabytes may have to come from a slow disk first."""
_ENOUGH = 8192


class EngineError(Exception):
    """Something about an engine that can't be used or made, in one line fit for the screen."""


def ask_version(name: str, path: Path, *, deadline: float = DEADLINE) -> str:
    """The version that the binary at `path` says it has; raises EngineError if it is no `name`."""
    if not path.exists():
        raise EngineError(f"{path}: there is no such file")
    if not path.is_file() or not os.access(path, os.X_OK):
        raise EngineError(f"{path}: is not an executable file (chmod +x it, or take it away)")
    text = _first_words([str(path), *version_arguments(name)], path, deadline)
    found = version_pattern(name).search(text)
    if not found:
        said = next((line.strip()[:80] for line in text.splitlines() if line.strip()), "nothing")
        raise EngineError(f"{path}: is no {name} that works here; asked for its version it said {said!r}")
    return found[1]


def _first_words(argv: list[str], path: Path, deadline: float) -> str:
    """What a command prints first. It gets no terminal and little environment, and whatever it started ends with it."""
    environment = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "TMPDIR")}
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise EngineError(f"{path}: can't be run here ({error.strerror})") from None
    assert process.stdout is not None
    pipe, said, until = process.stdout.fileno(), b"", time.monotonic() + deadline
    try:
        while len(said) < _ENOUGH:
            left = until - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                raise EngineError(f"{path}: did not tell its version within {deadline:g} s")
            chunk = os.read(pipe, _ENOUGH)
            if not chunk:
                break
            said += chunk
    finally:
        process.stdout.close()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return said.decode("utf-8", "replace")
