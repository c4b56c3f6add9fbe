"""A hosts file in the words of OpenSSH, such as `vagrant ssh-config` prints."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from rwk_tui.board.targets import MACHINES
from rwk_tui.lab.ssh.entry import Entry
from rwk_tui.settings import BadInput

_BLOCK = re.compile(r"\s*(host|match)\s+[^=\s]", re.IGNORECASE)
_OURS = {"hostname": "host", "user": "user", "port": "port", "identityfile": "key"}
_ELSEWHERE = ("proxyjump", "proxycommand", "include", "certificatefile", "pkcs11provider", "bindaddress")


def looks_like_openssh(text: str) -> bool:
    """Whether the first line that says something begins like that of an OpenSSH configuration."""
    said = next((line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")), "")
    words = said.split(None, 1)
    return bool(_BLOCK.match(said)) or (bool(words) and words[0].lower() in (*_OURS, *_ELSEWHERE) and "=" not in said)


def parse_openssh(text: str, file: Path) -> dict[str, Entry]:
    """What it says of each machine: the first that says something wins, keys add up. Raises BadInput.

    Words that only say how SSH is spoken count for nothing; such as lead elsewhere can't be followed.
    """
    values: dict[str, dict[str, Any]] = {}
    lines: dict[str, dict[str, int]] = {}
    begins: dict[str, int] = {}
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
            named = list(MACHINES) if rest == ["*"] else [name for name in MACHINES if name in rest]
            for machine in named if rest != ["*"] else []:
                begins.setdefault(machine, number)
            continue
        if not named:
            continue
        if key in _ELSEWHERE:
            raise BadInput(f"{file}:{number}: {words[0]} can't be followed here; hosts must be reached without")
        if key in _OURS:
            for machine in named:
                note(machine, _OURS[key], rest[0], number)
    return {
        machine: Entry(file, machine, line, {"host": machine, **values.get(machine, {})}, lines.get(machine, {}))
        for machine, line in begins.items()
    }
