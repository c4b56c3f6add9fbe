"""What a fault is aimed at: the machines in a target, and how it is said to people.

A target is one machine ("core-01"), a unit on it ("core-01/etcd"), a direction ("core-01>core-02"), several machines
("core-01+core-02"), groups that are apart ("core-01|core-02+core-03"), all of them ("all"), or who leads ("leader").
"""

from __future__ import annotations

import re

MACHINES = ("core-01", "core-02", "core-03")
"""The machines of every lab."""
ALL, LEADER = "all", "leader"
"""The targets that mean every machine, and whatever machine leads etcd when the fault is injected."""
EVERY = {ALL: "every machine", LEADER: "the leader"}
"""The targets that name nobody, in words."""


def target_machines(target: str) -> tuple[str, ...]:
    """The machines that a target names, each once, in its order; () where it names none."""
    if target in EVERY:
        return ()
    return tuple(dict.fromkeys(part.partition("/")[0] for part in re.split(r"[+>|]", target)))


def target_words(target: str) -> str:
    """A target for people: "etcd on core-01", "core-01 → core-02, core-03", "core-01 and core-02"."""
    if target in EVERY:
        return EVERY[target]
    if ">" in target:
        return " → ".join(_listed(side) for side in target.split(">"))
    if "|" in target:
        return " apart from ".join(_listed(side) for side in target.split("|"))
    *first, last = (_part(part) for part in target.split("+"))
    return f"{', '.join(first)} and {last}" if first else last


def confirmation(target: str) -> str:
    """What is typed to confirm that this target is hit: the names of its machines, joined by "+"."""
    return "+".join(target_machines(target)) or target


def _listed(side: str) -> str:
    return ", ".join(_part(part) for part in side.split("+"))


def _part(part: str) -> str:
    machine, _, unit = part.partition("/")
    return f"{unit} on {EVERY.get(machine, machine)}" if unit else machine
