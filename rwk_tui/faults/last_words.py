"""Why etcd ended, or what it complains of, in its own words: from its log, which is a line of JSON an entry."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from rwk_tui.lab.protocol import Unit

STARTING = "starting an etcd server"
"""The entry with which each run of etcd begins."""
REMOVED = "permanently removed"
LINES = 600
"""Lines of a log that are looked through: a start or a panic takes some hundred."""
LONGEST = 240


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a log; `at` is unix time (s), 0 where it doesn't say, and `level` is "" where it is no JSON."""

    level: str
    text: str
    error: str = ""
    at: float = 0.0

    @property
    def words(self) -> str:
        """What went wrong, or else what it says."""
        return (self.error or self.text)[:LONGEST]


async def entries(unit: Unit) -> list[Entry]:
    """The newest entries of a unit's log, oldest first."""
    return [read_entry(line) async for line in unit.log(lines=LINES)]


async def last_words(unit: Unit) -> str:
    """Why the newest run of a unit ended, "" if its log does not tell."""
    return reason(await entries(unit))


def reason(log: Sequence[Entry]) -> str:
    """Why the newest run in that log ended, "" if it does not tell."""
    last = of_last_run(log)
    removed = (one for one in last if REMOVED in one.words)
    ends = (one for one in last if one.level in ("fatal", "panic") or one.text.startswith("panic:"))
    found = next(removed, None) or next(ends, None)
    if found is None:
        return ""
    both = f"{found.text}: {found.error}" if found.level == "panic" and found.error else found.words
    return both[:LONGEST]


def of_last_run(log: Sequence[Entry]) -> Sequence[Entry]:
    """The entries since etcd was started last."""
    begins = (number for number in reversed(range(len(log))) if log[number].text == STARTING)
    return log[next(begins, 0) :]


def complaint(log: Iterable[Entry], marks: Sequence[str], since: float) -> str:
    """The newest entry after `since` (unix, s) that has one of the marks, in its own words; "" if there is none."""
    found = ""
    for one in log:
        if one.at > since and any(mark in one.words for mark in marks):
            found = one.words
    return found


def read_entry(line: str) -> Entry:
    """One line of a log."""
    try:
        given: Any = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return Entry("", line.strip())
    if not isinstance(given, dict):
        return Entry("", line.strip())
    text, error = str(given.get("msg", "")), str(given.get("error", ""))
    return Entry(str(given.get("level", "")), text, error, _time(given.get("ts")))


def _time(given: object) -> float:
    if isinstance(given, int | float):
        return float(given)
    try:
        return datetime.datetime.fromisoformat(str(given).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 0.0
