"""Keep the cores busy while a command runs: `load.py [--loops N] -- COMMAND...`, one loop a core unless said otherwise.

Says at the end what the loops got of the cores, and exits as the command did; without one it measures for some seconds
how long an event loop stands still, alone and beside the loops. The loops end with this program, however it ends.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType

import psutil

from rwk_tui.watch.stalls import Stalls

CORES = os.cpu_count() or 1
LOOP = """
import os, sys
holder = int(sys.argv[1])
while os.getppid() == holder:
    for _ in range(100_000):
        pass
"""
"""Never waits, and looks some hundred times a second whether the program that wanted it is still there."""
MEASURED = 3.0
"""Seconds for which the event loop is watched where there is no command."""
NOT_FOUND = 127
"""What a shell exits with for a command that it can't start."""


@dataclass(slots=True)
class Load:
    """The loops that ran: how many, for how long (s), and how many seconds of processor time they took."""

    loops: int
    seconds: float = 0.0
    burnt: float = 0.0

    def __str__(self) -> str:
        share = self.burnt / (self.seconds * CORES) if self.seconds else 0.0
        loops, cores = f"{self.loops} loop{'s' * (self.loops != 1)}", f"{CORES} core{'s' * (CORES != 1)}"
        return f"{loops} beside it for {self.seconds:.1f} s burnt {self.burnt:.1f} s of CPU, {share:.0%} of {cores}"


@contextmanager
def busy(loops: int) -> Iterator[Load]:
    """So many loops until the end; what they took is known afterwards."""
    load, started = Load(loops), time.monotonic()
    argv = (sys.executable, "-S", "-c", LOOP, str(os.getpid()))
    # In a session of their own: Ctrl-C at the terminal is for the command.
    running = [subprocess.Popen(argv, start_new_session=True, stdin=subprocess.DEVNULL) for _ in range(loops)]
    try:
        yield load
    finally:
        load.seconds = time.monotonic() - started
        for process in running:
            with suppress(psutil.Error):
                times = psutil.Process(process.pid).cpu_times()
                load.burnt += times.user + times.system
            process.kill()
            process.wait()


def run(command: list[str]) -> int:
    """The exit code of the command, 128 + the signal that ended it; what would end us is passed on to it."""
    try:
        process = subprocess.Popen(command)
    except OSError as error:
        print(f"load.py: {command[0]} can't be run: {error.strerror}", file=sys.stderr)
        return NOT_FOUND

    def pass_on(number: int, _frame: FrameType | None) -> None:
        process.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal has told the command itself
    code = process.wait()
    return code if code >= 0 else 128 - code


def measure() -> int:
    """Say for what part of some seconds an event loop stands still now."""
    print(f"an event loop stands still for {asyncio.run(stood_still(MEASURED)):.1%} of {MEASURED:g} s", flush=True)
    return 0


async def stood_still(seconds: float) -> float:
    """For what part of so many seconds this event loop stands still."""
    stalls, began = Stalls(time.time), time.time()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stalls.watch_loop()
    return stalls.within(began, time.time()) / seconds


def number_of_loops(text: str) -> int:
    """A number of loops from the command line."""
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of loops: 1 or more")
    return int(text)


def main() -> int:
    parser = argparse.ArgumentParser(usage="load.py [--loops N] -- COMMAND...")
    parser.add_argument("--loops", type=number_of_loops, default=CORES, help="how many (one a core)")
    parser.add_argument("command", nargs="*")
    given = parser.parse_args()
    if not given.command:
        measure()
    started = time.monotonic()
    with busy(given.loops) as load:
        code = run(given.command) if given.command else measure()
    print(f"exit code {code} after {time.monotonic() - started:.1f} s; {load}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
