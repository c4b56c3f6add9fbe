"""Who is switched on: kept on the presenter's own disk, so that it outlives the machines and us."""

from __future__ import annotations

import time
from pathlib import Path

from rwk_tui.board.rows import Power
from rwk_tui.board.targets import MACHINES
from rwk_tui.lab.host.disk import read_json, write_json


class Powers:
    """Which machine is in which state of power since when, on disk outside of the machines' own."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._powers: dict[str, tuple[Power, float]] = {}
        self._written = True
        self.load()

    def load(self) -> None:
        """Read what is on disk. Raises LabError if it is damaged."""
        entries = read_json(self._file)
        known: tuple[Power, ...] = ("up", "starting", "stopping", "halted", "off", "gone")
        for name in MACHINES:
            entry = entries.get(name, {})
            power: Power = next((power for power in known if power == entry.get("power")), "gone")
            self._powers[name] = (power, float(entry.get("since", 0.0)))

    def get(self, machine: str) -> tuple[Power, float]:
        """State and since when (unix time, s)."""
        return self._powers[machine]

    def set(self, machine: str, power: Power) -> None:
        """Write down a new state. Raises LabError if the disk refuses; the state in memory is then new all the same."""
        if self._powers[machine][0] != power:
            self._powers[machine] = (power, time.time())
            self._written = False
        self.save()

    def save(self) -> None:
        """Write what a disk refused before. Raises LabError."""
        if not self._written:
            write_json(self._file, {name: {"power": p, "since": s} for name, (p, s) in self._powers.items()})
            self._written = True
