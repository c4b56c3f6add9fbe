"""How durations, numbers and lists are said, the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence


def seconds(milliseconds: float) -> str:
    """A duration for people: "80 ms", "1.36 s", "12.3 s", "2 min 5 s"."""
    if milliseconds < 100:
        return f"{milliseconds:.0f} ms"
    whole = milliseconds / 1000
    if whole < 10:
        return f"{whole:.2f} s"
    if whole < 60:
        return f"{whole:.1f} s"
    return f"{int(whole) // 60} min {int(whole) % 60} s"


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 member", "3 members"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def listed(names: Sequence[str]) -> str:
    """The names as in a sentence: "core-01, core-02 and core-03"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
