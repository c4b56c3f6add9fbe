"""What the presenter just did: it is told once, in his name, and not a second time when a probe sees it."""

from __future__ import annotations

from collections.abc import Callable

PATIENCE = 6.0
"""Seconds within which the sight of an announced change counts as the announced one."""


class Expected:
    """Announced changes by subject and new state, and moments at which machines were disturbed on purpose."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._announced: dict[tuple[str, str], float] = {}
        self._disturbed: dict[str, float] = {}

    def announce(self, subject: str, state: str) -> None:
        """The presenter is about to bring `subject` (a row's key) into `state`."""
        self._announced[subject, state] = self._clock()

    def takes(self, subject: str, state: str) -> bool:
        """Whether that change was announced; each announcement counts once."""
        at = self._announced.pop((subject, state), None)
        return at is not None and self._clock() - at <= PATIENCE

    def disturb(self, machine: str, at: float) -> None:
        """The presenter hit that machine at that moment (unix, s)."""
        self._disturbed[machine] = at

    def disturbed(self, machine: str) -> float:
        """When that machine was last hit on purpose; 0 if never."""
        return self._disturbed.get(machine, 0.0)
