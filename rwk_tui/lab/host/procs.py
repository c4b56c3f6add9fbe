"""What the operating system says about processes: born when, stopped or not, which session, who holds a port."""

from __future__ import annotations

import os
import socket
import sys
from functools import cache
from pathlib import Path

import psutil

from rwk_tui.lab.host.address import Address

LINUX = sys.platform == "linux"
BYTE_ORDER = sys.byteorder


def stat_fields(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the state on (state, parent, group, session, …); None if it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    return text[text.rindex(")") + 2 :].split()


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def birth(pid: int) -> str:
    """What tells this process from a later one with the same number; "" if there is no such process."""
    if LINUX:
        fields = stat_fields(pid)
        return f"{_boot()}/{fields[19]}" if fields and fields[0] != "Z" else ""
    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except psutil.Error:
        return ""


def is_stopped(pid: int, *, told: bool) -> bool:
    """Whether the process is frozen by SIGSTOP.

    A process that is traced stands still again and again, and looks the same then: whether it was `told` to stop
    decides.
    """
    if LINUX:
        fields = stat_fields(pid)
        return fields is not None and (fields[0] == "T" or (fields[0] == "t" and told))
    try:
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except psutil.Error:
        return False


def is_traced_by(pid: int, tracer: int) -> bool:
    """Whether all threads of the process are traced by that one (Linux only)."""
    wanted = f"TracerPid:\t{tracer}\n"
    try:
        threads = [thread / "status" for thread in Path(f"/proc/{pid}/task").iterdir()]
        return all(wanted in status.read_text(errors="replace") for status in threads)
    except OSError:
        return False  # one of them has just ended


def sessions() -> dict[int, int]:
    """The session of every process that lives: pid to session."""
    found = {}
    for pid in psutil.pids():
        if LINUX:
            fields = stat_fields(pid)
            if fields and fields[0] != "Z":
                found[pid] = int(fields[3])
        else:
            try:
                found[pid] = os.getsid(pid)
            except OSError:
                continue
    return found


def is_free(address: Address) -> bool:
    """Whether a program could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Programs listen with this option, which ignores connections that merely wait for their end.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError:
            return False
    return True


def holder(address: Address) -> str:
    """Who listens there, in words such as "etcd, pid 4711"."""
    try:
        sockets = psutil.net_connections(kind="tcp")
    except psutil.Error:
        sockets = []
    for entry in sockets:
        if entry.status != psutil.CONN_LISTEN or not entry.laddr or entry.laddr.port != address.port:
            continue
        if entry.laddr.ip not in (address.host, "0.0.0.0", "::"):
            continue
        if entry.pid:
            try:
                return f"{psutil.Process(entry.pid).name()}, pid {entry.pid}"
            except psutil.Error:
                continue
    return "a process of another user"
