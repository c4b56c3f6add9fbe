"""One line of a unit's log for the screen: structured ones are put in order, all others stay as they are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from rwk_tui.cockpit import units
from rwk_tui.cockpit.text import Line, Span, Tone, clean, line

LEVELS: dict[str, tuple[str, Tone]] = {
    "debug": ("debug", "muted"),
    "info": ("info ", "muted"),
    "warn": ("warn ", "warn"),
    "error": ("error", "bad"),
    "panic": ("panic", "bad"),
    "fatal": ("fatal", "bad"),
}


def log_line(text: str) -> Line:
    """The line with time, level and message first, where it is JSON that has them; nothing of it is left out."""
    if text.startswith("{"):
        try:
            fields = msgspec.json.decode(text)
            return _structured(fields)
        except (msgspec.DecodeError, KeyError, TypeError, ValueError):
            pass  # Then it only looks like one of ours.
    return line(clean(text))


def _structured(fields: dict[str, Any]) -> Line:
    at = datetime.fromisoformat(fields.pop("ts")).timestamp()
    word, tone = LEVELS[fields.pop("level")]
    message = clean(str(fields.pop("msg")))
    rest = "  ".join(f"{name}={value if isinstance(value, str) else _short(value)}" for name, value in fields.items())
    return (
        Span(f"{units.clock(at)} ", "muted"),
        Span(f"{word} ", tone),
        Span(message, "plain" if tone == "muted" else tone),
        Span(f"  {clean(rest)}" if rest else "", "muted"),
    )


def _short(value: object) -> str:
    return msgspec.json.encode(value).decode()


def from_column(parts: Line, column: int) -> Line:
    """The line without its first characters."""
    if not column:
        return parts
    left: list[Span] = []
    for span in parts:
        if column < len(span.text):
            left.append(span._replace(text=span.text[column:]))
        column = max(0, column - len(span.text))
    return tuple(left)
