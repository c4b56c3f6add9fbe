"""How durations, numbers and lists are said, the same everywhere, and how foreign text is made fit to be said."""

from __future__ import annotations

import re
from collections.abc import Sequence

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, cursor movements
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles, links and other strings
    r"|\x1b[ -/]*[0-~]?"
)
# Control characters, and what turns or hides the text around it (bidirectional overrides, zero-width marks).
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


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


def stood_still(milliseconds: float) -> str:
    """What follows a time that was measured while this computer stood still for so much of it; "" for no time."""
    return f", this computer stood still for {seconds(milliseconds)} in it" if milliseconds else ""


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 member", "3 members"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def listed(names: Sequence[str]) -> str:
    """The names as in a sentence: "core-01, core-02 and core-03"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def clean(text: str) -> str:
    """Foreign text made harmless: one line, no escape sequences, no control characters, tabs as spaces."""
    if text.isprintable():  # None of what follows is; and most of what is painted is our own.
        return text
    text = text.rstrip("\r\n")
    if "\r" in text:
        text = text.rpartition("\r")[2]  # What a terminal would show of a progress bar is its last state.
    text = _ESCAPES.sub("", text).expandtabs(8).replace("\n", " ")
    return _CONTROLS.sub("", text)
