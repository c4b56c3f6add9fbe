"""How a unit is written down on its machine's disk: its spec, and whether it is wanted."""

from __future__ import annotations

from pathlib import Path

from rwk_tui.lab.host.disk import read_json, write_json
from rwk_tui.lab.protocol import LabError, Listen, UnitSpec


def read_unit(file: Path, name: str) -> tuple[UnitSpec | None, bool]:
    """Spec and whether it is wanted; (None, False) if there is no such file. Raises LabError if it is damaged."""
    entry = read_json(file)
    if not entry:
        return None, False
    try:
        spec = UnitSpec(
            name=name,
            argv=tuple(str(word) for word in entry["argv"]),
            environment=tuple((str(variable), str(value)) for variable, value in entry["environment"]),
            listens=tuple(Listen(int(port), *map(bool, rest)) for port, *rest in entry["listens"]),
            after=tuple(str(unit) for unit in entry.get("after", ())),
        )
        return spec, bool(entry["wanted"])
    except (KeyError, TypeError, ValueError) as error:
        raise LabError(f"{file} is damaged; reset the lab") from error


def write_unit(file: Path, spec: UnitSpec, wanted: bool) -> None:
    """Write both. Raises LabError."""
    write_json(
        file,
        {
            "argv": spec.argv,
            "environment": spec.environment,
            "listens": [(listen.port, listen.public, listen.bound) for listen in spec.listens],
            "after": spec.after,
            "wanted": wanted,
        },
    )
