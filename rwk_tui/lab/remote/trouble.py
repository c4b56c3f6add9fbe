"""What may go wrong on the way to a machine, in plain words and with what to do about it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import asyncssh

from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote.keys import unlock
from rwk_tui.lab.remote.login import Login
from rwk_tui.lab.remote.pins import Pins


class NeedsHelp(LabError):
    """Trouble that does not go away by waiting: somebody has to do something."""


def other_key(machine: str, login: Login, pins: Pins) -> NeedsHelp:
    """The machine shows a key that it is not known by."""
    if login.host_keys:
        return NeedsHelp(
            f"{machine} ({login}) shows another host key than the one it is known by: it was made anew, or somebody is "
            "in between; if you trust it, correct its key where your hosts are listed or known"
        )
    return NeedsHelp(
        f"{machine} ({login}) shows another host key than before: it was made anew, or somebody is in between; "
        f"if you trust it, remove the line of {machine} from {pins.file}"
    )


def no_login(machine: str, login: Login, error: BaseException, pins: Pins, locked: Sequence[Path]) -> LabError:
    """What it means that a connection could not be made; `locked` are the keys that only an ssh-agent could use."""
    if isinstance(error, LabError):
        return error
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return other_key(machine, login, pins)
    known = login.host_keys or pins.of(machine)
    if known and isinstance(error, asyncssh.KeyExchangeFailed) and "host key" in str(error):
        return other_key(machine, login, pins)  # it has no key of the kind that it is known by
    if isinstance(error, asyncssh.PermissionDenied):
        tried = ", ".join(str(key) for key in login.keys) or "of your ssh-agent"
        advice = f"; {unlock(locked)}" if locked else ""
        return LabError(f"{machine} ({login}) refuses our key (user {login.user}, keys {tried}){advice}")
    if isinstance(error, ConnectionRefusedError):
        return LabError(f"{machine} refuses connections on SSH ({login}): it still boots, or sshd does not run there")
    if isinstance(error, asyncssh.DisconnectError):
        return LabError(f"{machine} ended the SSH connection ({login}): {error.reason or 'without a word'}")
    if isinstance(error, OSError):
        why = os.strerror(error.errno) if error.errno is not None and error.errno > 0 else error.strerror or str(error)
        return LabError(f"{machine} can't be reached over SSH ({login}): {why}")
    return LabError(f"{machine} ({login}): {error or type(error).__name__}")


def no_agent(machine: str, user: str, code: int | None, said: str) -> LabError:
    """What it means that the agent ended before it said hello; `said` is what came on stderr."""
    lines = said.strip().splitlines()
    if "python3" in said and ("not found" in said or "No such file" in said):
        return NeedsHelp(f"{machine} has no python3: install it there (apt install python3)")
    if "No module named" in said:
        return NeedsHelp(
            f"python3 on {machine} has no standard library ({lines[-1]}): install it there (apt install python3)"
        )
    if "sudo" in said and "not found" in said:
        return NeedsHelp(f"{machine} has no sudo: install it there, or log in as root")
    if (lines and lines[-1].startswith("sudo:")) or "sudoers" in said:
        return NeedsHelp(
            f"sudo on {machine} asks for a password: let {user} go without, "
            f'with a line "{user} ALL=(ALL) NOPASSWD:ALL" in /etc/sudoers.d/{user}'
        )
    ended = f" (exit code {code})" if code is not None else ""
    return LabError(f"the agent on {machine} does not start{ended}: {lines[-1] if lines else 'it says nothing'}")


def no_address(machine: str, wanted: str, found: Sequence[str]) -> str:
    """That a machine lacks the address under which the others are to reach it, and has these."""
    only = f"only {' and '.join(found)}" if found else "nor any other"
    return (
        f"{machine} has no address {wanted}, {only}, so nothing can listen there: "
        "correct its address in the hosts file, or that in [vagrant] of rwk-tui.toml"
    )
