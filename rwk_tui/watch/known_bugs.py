"""Bugs of etcd that are known by name, with the versions that have them: what they break is no news, and no proof."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rwk_tui.board.board import Board
from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import MemberRow
from rwk_tui.engines.verdict import parse_version

Symptom = Literal["lost write", "unequal hashes", "revision went back"]
"""What can be seen of such a bug: an acknowledged write is lost, members store different things, a revision shrank."""


@dataclass(frozen=True, slots=True)
class KnownBug:
    """One bug: its name upstream, the first and the last version that has it, and what it makes to be seen."""

    issue: str
    first: tuple[int, int, int]
    last: tuple[int, int, int]
    symptoms: frozenset[Symptom]


KNOWN_BUGS = (
    # A member that is killed under load may forget how far it had come, and apply an entry twice or never.
    KnownBug("etcd#13766", (3, 5, 0), (3, 5, 2), frozenset({"lost write", "unequal hashes", "revision went back"})),
)
"""The one place that excuses anything: only a bug with a name, and only in the very versions that have it."""


def known_bug(symptom: Symptom, versions: Iterable[str]) -> str:
    """Which bug explains it where members of these versions run: "known of etcd 3.5.1: etcd#13766"; "" if none does.

    One member of such a version is enough: what it stores wrongly, it tells the others' clients.
    """
    for version in sorted(set(versions)):
        try:
            number = parse_version(version)
        except ValueError:
            continue  # a member that has not answered yet, or no release
        for bug in KNOWN_BUGS:
            if bug.first <= number <= bug.last and symptom in bug.symptoms:
                return f"known of etcd {version}: {bug.issue}"
    return ""


def versions_that_run(board: Board) -> list[str]:
    """The versions that the members of etcd have told; of one that does not answer now, what it told last."""
    return [row.version for row in board.rows(MemberRow) if row.version]


def tell_violation(hub: Hub, kind: str, text: str, subject: str, known: str) -> None:
    """Put on the timeline that something that must hold does not: loudly, unless it is `known` of a bug."""
    if known:
        hub.tell("known", f"{text}; {known}", level="warning", subject=subject)
    else:
        hub.tell(kind, text, level="bad", subject=subject)
