"""How numbers are written on the screen: ages, latencies, sizes, counts."""

from __future__ import annotations

import time


def age(seconds: float) -> str:
    """How long ago, in whole steps that change seldom: "4 s", "3 min", "2 h"."""
    whole = max(0, int(seconds))
    if whole < 100:
        return f"{whole} s"
    if whole < 6000:
        return f"{whole // 60} min"
    return f"{whole // 3600} h"


def minutes(seconds: float) -> str:
    """How long something still takes, as well as that is ever known: "under a minute", "about 14 min"."""
    return "under a minute" if seconds < 50 else f"about {max(1, round(seconds / 60))} min"


def latency(milliseconds: float) -> str:
    """A latency in three digits: "0.4 ms", "12 ms", "1.2 s"."""
    if milliseconds < 10:
        return f"{milliseconds:.1f} ms"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.1f} s"


def size(count: int) -> str:
    """A size in decimal units: "640 B", "20 kB", "2.1 MB"."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit in ("B", "kB") else f"{value:.1f} {unit}"


def number(count: int) -> str:
    """A count with its thousands apart: "1 812"."""
    return f"{count:,}".replace(",", " ")


def day(at: float) -> str:
    """A date in local time."""
    return time.strftime("%Y-%m-%d", time.localtime(at))


def running(seconds: float) -> str:
    """How far a recording has run: "0:07", "12:30", "1:02:03"."""
    whole = max(0, int(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def clock(at: float, *, seconds: bool = True) -> str:
    """A time of day in local time."""
    return time.strftime("%H:%M:%S" if seconds else "%H:%M", time.localtime(at))
