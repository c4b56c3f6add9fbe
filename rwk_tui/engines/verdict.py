"""Which engine is good enough for what this tool promises, and which go together, said in one line."""

from __future__ import annotations

NEWER = "`rwk-tui engines install etcd` gets a newer one"
_OLDEST = {"kubernetes": (1, 31, 0), "kwok": (0, 6, 0)}


def parse_version(text: str) -> tuple[int, int, int]:
    """The three numbers of "3.7.3" or "3.7.3-rc.1"; raises ValueError for anything else."""
    major, minor, patch = text.split("-")[0].split("+")[0].split(".")
    return int(major), int(minor), int(patch)


def minor_of(version: str) -> str:
    """The minor of a version: "1.37" of "1.37.2"."""
    major, minor, _ = parse_version(version)
    return f"{major}.{minor}"


def verdict(version: str) -> str:
    """Why this version of etcd is not good enough, or "" if it is."""
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


def too_old(upstream: str, version: str) -> str:
    """Why this version of Kubernetes or kwok can't be used at all, or "" if it can."""
    oldest = _OLDEST.get(upstream)
    if oldest is None or parse_version(version) >= oldest:
        return ""
    words = f"{oldest[0]}.{oldest[1]}"
    return f"too old: chapters need {words} or newer; `rwk-tui engines install {upstream}` gets one"


def bad_pair(etcd: str, kubernetes: str) -> str:
    """Why this Kubernetes can't stand on this etcd, or "" if it can: 1.31 to 1.33 need 3.5.24, later ones 3.6."""
    needed, words = ((3, 6, 0), "3.6") if parse_version(kubernetes) >= (1, 34, 0) else ((3, 5, 24), "3.5.24")
    if parse_version(etcd) >= needed:
        return ""
    return f"Kubernetes {kubernetes} needs etcd {words} or newer, but {etcd} is used; {NEWER}"
