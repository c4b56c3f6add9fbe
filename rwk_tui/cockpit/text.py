"""Lines of text with tones: what every pane is painted from, without knowing how colours come about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from rich.cells import cell_len, set_cell_size

from rwk_tui.board.wording import clean as clean

Tone = Literal["plain", "strong", "muted", "good", "warn", "bad", "accent", "key", "code", "cursor", "replay"]


class Span(NamedTuple):
    """A run of text in one tone; `act` names the action that a click on it starts ("" for none).

    `thing` is the key of the row that it shows, where that can be picked ("" where not).
    """

    text: str
    tone: Tone = "plain"
    act: str = ""
    thing: str = ""


Line = tuple[Span, ...]

ELLIPSIS = "…"


def line(*parts: Span | str | tuple[str, Tone]) -> Line:
    """A line of its parts; plain strings are in the plain tone."""
    return tuple(_span(part) for part in parts)


def _span(part: Span | str | tuple[str, Tone]) -> Span:
    if isinstance(part, Span):
        return part
    return Span(part) if isinstance(part, str) else Span(part[0], part[1])


def about(thing: str, parts: Line) -> Line:
    """The line as one that shows that thing, so that it can be picked there."""
    return tuple(span._replace(thing=thing) for span in parts)


FADED: dict[Tone, Tone] = {"good": "muted", "accent": "muted", "strong": "muted"}
"""What a value that is not live any more is shown in."""


def fade(parts: Line) -> Line:
    """The line as one whose values are not live."""
    return tuple(span._replace(tone=FADED.get(span.tone, span.tone)) for span in parts)


def width_of(parts: Line) -> int:
    """How many cells a line takes."""
    return sum(cell_len(span.text) for span in parts)


def plain(parts: Line) -> str:
    """The text of a line without its tones."""
    return "".join(span.text for span in parts)


def cut(text: str, width: int) -> str:
    """The text in at most `width` cells, with an ellipsis where something was cut off."""
    if cell_len(text) <= width:
        return text
    if width <= 1:
        return ELLIPSIS[:width]
    return set_cell_size(text, width - 1).rstrip() + ELLIPSIS


def cell(text: str, width: int, *, right: bool = False) -> str:
    """The text in exactly `width` cells."""
    text = cut(text, width)
    room = " " * (width - cell_len(text))
    return room + text if right else text + room


def fit(parts: Line, width: int) -> Line:
    """The line in at most `width` cells, with an ellipsis where something was cut off."""
    if width_of(parts) <= width:
        return parts
    kept: list[Span] = []
    left = width
    for span in parts:
        size = cell_len(span.text)
        if size < left:
            kept.append(span)
            left -= size
            continue
        text = cut(span.text, left)
        if size == left:  # It would fit, but something follows it.
            text = cut(span.text + " ", left)
        kept.append(span._replace(text=text))
        break
    return tuple(kept)


def spread(left: Line, right: Line, width: int) -> Line:
    """One line with something at its left and something at its right end; the left part gives way."""
    right = fit(right, width)
    left = fit(left, max(0, width - width_of(right) - 1))
    return (*left, Span(" " * (width - width_of(left) - width_of(right))), *right)


def flow(label: str, entries: Sequence[Line], width: int, indent: int, gap: int = 3) -> list[Line]:
    """A label and entries side by side, on as many lines as they need; none is broken, each but the first indented."""
    lines: list[list[Span]] = []
    used = width
    for entry in entries:
        entry = fit(entry, max(1, width - indent))
        size = width_of(entry)
        if not lines or used + gap + size > width:
            lines.append([Span(cell("" if lines else label, indent), "muted")])
            used = indent
        else:
            lines[-1].append(Span(" " * gap))
            used += gap
        lines[-1].extend(entry)
        used += size
    return [tuple(spans) for spans in lines]


def wrap(parts: Line, width: int, hang: int = 0) -> list[Line]:
    """The line on as many lines as it needs, broken between words; lines after the first are indented by `hang`."""
    width = max(1, width)
    if width_of(parts) <= width:
        return [parts]
    hang = min(hang, max(0, width - 8))
    lines: list[list[Span]] = [[]]
    used = 0
    for word in _words(parts):
        size = cell_len(word.text)
        if used + cell_len(word.text.rstrip()) > width and used > (hang if len(lines) > 1 else 0):
            lines.append([Span(" " * hang)] if hang else [])
            used = hang
            if not word.text.strip():
                continue
        while used + size > width and word.text.strip():  # A word that is longer than a line breaks where it must.
            if cell_len(word.text.rstrip()) + used <= width:
                break
            head = _head(word.text, width - used)
            lines[-1].append(word._replace(text=head))
            word = word._replace(text=word.text[len(head) :])
            size = cell_len(word.text)
            lines.append([Span(" " * hang)] if hang else [])
            used = hang
        lines[-1].append(word)
        used += size
    return [_joined(spans, width) for spans in lines]


def _head(text: str, width: int) -> str:
    """As many of the first characters as fit, but one at least: a wide one must go somewhere."""
    end = 1
    while end < len(text) and cell_len(text[: end + 1]) <= width:
        end += 1
    return text[:end]


def _words(parts: Line) -> Iterator[Span]:
    """Pieces between which a line may break: after blanks, and after commas, for lists of endpoints know no blanks."""
    for span in parts:
        for word in re.findall(r"\s+|[^\s,]*,+|[^\s,]+\s*", span.text):
            yield span._replace(text=word)


def _joined(spans: Iterable[Span], width: int) -> Line:
    """Neighbours of one tone as one span, without blanks that stick out."""
    joined: list[Span] = []
    for span in spans:
        if joined and joined[-1][1:] == span[1:]:
            joined[-1] = span._replace(text=joined[-1].text + span.text)
        else:
            joined.append(span)
    over = width_of(tuple(joined)) - width
    if over > 0 and joined:
        text = joined[-1].text
        joined[-1] = joined[-1]._replace(text=text[: max(len(text.rstrip()), len(text) - over)])
    return tuple(joined)
