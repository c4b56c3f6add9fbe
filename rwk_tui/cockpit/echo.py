"""The keys that were pressed last, for an audience that sees hands but no keyboard."""

from __future__ import annotations

from collections import deque

import msgspec

from rwk_tui.cockpit.text import Line, Span, fit

KEPT = 3
"""Keys that are told at once."""
SHOWN = 8.0
"""Seconds for which a key is told."""


class Press(msgspec.Struct, frozen=True):
    """One action that was started: its key as people read it ("" for the mouse), its label, when (unix time, s)."""

    key: str
    label: str
    at: float


class Echo:
    """Remembers the newest presses."""

    def __init__(self) -> None:
        self._presses: deque[Press] = deque(maxlen=KEPT)

    def heard(self, press: Press) -> None:
        """A key was pressed."""
        self._presses.append(press)

    def presses(self, now: float) -> tuple[Press, ...]:
        """Those that are still worth telling, the newest last."""
        return tuple(press for press in self._presses if now - press.at < SHOWN)


def echo_line(presses: tuple[Press, ...], width: int) -> Line:
    """Keys with what they do; all but the newest step back."""
    spans: list[Span] = []
    for press in presses:
        last = press is presses[-1]
        if spans:
            spans.append(Span("   "))
        if press.key:
            spans.append(Span(f" {press.key} ", "cursor" if last else "muted"))
        spans.append(Span(f" {press.label}", "strong" if last else "muted"))
    return fit(tuple(spans), width)
