"""The file that says where the hosts are, read and checked: TOML of our own, or what `ssh -F` reads."""

from __future__ import annotations

import getpass
import os
import re
import stat
import tomllib
from dataclasses import dataclass
from pathlib import Path

from rwk_tui.board.targets import MACHINES
from rwk_tui.lab.remote.keys import has_agent, is_locked, unlock
from rwk_tui.lab.remote.login import Login
from rwk_tui.lab.ssh.entry import Entry
from rwk_tui.lab.ssh.openssh import looks_like_openssh, parse_openssh
from rwk_tui.settings import BadInput, Settings

_HUGE = 100_000
_EXAMPLE = '[core-01] with host = "10.0.0.11" below it, and so on to [core-03]'
_KEYS = ("host", "user", "port", "key", "address", "host_key")
_USUAL_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")


@dataclass(frozen=True, slots=True)
class Host:
    """One host: how to log in, and the IPv4 address under which the other hosts and the presenter reach it."""

    login: Login
    address: str


def read_hosts(settings: Settings) -> dict[str, Host]:
    """The hosts by machine. Raises BadInput with file and line."""
    file = settings.hosts
    if file is None:
        raise BadInput(f"the backend ssh needs --hosts FILE (RWK_HOSTS), which says {_EXAMPLE}")
    text = _read(file)
    entries = parse_openssh(text, file) if looks_like_openssh(text) else _parse_toml(text, file)
    missing = [machine for machine in MACHINES if machine not in entries]
    if missing:
        raise BadInput(f"{file}: does not say where {' and '.join(missing)} is; it needs {_EXAMPLE}")
    hosts: dict[str, Host] = {}
    for machine in MACHINES:
        entry = entries[machine]
        host = _host(entry)
        for other, earlier in hosts.items():
            if (earlier.login.host, earlier.login.port) == (host.login.host, host.login.port):
                raise entry.bad("host", f"is at {host.login}, and so is {other}: three different hosts are needed")
            if earlier.address == host.address:
                raise entry.bad("address", f"has the address {host.address}, and so has {other}")
        hosts[machine] = host
    return hosts


def _host(entry: Entry) -> Host:
    where = entry.host()
    login = Login(
        host=where,
        port=entry.port(),
        user=entry.user(getpass.getuser()),
        keys=entry.keys(tuple(key for name in _USUAL_KEYS if (key := Path.home() / ".ssh" / name).is_file())),
        host_keys=entry.host_keys(),
        agent="key" not in entry.values,
    )
    if not has_agent():
        if not login.keys:
            raise entry.no_key()
        if all(is_locked(key) for key in login.keys):
            raise entry.bad("key", unlock(login.keys))
    return Host(login, entry.address(where))


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise BadInput(f"{file}: is no regular file")
            content = opened.read(_HUGE + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{file}:{line}: is not UTF-8 text") from None
    if len(content) > _HUGE:
        raise BadInput(f"{file}: is larger than {_HUGE} bytes, so it is no hosts file")
    if not text.strip():
        raise BadInput(f"{file}: is empty; it needs {_EXAMPLE}")
    return text


def _parse_toml(text: str, file: Path) -> dict[str, Entry]:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = found[1] if found else len(text.splitlines())
        raise BadInput(f"{file}:{line}: {re.sub(r' *[(]at .*', '', str(error))}") from None
    except (RecursionError, ValueError) as error:  # nested by the thousand, numbers of thousands of digits
        raise BadInput(f"{file}: {' '.join(str(error).split())}") from None
    entries = {}
    for name, table in tables.items():
        begins, lines = _lines(text, name)
        where = f"{file}:{begins}"
        if name not in MACHINES or not isinstance(table, dict):
            raise BadInput(f"{where}: there is no machine {name!r}; a hosts file is {_EXAMPLE}")
        for key in table:
            if key not in _KEYS:
                raise BadInput(
                    f"{file}:{lines.get(key, begins)}: {name}: there is no {key!r}; there are {', '.join(_KEYS)}"
                )
        entries[name] = Entry(file, name, begins, table, lines)
    return entries


def _lines(text: str, name: str) -> tuple[int, dict[str, int]]:
    """Where a table begins and its keys stand, counted from 1. tomllib keeps no positions, so they are looked for."""
    begins, lines, inside = 0, dict[str, int](), False
    for number, line in enumerate(text.splitlines(), 1):
        heading = re.match(r"""\s*\[+\s*["']?([^\]"']*?)["']?\s*\]""", line)
        key = re.match(r"""\s*["']?([^\s"'=]+?)["']?\s*=""", line)
        if heading:
            inside = heading[1] == name
            begins = begins or (number if inside else 0)
        elif key and inside:
            lines.setdefault(key[1], number)
        elif key and key[1].partition(".")[0] == name:
            begins = begins or number
            lines.setdefault(key[1].partition(".")[2], number)
    return begins or 1, lines
