"""The programs of the lab: those it was given by name, and those of the system."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from rwk_tui.lab.host.record import LAB_VARIABLE
from rwk_tui.lab.protocol import LabError

_SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin")


class Programs:
    """A name with a slash, such as "etcd-3.6/etcd", is another version; it is found by that name and no other."""

    def __init__(self, given: Mapping[str, Path]) -> None:
        self._given: Mapping[str, Path] = {}
        self.path = ""
        """What PATH holds."""
        self.provide(given)

    def provide(self, given: Mapping[str, Path]) -> None:
        """Have these in place of what was given before."""
        self._given = dict(given)
        self.path = os.pathsep.join([*map(str, _places(self._given)), *_SYSTEM_PATH])

    def environment(self, machine: str, home: Path, extra: Mapping[str, str], lab: Path) -> dict[str, str]:
        """The environment of a program of that `lab`: nothing of ours gets in but what a fresh login would have."""
        return {
            "PATH": self.path,
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "RWK_MACHINE": machine,
            **extra,
            LAB_VARIABLE: str(lab),  # last: what a crash leaves is told by it
        }

    def find(self, name: str, directory: Path, where: str) -> str:
        """The full path of a program, a relative one as from `directory`. Raises LabError if there is none."""
        if name in self._given:
            return str(self._given[name])
        found = shutil.which(str(directory / name) if "/" in name else name, path=self.path)
        if found is None:
            raise LabError(f"there is no program {name} {where}")
        return found


def _places(given: Mapping[str, Path]) -> list[Path]:
    """The directories of the plain names, in such an order that a shell finds what was given.

    Those of other versions stay out: they hold programs of the same plain names.
    """
    plain = {name: path for name, path in given.items() if "/" not in name}

    def hides(place: Path) -> int:
        """How many programs it has that are to come from elsewhere."""
        return sum(path.parent != place and (place / name).exists() for name, path in plain.items())

    return sorted(dict.fromkeys(path.parent for path in plain.values()), key=hides)
