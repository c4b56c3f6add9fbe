"""A hosts file in the words of OpenSSH, such as `vagrant ssh-config` prints."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rwk_tui.board.targets import MACHINES
from rwk_tui.lab.ssh.entry import Entry
from rwk_tui.settings import BadInput

_OURS = {"hostname": "host", "user": "user", "port": "port", "identityfile": "key"}
_ELSEWHERE = (
    "proxyjump",
    "proxycommand",
    "include",
    "certificatefile",
    "pkcs11provider",
    "bindaddress",
    "bindinterface",
    "canonicalizehostname",
)
_NOTHING = ("none", "no")
"""Values of these that lead nowhere else, and keep later ones from doing so."""


def looks_like_openssh(text: str) -> bool:
    """Whether the first line that says something begins like that of an OpenSSH configuration."""
    said = next((line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")), "")
    words = said.split(None, 1)
    if len(words) < 2 or words[0].startswith("["):
        return False
    return "=" not in said or (words[0].lower() in ("host", "match") and not words[1].startswith("="))


def parse_openssh(text: str, file: Path) -> dict[str, Entry]:
    """What it says of each machine: the first that says something wins, keys add up. Raises BadInput.

    A machine is there if a Host names it by more than the pattern that names all. Words that only say how SSH is spoken
    count for nothing; such as lead elsewhere can't be followed.
    """
    values: dict[str, dict[str, Any]] = {}
    lines: dict[str, dict[str, int]] = {}
    begins: dict[str, int] = {}
    direct: set[tuple[str, str]] = set()
    named = list(MACHINES)

    def note(machine: str, key: str, value: str, number: int) -> None:
        mine = values.setdefault(machine, {})
        lines.setdefault(machine, {}).setdefault(key, number)
        if key == "key":
            mine.setdefault(key, []).append(value)
        else:
            mine.setdefault(key, value)

    for number, line in enumerate(text.splitlines(), 1):
        try:
            words = shlex.split(line.replace("=", " ", 1) if re.match(r"\s*\w+\s*=", line) else line, comments=True)
        except ValueError:
            raise BadInput(f"{file}:{number}: a quotation mark is missing") from None
        if not words:
            continue
        key, rest = words[0].lower(), words[1:]
        if not rest:
            raise BadInput(f"{file}:{number}: {words[0]} without a value")
        if key == "match":
            raise BadInput(f"{file}:{number}: Match can't be followed here; say it under Host")
        if key == "host":
            named = [machine for machine in MACHINES if _names(rest, machine)]
            for machine in named:
                if _names([pattern for pattern in rest if pattern != "*"], machine):
                    begins.setdefault(machine, number)
            continue
        if key in _ELSEWHERE:
            led = [machine for machine in named if (machine, key) not in direct]
            if rest[0].lower() in _NOTHING:
                direct.update((machine, key) for machine in led)
            elif led:
                raise BadInput(f"{file}:{number}: {words[0]} can't be followed here; hosts must be reached without")
        elif key in _OURS and named:
            if re.search(r"%|\$\{", rest[0]):
                raise BadInput(f"{file}:{number}: {words[0]} {rest[0]}: say it here without % and ${{}}")
            for machine in named:
                note(machine, _OURS[key], rest[0], number)
    return {
        machine: Entry(
            file, machine, line, {"host": machine, **values.get(machine, {})}, lines.get(machine, {}), openssh=True
        )
        for machine, line in begins.items()
    }


def _names(patterns: Sequence[str], machine: str) -> bool:
    """Whether a Host line with these patterns is about it: one of them matches, and none with a "!" does."""
    matching = [pattern for pattern in patterns if _matches(pattern.removeprefix("!"), machine)]
    return bool(matching) and not any(pattern.startswith("!") for pattern in matching)


def _matches(pattern: str, machine: str) -> bool:
    """As OpenSSH does it: "*" and "?" are all that has a meaning."""
    regex = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(regex, machine) is not None
