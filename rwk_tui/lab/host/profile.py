"""The variables that every command of a place gets, as from the profile that a login reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rwk_tui.lab.host.disk import read_json, write_json


class Profile:
    """A file in that place; nothing is kept in memory, so it goes when its disk goes."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> dict[str, str]:
        """The variables, {} if none were ever written. Raises LabError if the file is damaged."""
        return {name: str(value) for name, value in read_json(self._file).items()}

    def write(self, variables: Mapping[str, str]) -> None:
        """Have these and no others. Raises LabError if the disk refuses."""
        write_json(self._file, dict(variables))
