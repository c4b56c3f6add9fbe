"""From when a change is measured: the moment of the disturbance, where one is known."""

from __future__ import annotations

from dataclasses import dataclass

from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import MachineRow, UnitRow
from rwk_tui.watch.expected import Expected

TOLERANCE = 2.0
"""Seconds that a last sign of life may seem younger than what ended it: clocks differ, and messages are under way."""
PROBED = 0.25
"""Seconds by which the lab may learn late that a unit ended."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was hit (unix, s), whether that is known rather than inferred, and how finely (ms)."""

    at: float
    exact: bool
    resolution_ms: float

    @property
    def words(self) -> str:
        """What is measured from: "7.8 s after …"."""
        return "it was hit" if self.exact else "its last sign of life"


class Moments:
    """Finds moments among what the presenter did and what machines and units say of themselves."""

    def __init__(self, hub: Hub, expected: Expected) -> None:
        self._hub = hub
        self._expected = expected

    def hit(self, machine: str, unit: str, last_sign: float, now: float) -> Moment:
        """When that unit of that machine was hit, given its last sign of life (unix, s); that sign if nothing is known.

        A moment before the last sign can't have been what ended it.
        """
        board = self._hub.board
        known = [Moment(self._expected.disturbed(machine), True, 10.0)]
        host = board.get(MachineRow, f"machine/{machine}")
        if host is not None and host.power in ("off", "gone", "halted"):
            known.append(Moment(host.since, True, PROBED * 1000))
        row = board.get(UnitRow, f"unit/{machine}/{unit}")
        if row is not None and row.state in ("failed", "stopped"):
            known.append(Moment(row.since, True, PROBED * 1000))
        found = [moment for moment in known if last_sign - TOLERANCE <= moment.at <= now and moment.at > 0]
        if found:
            return min(found, key=lambda moment: moment.at)
        return Moment(last_sign or now, False, 1000.0)
