"""Where the daemon's files lie in the state directory, and what to say when the directory can't be used."""

from __future__ import annotations

import os
from pathlib import Path

from rwk_tui.settings import Settings

LOG_KEPT = 1024 * 1024
"""Bytes of the daemon's log after which the next start begins a new one (one old one is kept)."""
_OURS = {
    "daemon.lock",
    "daemon.log",
    "daemon.log.1",
    "daemon.sock",
    "record.json",
    "canary.ledger",
    "cards.jsonl",
    "cockpit-seen",
    "lab",
    "pki",
}


def lock_file(settings: Settings) -> Path:
    """The file whose lock says that a daemon runs here."""
    return settings.state / "daemon.lock"


def log_file(settings: Settings) -> Path:
    """What the daemon says to nobody in particular, tracebacks too."""
    return settings.state / "daemon.log"


def record_file(settings: Settings) -> Path:
    """What must survive a crash of the daemon."""
    return settings.state / "record.json"


def ledger_file(settings: Settings) -> Path:
    """The canary's ledger."""
    return settings.state / "canary.ledger"


def cards_file(settings: Settings) -> Path:
    """The report cards of all faults, a line of JSON each."""
    return settings.state / "cards.jsonl"


def pki_directory(settings: Settings) -> Path:
    """The lab's authorities and the presenter's certificates; they outlive every machine."""
    return settings.state / "pki"


def make_state(settings: Settings) -> None:
    """Make the state directory, open to nobody else. Raises OSError.

    A directory that the user already keeps other things in stays as open as it was: the socket itself is private.
    """
    state = settings.state
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    mine = state.stat().st_uid == os.geteuid()
    names = {entry.name for entry in state.iterdir()}
    if mine and names <= _OURS:
        state.chmod(0o700)


def begin_log(settings: Settings) -> int:
    """Open the daemon's log to append to it and return its file descriptor. Raises OSError."""
    path = log_file(settings)
    if path.exists() and path.stat().st_size > LOG_KEPT:
        path.replace(path.with_suffix(".log.1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def last_words(settings: Settings, since: int = 0) -> str:
    """The last line of the daemon's log after byte `since`, without its time; "" if there is none."""
    try:
        with log_file(settings).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(since if since <= size else 0, size - 4096))
            lines = file.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1].partition("rwk-tui: ")[2] or lines[-1] if lines else ""


def disk_full(settings: Settings) -> str:
    """One line if nothing more can be written to the state directory's disk, else ""."""
    try:
        disk = os.statvfs(settings.state)
    except OSError:
        return ""
    # Some file systems count no inodes at all.
    full = disk.f_bavail == 0 or (disk.f_files > 0 and disk.f_favail == 0)
    return f"{settings.state} can't be used: the disk is full" if full else ""
