"""Run a long command whose output is kept for the one line that says why it failed, and end all of it on Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rwk_tui.engines.ask import EngineError

_GRACE = 2.0
_TICK = 1.0


def run_job(
    argv: list[str],
    *,
    what: str,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    each: Callable[[str], None] = lambda _: None,
    tick: Callable[[], None] = lambda: None,
) -> None:
    """Run it to its end; `each` is told every line, `tick` is called about once a second.

    Raises EngineError with the line that says why.
    """
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=None if environment is None else dict(environment),
            # A group of its own: its children end with it, and Ctrl-C reaches it through us, once.
            start_new_session=True,
        )
    except OSError as error:
        raise EngineError(f"{argv[0]}: can't be run ({error.strerror})") from None
    last: deque[str] = deque(maxlen=40)
    assert process.stdout is not None
    try:
        for line in _lines(process.stdout.fileno(), tick):
            if text := line.decode("utf-8", "replace").strip():
                last.append(text)
                each(text)
        code = process.wait()
    finally:
        _end(process)
    if code != 0:
        telling = [text for text in last if "rror" in text or "no space" in text] or list(last)
        raise EngineError(f"{what} failed: {telling[-1] if telling else f'exit code {code}'}")


def _lines(pipe: int, tick: Callable[[], None]) -> Iterator[bytes]:
    """The lines of a pipe as they come, with a tick in between even where none comes for long."""
    rest, ticked = b"", time.monotonic()
    while True:
        ready = select.select([pipe], [], [], _TICK)[0]
        if time.monotonic() - ticked >= _TICK:
            ticked = time.monotonic()
            tick()
        if not ready:
            continue
        chunk = os.read(pipe, 65536)
        if not chunk:
            break
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest


def _end(process: subprocess.Popen[bytes]) -> None:
    """Leave nothing of the command behind, whether it has ended or not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None or number == signal.SIGKILL:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, number)
        until = time.monotonic() + _GRACE
        while process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
    if process.stdout is not None:
        process.stdout.close()
