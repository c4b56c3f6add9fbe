"""What systemd and the kernel say about a unit and its main process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time

SHOWN = (
    "Id,ActiveState,MainPID,Result,ExecMainCode,ExecMainStatus,ExecMainStartTimestampMonotonic,"
    "ExecMainExitTimestampMonotonic,ActiveExitTimestampMonotonic,StateChangeTimestampMonotonic"
)
CLD_EXITED = 1
NO_DIRECTORY, NO_PROGRAM = 200, 203  # exit codes of systemd itself, where it could not execute a program


def show(units: list[str]) -> dict[str, dict[str, str]]:
    """What systemd says about each of these units, by its name; a call takes some 10 ms."""
    done = subprocess.run(
        ["systemctl", "show", "--property=" + SHOWN, "--", *units],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**os.environ, "LC_ALL": "C"},
    )
    if done.returncode:
        raise OSError(0, "systemctl show: " + done.stderr.decode(errors="replace").strip())
    shown = {}
    for block in done.stdout.decode(errors="replace").split("\n\n"):
        values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        shown[values.get("Id", "")] = values
    return shown


def number(shown: dict[str, str], name: str) -> int:
    """One of its numbers; 0 if there is none."""
    return int(shown.get(name) or 0)


def on_the_clock(shown: dict[str, str], name: str) -> float:
    """Unix time of one of its stamps, which count microseconds from boot; 0 if there is none."""
    stamp = number(shown, name)
    return round(time.time() - time.monotonic() + stamp / 1e6, 3) if stamp else 0.0


def end_of(shown: dict[str, str]) -> tuple[str, bool]:
    """How its main process ended, in words, and whether that was well: who was told to stop did, whatever it says."""
    code, status = number(shown, "ExecMainCode"), number(shown, "ExecMainStatus")
    started, ended = (number(shown, f"ExecMain{what}TimestampMonotonic") for what in ("Start", "Exit"))
    # Who is told to stop leaves "active" before its process ends; where that ends by itself, it is the other way round.
    asked = started <= number(shown, "ActiveExitTimestampMonotonic") < ended
    if code == CLD_EXITED:
        if asked and status in (0, 128 + signal.SIGTERM):
            return "ended when asked to", True
        if status in (NO_DIRECTORY, NO_PROGRAM):
            return f"could not start: systemd can't execute the program (exit code {status})", False
        return f"exit code {status}", asked or status == 0
    if asked and status == signal.SIGTERM:
        return "ended when asked to", True
    try:
        words = f"killed by {signal.Signals(status).name}"
    except ValueError:
        words = f"killed by signal {status}"
    return words + (", out of memory" if shown.get("Result") == "oom-kill" else ""), asked


def stat_of(pid: int) -> tuple[str, str]:
    """State letter and start time of a process; ("", "") if there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b") ")[2].split()
        return fields[0].decode(), fields[19].decode()
    except (OSError, IndexError):
        return "", ""


def slices() -> list[str]:
    """Where systemd makes a cgroup for each service that runs, whichever version of cgroups this is."""
    found = []
    with contextlib.suppress(OSError), open("/proc/1/cgroup") as file:
        for line in file.read().splitlines():
            _, controllers, way = line.split(":", 2)
            if controllers in ("", "name=systemd"):
                way = way[: -len("/init.scope")] if way.endswith("/init.scope") else way.rstrip("/")
                roots = ("/systemd",) if controllers else ("", "/unified")
                found += [f"/sys/fs/cgroup{root}{way}/system.slice" for root in roots]
    return [way for way in found if os.path.isdir(way)]


def spec_in(path: str) -> str:
    """The line `Spec=` in the section `[X-Rwk]` of a unit file; "" if it has none."""
    section = ""
    with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("["):
                section = line.strip()
            elif section == "[X-Rwk]" and line.startswith("Spec="):
                return line[len("Spec=") :].strip()
    return ""
