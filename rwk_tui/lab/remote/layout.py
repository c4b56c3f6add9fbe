"""Where everything of ours lies on a machine, and what it is called there."""

from __future__ import annotations

import re

from rwk_tui.lab.protocol import LabError

ROOT = "/var/lib/rwk"
"""Ours, root's alone; nothing on the machine but it and the unit files is."""
MARKER = f"{ROOT}/.rwk-lab"
DISK = f"{ROOT}/disk"
"""What the lab calls the machine's disk: where units and commands are at home."""
ENGINES = f"{ROOT}/engines"
BIN = f"{ROOT}/bin"
STATE = f"{ROOT}/lab.json"
UNIT_FILES = "/etc/systemd/system"

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PATH = f"{BIN}:{SYSTEM_PATH}"

_HELPERS = ("balance",)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def can_be_unit(name: str) -> bool:
    """Whether a unit of ours can have that name."""
    return bool(_NAME.fullmatch(name)) and name not in _HELPERS


def service(name: str) -> str:
    """What systemd calls a unit of ours. Raises LabError if it can't be called so."""
    if not can_be_unit(name):
        raise LabError(f"{name!r} can't be the name of a unit")
    return f"rwk-{name}.service"


def unit_path(name: str) -> str:
    """Where its file lies."""
    return f"{UNIT_FILES}/{service(name)}"


def environment(machine: str, variables: dict[str, str]) -> dict[str, str]:
    """The environment of a program of the lab there: that of a fresh login, and `variables`."""
    return {"PATH": PATH, "HOME": DISK, "LANG": "C.UTF-8", "RWK_MACHINE": machine, **variables}
