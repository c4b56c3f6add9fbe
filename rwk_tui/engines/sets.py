"""All engines of a lab at once: the default of each upstream, and every pinned minor that is there for upgrades."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rwk_tui.engines.ask import EngineError
from rwk_tui.engines.find import Engine, candidates, examine, find_engines
from rwk_tui.engines.pins import engine_pins
from rwk_tui.engines.upstreams import ETCD_PROGRAMS, UPSTREAMS, Upstream
from rwk_tui.engines.verdict import bad_pair, minor_of, too_old, verdict
from rwk_tui.settings import Settings


@dataclass(frozen=True, slots=True)
class EngineSet:
    """What a lab can run.

    `programs` has plain names ("etcd", "kube-apiserver") for the defaults, and names with a minor ("etcd-3.6/etcd") for
    each pinned minor that is there; `versions` goes by "etcd", "kubernetes", "kwok" and by minor. `missing` says in one
    line for each that can't be had why, and what to do; `verdicts` what is wrong with those that can be used anyway.
    """

    programs: Mapping[str, Path]
    versions: Mapping[str, str]
    missing: Mapping[str, str]
    verdicts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Whole:
    """All programs of one upstream, from one directory and of one version."""

    upstream: str
    version: str
    source: str
    programs: Mapping[str, Path]


def find_set(settings: Settings) -> EngineSet:
    """Everything that can be run here; raises EngineMissing or EngineError if even etcd can't."""
    etcd = find_engines(ETCD_PROGRAMS, settings)
    found = {name: find_wholes(upstream, settings) for name, upstream in UPSTREAMS.items()}
    programs: dict[str, Path] = {name: engine.path for name, engine in etcd.items()}
    versions = {"etcd": etcd["etcd"].version}
    missing: dict[str, str] = {}
    for name in ("kubernetes", "kwok"):
        wholes, problems = found[name]
        chosen, why = _choose(wholes, versions["etcd"])
        if chosen is not None:
            programs |= chosen.programs
            versions[name] = chosen.version
        else:
            missing[name] = why or next(iter(problems.values()), "") or _not_there(UPSTREAMS[name], name)
    for pin in engine_pins().values():
        wholes, problems = found[pin.engine]
        minor = next((whole for whole in wholes if f"{whole.upstream}-{minor_of(whole.version)}" == pin.name), None)
        if minor is not None:
            programs |= {f"{pin.name}/{program}": path for program, path in minor.programs.items()}
            versions[pin.name] = minor.version
        else:
            own = (text for place, text in problems.items() if place.name in (pin.name, pin.directory))
            missing[pin.name] = next(own, "") or _not_there(UPSTREAMS[pin.engine], pin.name)
    judged = {name: verdict(version) for name, version in versions.items() if name.startswith("etcd")}
    return EngineSet(programs, versions, missing, {name: text for name, text in judged.items() if text})


def find_wholes(upstream: Upstream, settings: Settings) -> tuple[list[Whole], dict[Path, str]]:
    """Every whole engine of an upstream, best first; and by directory, in one line, what is wrong with the others."""
    found: list[Whole] = []
    problems: dict[Path, str] = {}
    for source, path in candidates(upstream.programs[0], settings):
        try:
            found.append(_whole(upstream, source, path.parent, settings))
        except EngineError as error:
            problems[path.parent] = str(error)
    return found, problems


def _whole(upstream: Upstream, source: str, directory: Path, settings: Settings) -> Whole:
    extra = [name for name in upstream.extra if (directory / name).is_file()]
    engines: list[Engine] = []
    for name in (*upstream.programs, *extra):
        path = directory / name
        if not path.is_file():
            given = "; that directory was given with --engines or RWK_ENGINES" if source == "given" else ""
            raise EngineError(f"{directory} has no {name}, which belongs to {upstream.called}{given}")
        engines.append(examine(name, source, path, settings))
    odd = next((engine for engine in engines if engine.version != engines[0].version), None)
    if odd is not None:
        first = engines[0]
        raise EngineError(f"{odd.path} is {odd.version}, but {first.path} is {first.version}: they must be the same")
    return Whole(upstream.name, engines[0].version, source, {engine.name: engine.path for engine in engines})


def _choose(wholes: list[Whole], etcd: str) -> tuple[Whole | None, str]:
    """The best that can be used with this etcd, else why the best of them can't."""
    first = ""
    for whole in wholes:
        why = too_old(whole.upstream, whole.version)
        if not why and whole.upstream == "kubernetes":
            why = bad_pair(etcd, whole.version)
        elif why:
            why = f"{UPSTREAMS[whole.upstream].called} {whole.version} is {why}"
        if not why:
            return whole, ""
        first = first or why
    return None, first


def _not_there(upstream: Upstream, name: str) -> str:
    minor = name.partition("-")[2]
    return f"{upstream.called}{f' {minor}' if minor else ''} is not installed; `rwk-tui engines install {name}` gets it"
