"""Finding words in lines of a log, and marking them where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from rwk_tui.cockpit.text import Line, Span, plain


def places(text: str, typed: str) -> list[int]:
    """Where what was typed begins in a text; capitals count only if some were typed, as in less and vim."""
    if not typed:
        return []
    if typed == typed.lower():
        text = text.lower()
    found: list[int] = []
    at = text.find(typed)
    while at >= 0:
        found.append(at)
        at = text.find(typed, at + len(typed))
    return found


def hits(lines: Iterable[Line], typed: str) -> list[int]:
    """The numbers of the lines that have it; none where nothing was typed."""
    return [number for number, parts in enumerate(lines if typed else ()) if places(plain(parts), typed)]


def marked(parts: Line, typed: str, *, current: bool) -> Line:
    """The line with what was typed marked wherever it stands; on the `current` line it can't be overlooked."""
    found = places(plain(parts), typed)
    if not found:
        return parts
    edges = sorted({edge for at in found for edge in (at, at + len(typed))})
    marked: list[Span] = []
    begins = 0
    for span in parts:
        ends = begins + len(span.text)
        cuts = [begins, *(edge for edge in edges if begins < edge < ends), ends]
        for left, right in pairwise(cuts):
            within = any(at <= left < at + len(typed) for at in found)
            text = span.text[left - begins : right - begins]
            marked.append(Span(text, ("cursor" if current else "key") if within else span.tone))
        begins = ends
    return tuple(span for span in marked if span.text)


def nearest(found: Sequence[int], line: int, *, down: bool) -> int:
    """Which of the hits comes next from that line on, going on at the other end; -1 if there is none."""
    if not found:
        return -1
    if down:
        return next((number for number, at in enumerate(found) if at >= line), 0)
    return next((number for number in range(len(found) - 1, -1, -1) if found[number] <= line), len(found) - 1)
