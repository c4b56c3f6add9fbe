"""Which etcd runs on a machine."""

from __future__ import annotations

import re

from rwk_tui.cluster.ops import ask
from rwk_tui.lab.protocol import LabError, Machine

Version = tuple[int, ...]


def read_version(text: str) -> Version:
    """The first dotted number in a text, such as (3, 7, 3); LabError if there is none."""
    found = re.search(r"\d+(?:\.\d+)+", text)
    if found is None:
        raise LabError(f"no version in {text!r}")
    return tuple(int(part) for part in found.group().split("."))


async def etcd_version(machine: Machine) -> Version:
    """The version of the etcd that this machine's units would run."""
    result = await ask(machine, ("etcd", "--version"))
    if result.exit_code != 0:
        raise LabError(f"etcd --version failed on {machine.name}")
    return read_version(result.stdout)
