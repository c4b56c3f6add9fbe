"""What changed a moment ago, so that the eye of the audience is led there."""

from __future__ import annotations

from collections.abc import Mapping

FRESH = 2.0
"""Seconds for which a change is marked."""

Facts = Mapping[str, object]
"""What is shown, by the name of the place where it is; equal values are no change."""


class Changes:
    """Compares each look with the one before; what is seen for the first time is no change."""

    def __init__(self) -> None:
        self._facts: Facts = {}
        self._at: dict[str, float] = {}

    def look(self, facts: Facts, now: float) -> frozenset[str]:
        """The names of what changed less than `FRESH` seconds before now (unix time, s)."""
        for name, fact in facts.items():
            if name in self._facts and self._facts[name] != fact:
                self._at[name] = now
        self._facts = facts
        return frozenset(name for name, at in self._at.items() if 0 <= now - at < FRESH)

    def forget(self) -> None:
        """Begin anew: what changed while nobody looked is no news."""
        self._facts, self._at = {}, {}
