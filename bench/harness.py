"""What every bench needs: a lab of its own, a terminal of its own, medians, and a proof that nothing is left."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil

T = TypeVar("T")

COMMAND = (sys.executable, "-m", "rwk_tui")
SUBNET = os.environ.get("RWK_SUBNET", "90")


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds or ratios of several runs."""

    values: tuple[float, ...]

    def __str__(self) -> str:
        low, high = min(self.values), max(self.values)
        return f"min {low:.3f}  median {self.median:.3f}  max {high:.3f}  (n={len(self.values)})"

    @property
    def median(self) -> float:
        """The middle value."""
        return statistics.median(self.values)

    @property
    def tail(self) -> str:
        """Median, 95th percentile and extremes, in milliseconds."""
        ordered = sorted(value * 1000 for value in self.values)
        p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
        low, high = ordered[0], ordered[-1]
        return f"min {low:.0f}  median {self.median * 1000:.0f}  p95 {p95:.0f}  max {high:.0f} ms  (n={len(ordered)})"


def pairs(runs: int, ours: Callable[[], float], bare: Callable[[], float]) -> tuple[Figures, Figures, Figures]:
    """Run both in turn after one warm-up each; figures of ours, of the bare one, and of the ratio pair by pair."""
    ours(), bare()
    a, b = [], []
    for _ in range(runs):
        a.append(ours())
        b.append(bare())
    return Figures(tuple(a)), Figures(tuple(b)), Figures(tuple(x / y for x, y in zip(a, b, strict=True)))


SLACK = float(os.environ.get("RWK_SLACK") or 1)
"""By how much everything takes longer, for labs on machines."""


def environment(state: Path) -> dict[str, str]:
    """The environment of a run whose lab lives in `state`; byte code is cached, as for any user."""
    own = {"RWK_STATE": str(state), "RWK_SUBNET": SUBNET, "RWK_LINGER": "1", "TERM": "xterm-256color"}
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, **own}


def processes_of(state: Path) -> list[psutil.Process]:
    """Every process that has to do with the lab in `state`, this one excepted."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            words = " ".join(process.cmdline())
            if str(state) in words or process.environ().get("RWK_STATE") == str(state):
                found.append(process)
    return found


def daemon_of(state: Path) -> psutil.Process:
    """The daemon of the lab in `state`; waits up to 10 s for it."""
    return wait_for(
        lambda: next((p for p in processes_of(state) if "rwk_tui.daemon" in " ".join(p.cmdline())), None),
        10,
        "a daemon",
    )


def wait_for(ask: Callable[[], T | None], deadline: float, what: str) -> T:
    """Ask until the answer is true; SystemExit with what was waited for when `deadline` (s) ran out."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.02)
    raise SystemExit(f"waited {deadline:g} s for {what}")


@contextlib.contextmanager
def lab_state() -> Iterator[Path]:
    """A state directory of its own; afterwards the lab is down, the directory gone, and no process is left."""
    state = Path(tempfile.mkdtemp(prefix="rwk-bench-"))
    try:
        yield state
    finally:
        wait_for(lambda: (state / "daemon.sock").exists() or not processes_of(state), 20, "the daemon's socket")
        subprocess.run([*COMMAND, "down"], env=environment(state), capture_output=True, timeout=60 * SLACK, check=False)
        wait_for(lambda: not processes_of(state), 20, "the end of every process")
        shutil.rmtree(state, ignore_errors=True)


class Terminal:
    """A program in a pseudo terminal."""

    def __init__(self, argv: Sequence[str], env: dict[str, str], columns: int = 120, rows: int = 40) -> None:
        self.started = time.monotonic()
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            list(argv), stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True
        )
        os.close(slave)
        self.text = b""

    def read(self, seconds: float) -> None:
        """Take what the program paints for that long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            ready, _, _ = select.select([self.master], [], [], left)
            if ready:
                try:
                    self.text += os.read(self.master, 65536)
                except OSError:
                    return

    def until(self, mark: str, deadline: float) -> float:
        """Seconds from the start until `mark` was painted."""
        end = time.monotonic() + deadline
        while mark.encode() not in self.text:
            if time.monotonic() > end:
                raise SystemExit(f"waited {deadline:g} s for {mark!r}; the end of the screen: {self.text[-400:]!r}")
            self.read(0.002)
        return time.monotonic() - self.started

    def send(self, keys: str) -> None:
        """Type."""
        os.write(self.master, keys.encode())

    def close(self) -> None:
        """End the program."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        os.close(self.master)
