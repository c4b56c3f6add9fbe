"""Which etcd is good enough for what this tool promises, said in one line."""

from __future__ import annotations

NEWER = "`rwk-tui engines install etcd --from go` builds a newer one"


def parse_version(text: str) -> tuple[int, int, int]:
    """The three numbers of "3.7.3" or "3.7.3-rc.1"; raises ValueError for anything else."""
    major, minor, patch = text.split("-")[0].split("+")[0].split(".")
    return int(major), int(minor), int(patch)


def verdict(version: str) -> str:
    """Why this version is not good enough, or "" if it is."""
    number = parse_version(version)
    if number < (3, 4, 0):
        return f"too old: chapters need 3.4.22 or newer; {NEWER}"
    if number < (3, 4, 22):
        return f"has durability bugs that 3.4.22 fixed; {NEWER}"
    if (3, 5, 0) <= number <= (3, 5, 2):
        return f"can lose consistency when killed under load; fine to look around; {NEWER}"
    if (3, 5, 3) <= number <= (3, 5, 5):
        return f"has durability bugs that 3.5.6 fixed; {NEWER}"
    return ""
