"""What this computer and our rights on it let the lab do, found out by trying."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from functools import cache
from pathlib import Path

from rwk_tui.lab.host import procs
from rwk_tui.lab.host.process import harness
from rwk_tui.lab.local.links import NO_PACKETS
from rwk_tui.lab.protocol import Ability

_TRY_FOR = 5.0
_YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")


def why_not(ability: Ability) -> str:
    """Why the local lab can't do that, in one line with what to do about it; "" if it can.

    The first question about slow disks is tried out, in some 20 ms.
    """
    match ability:
        case "power cut" | "delay":
            return ""
        case "packet loss":
            return NO_PACKETS
        case "slow disk":
            return why_no_slow_disk(procs.LINUX, shutil.which("strace"))


def why_no_slow_disk(linux: bool, strace: str | None) -> str:
    """The same for a slow disk, on a system with that program or without."""
    if not linux:
        return "a disk can be slowed on Linux only, where strace holds back what a program asks of it"
    if strace is None:
        return "strace, which holds back a program's syncs, is not there: install strace"
    try:
        refusal = _refusal(strace)
    except (OSError, subprocess.SubprocessError, TimeoutError) as error:
        return f"strace could not be tried out: {error}"
    if "not permitted" in refusal:
        return f"strace may not attach to programs here ({refusal}): {_remedy()}"
    return f"strace can't attach to programs here: {refusal}" if refusal else ""


@cache
def _refusal(strace: str) -> str:
    """Attach to a program that is started like a unit: what strace complains of, "" if nothing.

    Raises TimeoutError, which is not kept.
    """
    unit = [*harness("core-00"), "/bin/sh", "-c", "echo && read -r end"]
    with subprocess.Popen(unit, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
        assert program.stdout is not None
        try:
            program.stdout.readline()  # it runs as it will
            with subprocess.Popen(
                [*harness(""), strace, "-f", "-qq", "-o", os.devnull, "-p", str(program.pid)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            ) as tracer:
                try:
                    end = time.monotonic() + _TRY_FOR
                    while tracer.poll() is None and not procs.is_traced_by(program.pid, tracer.pid):
                        if time.monotonic() > end:
                            raise TimeoutError(f"it did not attach within {_TRY_FOR:g} s")
                        time.sleep(0.002)
                    refused = tracer.poll() is not None
                finally:
                    tracer.kill()
                _, words = tracer.communicate()
        finally:
            program.kill()
    return told(words) if refused else ""


def told(words: str) -> str:
    """The newest line of what strace complained of, without its name."""
    return (words.strip().splitlines() or ["strace: it ended at once"])[-1].removeprefix("strace: ")


def _remedy() -> str:
    try:
        scope = int(_YAMA.read_text())
    except (OSError, ValueError):
        scope = 0
    if scope:
        return f"kernel.yama.ptrace_scope is {scope}, set it to 0 or be root"
    return "be root, or give the container the capability SYS_PTRACE"
