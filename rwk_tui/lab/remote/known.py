"""Which units machines had when they were last asked: for who asks while they can't be."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from rwk_tui.lab.host.disk import read_json, write_json
from rwk_tui.lab.protocol import LabError


class Known:
    """The names of the units that come back with each machine, in a file of the presenter's."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._units = {name: tuple(map(str, units)) for name, units in read_json(file).items()}

    def units(self, machine: str) -> Sequence[str]:
        """Those of that machine, () if it has none."""
        return self._units.get(machine, ())

    def note(self, machine: str, units: Sequence[str]) -> None:
        """Write down what is new; where the disk refuses, it is known in memory only."""
        if tuple(units) != self._units.get(machine, ()):
            self._units[machine] = tuple(units)
            with contextlib.suppress(LabError):
                write_json(self._file, self._units)
