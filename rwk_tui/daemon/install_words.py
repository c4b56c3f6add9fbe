"""What a run without a screen tells of the engines that it gets: as values, in words for people, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from rwk_tui.daemon.engines import called
from rwk_tui.engines.room import size

Stage = Literal["begins", "installing", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class Due:
    """An engine that will be got before a chapter: about how long that takes (s), and what stays on disk (bytes)."""

    engine: str
    version: str
    before: str
    seconds: float
    size: int


@dataclass(frozen=True, slots=True)
class Getting:
    """How far one engine is: `done` from 0 to 1, `left_s` about how long it still takes, `seconds` since it began."""

    engine: str
    version: str
    stage: Stage
    done: float = 0.0
    left_s: float = 0.0
    seconds: float = 0.0
    text: str = ""

    @property
    def name(self) -> str:
        """What people call it: "Kubernetes 1.37.2"."""
        return f"{called(self.engine.partition('-')[0])} {self.version}"


def plan_words(dues: Sequence[Due]) -> str:
    """All that will be got, in one line."""
    parts = [
        f"{' and '.join(called(due.engine) for due in together)} before {chapter}"
        for chapter, together in groupby(dues, key=lambda due: due.before)
    ]
    total, stays = sum(due.seconds for due in dues), sum(due.size for due in dues)
    cost = f"{about(total)} in all, less where it can be downloaded; {size(stays // 1_000_000)} stay on disk"
    return f"to get: {', '.join(parts)}: {cost}"


def plan_values(dues: Sequence[Due]) -> dict[str, Any]:
    """The same for JSON: seconds and bytes."""
    engines = [
        {
            "engine": due.engine,
            "version": due.version,
            "before": due.before,
            "seconds": round(due.seconds),
            "size": due.size,
        }
        for due in dues
    ]
    return {"engines": engines, "seconds": round(sum(due.seconds for due in dues))}


def getting_words(getting: Getting) -> str:
    """How far it is, in one line; "" for a failure, which is said on stderr."""
    match getting.stage:
        case "begins":
            return f"getting {getting.name}: {about(getting.left_s)}"
        case "installing":
            text = f" · {getting.text}" if getting.text else ""
            return f"  {getting.name}: {getting.done:.0%}, {about(getting.left_s)} left{text}"
        case "ready":
            return f"✓ {getting.name} is here after {took(getting.seconds)}"
        case "failed":
            return ""


def getting_values(getting: Getting) -> dict[str, Any]:
    """The same for JSON, in the words of `engines install --json`, and the seconds since it began."""
    return {
        "engine": getting.engine,
        "version": getting.version,
        "state": "installing" if getting.stage == "begins" else getting.stage,
        "done": round(getting.done, 4),
        "left_s": round(getting.left_s),
        "seconds": round(getting.seconds, 3),
        "text": getting.text,
    }


def about(seconds: float) -> str:
    """A time that is not known well: "under a minute", "about 14 min"."""
    return "under a minute" if seconds < 50 else f"about {round(seconds / 60)} min"


def took(seconds: float) -> str:
    """A time that was measured: "48 s", "13 min 20 s"."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
