"""The processes of a lab of which only its state directory is known: daemon, engines, and what watches over them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import psutil

ORDERLY = 15.0
"""Seconds that a daemon has to halt its lab before it is killed."""


def processes_of(state: Path) -> list[psutil.Process]:
    """Every process but ours that names the directory in its command line or its environment."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "status"]):
        try:
            words = [*(process.info["cmdline"] or ()), *process.environ().values()]
        except (psutil.Error, OSError):
            continue
        ours = any(word.startswith(str(state)) for word in words)
        if ours and process.pid != os.getpid() and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def told(processes: Iterable[psutil.Process]) -> list[str]:
    """A line for each."""
    return [f"{process.pid} {' '.join(process.info['cmdline'] or ())[:80]}" for process in processes]


def end_processes_of(state: Path) -> None:
    """Ask each to end, and kill those that do not."""
    left = processes_of(state)
    for process in left:
        try:
            process.terminate()
        except psutil.NoSuchProcess:
            continue
    _, alive = psutil.wait_procs(left, timeout=ORDERLY if left else 0)
    for process in alive:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
