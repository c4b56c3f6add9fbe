"""Small pictures of numbers in one line of text."""

from __future__ import annotations

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int) -> str:
    """The newest `width` values as bars; the tallest one stands for the largest, or for 1 if all are smaller.

    A floor for the top keeps noise of fractions of a millisecond from looking like mountains.
    """
    shown = values[-width:] if width > 0 else ()
    top = max(1.0, *shown) if shown else 1.0
    return "".join(BARS[min(len(BARS) - 1, int(max(0.0, value) / top * (len(BARS) - 1) + 0.5))] for value in shown)


def share(good: int, bad: int) -> str:
    """One second of writes as a bar: full when all were acknowledged, flat when none was."""
    if good == 0:
        return BARS[0]
    if bad == 0:
        return BARS[6]
    return BARS[1 + min(4, int(good / (good + bad) * 5))]
