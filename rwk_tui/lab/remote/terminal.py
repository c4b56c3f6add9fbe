"""A shell on a machine over SSH: what to run at the presenter's terminal for it."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from rwk_tui.lab.protocol import LabError, Terminal
from rwk_tui.lab.remote import layout
from rwk_tui.lab.remote.keys import Keys
from rwk_tui.lab.remote.login import Login
from rwk_tui.private import make_private, write_whole

# Only this line is a program; what differs comes as words after it. No login shell: its files would set another PATH.
_BEGIN = (
    'cd "$1" && shift && if [ -x /bin/bash ]; then set -- "$@" /bin/bash --noprofile --norc; '
    'else set -- "$@" /bin/sh; fi; exec env -i TERM="${TERM:-dumb}" "$@"'
)
_OPTIONS = {
    "BatchMode": "yes",  # a question about a password could not be answered by the lab either
    "ConnectTimeout": "10",
    "ServerAliveInterval": "2",  # a machine without power says no goodbye
    "ServerAliveCountMax": "3",
    "LogLevel": "ERROR",  # where input is a pipe, it would warn that there is no terminal
    "StrictHostKeyChecking": "yes",
    "UpdateHostKeys": "no",
    "GlobalKnownHostsFile": "/dev/null",
    "ForwardAgent": "no",
}
_OURS = ("PATH", "HOME", "USER", "LANG")


def terminal(machine: str, login: Login, known_hosts: Path, variables: Mapping[str, str]) -> Terminal:
    """The call of ssh that ends in a shell as root, in the lab's directory, with these variables. Raises LabError."""
    ssh = shutil.which("ssh")
    if ssh is None:
        raise LabError("there is no program ssh here; install OpenSSH's client for a shell on a machine")
    options = {**_OPTIONS, "HostKeyAlias": machine, "UserKnownHostsFile": _path(known_hosts)}
    keys = Keys.of(login)
    ask_agent = login.agent or bool(keys.locked)
    options["IdentitiesOnly"] = "no" if login.agent else "yes"
    if not ask_agent:
        options["IdentityAgent"] = "none"
    # Without a file of the user's: it may name proxies or keys that the lab's own connection does not take.
    argv = [ssh, "-F", "/dev/null", "-t", "-p", str(login.port), "-l", login.user]
    for name, value in options.items():
        argv += ["-o", f"{name}={value}"]
    for key in (*keys.open, *keys.locked):
        argv += ["-o", f"IdentityFile={_path(key)}"]
    argv += ["--", login.host, begin(machine, login.user, variables)]
    names = (*_OURS, "SSH_AUTH_SOCK") if ask_agent else _OURS
    return Terminal(tuple(argv), tuple((name, os.environ[name]) for name in names if name in os.environ))


def begin(machine: str, user: str, variables: Mapping[str, str]) -> str:
    """The command line that becomes the shell, for the shell that a login there gets."""
    environment = layout.environment(machine, {**variables, "PS1": f"{machine}$ "})
    words = [f"{name}={value}" for name, value in environment.items()]
    sudo = () if user == "root" else ("sudo", "-n")
    return shlex.join([*sudo, "/bin/sh", "-c", _BEGIN, "rwk", layout.DISK, *words])


def write_known(file: Path, machine: str, keys: Sequence[str]) -> None:
    """Write the keys that the machine is known by so that ssh can read them. Raises LabError, also for no keys."""
    if not keys:
        raise LabError(f"{machine} has shown no host key yet, so who answers there can't be told")
    text = "".join(f"{machine} {key}\n" for key in keys)
    try:
        make_private(file.parent)
        write_whole(file, text.encode())
    except OSError as error:
        raise LabError(f"can't write the host key to {file}: {error.strerror}") from error


def _path(path: Path) -> str:
    """A path as the value of an option, where quotation marks, backslashes and percent signs mean something."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{text}"'
