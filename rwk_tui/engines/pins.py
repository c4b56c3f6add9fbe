"""What can be built and with what: assets/engines/pins.toml as values."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rwk_tui.data import data_dir


@dataclass(frozen=True, slots=True)
class EnginePin:
    """One upstream module: its version, the directory of its go.mod, and the Go package of each of its programs.

    `minutes` (two cores, empty caches), `build_mb` and `keeps_mb` (disk while it builds, and after) are for people.
    """

    name: str
    version: str
    module: Path
    programs: Mapping[str, str]
    minutes: int
    build_mb: int
    keeps_mb: int


@dataclass(frozen=True, slots=True)
class GoPin:
    """The Go toolchain as a Python package: exact version and the hashes of all its wheels; sizes in MB."""

    package: str
    version: str
    hashes: tuple[str, ...]
    download_mb: int
    keeps_mb: int


def engine_pins() -> dict[str, EnginePin]:
    """What `engines install` can build, by name."""
    root, tables = _read()
    return {
        name: EnginePin(name=name, **{**table, "module": root / table["module"]})
        for name, table in tables.items()
        if name != "go"
    }


def go_pin() -> GoPin:
    """The Go toolchain for machines without one."""
    table = _read()[1]["go"]
    return GoPin(**{**table, "hashes": tuple(table["hashes"])})


def _read() -> tuple[Path, dict[str, dict[str, Any]]]:
    root = data_dir("assets") / "engines"
    return root, tomllib.loads((root / "pins.toml").read_text("utf-8"))
