"""Chapters from their files; whatever is wrong with one is told in one line with file, line and place."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from rwk_tui.board.targets import LEADER, confirmation, target_machines
from rwk_tui.engines.pins import engine_pins
from rwk_tui.faults.kinds import KINDS
from rwk_tui.settings import BadInput, Settings
from rwk_tui.story import variables
from rwk_tui.story.convert import WrongError, convert, part
from rwk_tui.story.etcd_schema import Aftermath, EtcdBackup, EtcdRestore, EtcdUpgrade
from rwk_tui.story.fault_schema import CardIs, FaultSeen, Inject
from rwk_tui.story.kube_schema import KubeUpgrade, is_kube
from rwk_tui.story.schema import (
    ACTIONS,
    CHECKS,
    MACHINES,
    Action,
    Chapter,
    Check,
    Part,
    Run,
    Starts,
    Step,
    Until,
)
from rwk_tui.story.words import in_words
from rwk_tui.story.yaml_lines import Document, Place, Value, YamlError, parse

LARGEST = 256 * 1024
LONGEST_WAIT = 3600.0
"""Seconds that a check may wait at most."""
UNIT_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
DEPLOYMENT_NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
MOST_PODS = 1000
NEEDS = re.compile(r"etcd >= \d+(\.\d+)*")


class _RawStep(Part, frozen=True, kw_only=True):
    title: str
    say: str = ""
    notes: str = ""
    do: tuple[Any, ...] = ()
    expect: tuple[Any, ...] = ()
    undo: tuple[Any, ...] = ()
    needs: str = ""


class _RawChapter(Part, frozen=True, kw_only=True):
    title: str
    goal: str
    starts: Any = None
    steps: tuple[Any, ...]


def load_chapter(path: Path) -> Chapter:
    """Read one chapter. Raises BadInput "FILE:LINE: PLACE: what is wrong"."""
    document = Document(None)
    try:
        document = parse(_read(path))
        return _chapter(path.stem, document.value)
    except YamlError as error:
        raise BadInput(f"{path}:{error.line}: {_words(error.place)}{error.what}") from error
    except WrongError as error:
        raise BadInput(f"{path}:{document.line(error.place)}: {_words(error.place)}{error.what}") from error


def load_chapters(settings: Settings) -> list[Chapter]:
    """The chapters that come with the program, and those of `settings.scenarios`, by name; the latter win."""
    from rwk_tui.data import data_dir

    found = {path.stem: path for path in _files(data_dir("scenarios"))}
    if settings.scenarios is not None:
        if not settings.scenarios.is_dir():
            raise BadInput(f"{settings.scenarios}: not a directory of chapters")
        found.update({path.stem: path for path in _files(settings.scenarios)})
    return [load_chapter(found[name]) for name in sorted(found)]


def _files(directory: Path) -> Iterator[Path]:
    return (path for path in sorted(directory.iterdir()) if path.suffix in (".yaml", ".yml"))


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise BadInput(f"{path}:1: file: {error.strerror or error}") from error
    if len(content) > LARGEST:
        raise BadInput(f"{path}:1: file: larger than {LARGEST // 1024} KiB")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{path}:{line}: file: not UTF-8 text") from error


def _words(place: Place) -> str:
    """A place as a person counts: `steps.2.do.1` is the first action of the second step."""
    text = ".".join(str(part + 1) if isinstance(part, int) else part for part in place)
    return f"{text or 'chapter'}: "


def _chapter(name: str, value: Value) -> Chapter:
    if value is None:
        raise WrongError((), "the file is empty")
    raw = convert(value, _RawChapter, ())
    starts = Starts() if raw.starts is None else convert(raw.starts, Starts, ("starts",))
    if not raw.title.strip():
        raise WrongError(("title",), "is empty")
    if not raw.steps:
        raise WrongError(("steps",), "a chapter needs at least one step")
    _check_starts(starts)
    steps = tuple(_step(step, ("steps", number)) for number, step in enumerate(raw.steps))
    return Chapter(name=name, title=raw.title, goal=raw.goal.strip(), starts=starts, steps=steps)


def _check_starts(starts: Starts) -> None:
    """Refuse a start that can't be built."""
    controllers = starts.controllers if starts.controllers is not None else starts.api
    for field, names in (
        ("etcd", starts.etcd),
        ("api", starts.api),
        ("controllers", controllers),
        ("workers", starts.workers),
    ):
        if len(set(names)) != len(names):
            raise WrongError(("starts", field), "a machine is named twice")
        down = [machine for machine in names if machine not in starts.machines]
        if down:
            raise WrongError(("starts", field), f"{down[0]} is named but not among the machines that are up")
    if starts.listen == "localhost" and len(starts.etcd) > 1:
        raise WrongError(("starts", "listen"), "only a single member can keep to localhost")
    if starts.api and not (starts.etcd and starts.secured and starts.listen == "everyone"):
        raise WrongError(("starts", "api"), "an API server needs etcd members that are open to all and `secured: true`")
    wanted = {"controllers": controllers, "workers": starts.workers, "deployments": tuple(starts.deployments)}
    for field, things in wanted.items():
        if things and not starts.api:
            raise WrongError(("starts", field), "that needs an API server (`api`)")
    alone = [machine for machine in controllers if machine not in starts.api]
    if alone:
        raise WrongError(("starts", "controllers"), f"{alone[0]} has no API server of its own to work through")
    for name, pods in starts.deployments.items():
        if not DEPLOYMENT_NAME.fullmatch(name):
            raise WrongError(("starts", "deployments", name), f"{name!r} can't be the name of a deployment")
        if not 0 <= pods <= MOST_PODS:
            raise WrongError(("starts", "deployments", name), f"must be a number of pods from 0 to {MOST_PODS}")
    upstreams = [_check_engine(engine, ("starts", "engines")) for engine in starts.engines]
    twice = [upstream for upstream in upstreams if upstreams.count(upstream) > 1]
    if twice:
        raise WrongError(("starts", "engines"), f"{twice[0]} is named twice")


def _check_engine(engine: str, place: Place, upstream: str = "") -> str:
    """The upstream of an engine, which must be `upstream` where that is given."""
    pins = engine_pins()
    if engine not in pins:
        raise WrongError(place, f"there is no engine {engine!r}; there are: {', '.join(pins)}")
    if upstream and pins[engine].engine != upstream:
        raise WrongError(place, f"{engine!r} is no engine of {upstream}")
    return pins[engine].engine


def _step(value: Any, place: Place) -> Step:
    raw = convert(value, _RawStep, place)
    if not raw.title.strip():
        raise WrongError((*place, "title"), "is empty")
    if raw.needs and not NEEDS.fullmatch(raw.needs):
        raise WrongError((*place, "needs"), f'{raw.needs!r} is not like "etcd >= 3.6"')
    return Step(
        title=raw.title,
        say=raw.say.strip(),
        notes=raw.notes.strip(),
        do=tuple(_action(item, (*place, "do", n)) for n, item in enumerate(raw.do)),
        expect=tuple(_check(item, (*place, "expect", n)) for n, item in enumerate(raw.expect)),
        undo=tuple(_action(item, (*place, "undo", n)) for n, item in enumerate(raw.undo)),
        needs=raw.needs,
    )


def _action(value: Any, place: Place) -> Action:
    verb, given = _verb(value, ACTIONS, "action", place)
    inside = (*place, verb)
    if verb == "until":
        return Action(verb=verb, what=Until(check=_check(given, inside)))
    what = part(given, ACTIONS[verb], inside)
    if isinstance(what, Run):
        try:
            words = shlex.split(what.command) if isinstance(what.command, str) else what.command
        except ValueError as error:
            raise WrongError((*inside, "command"), f"{str(error).lower()} in the command") from error
        if not words:
            raise WrongError((*inside, "command"), "the command is empty")
    _check_fields(what, inside)
    _check_variables(given, inside)
    return Action(verb=verb, what=what)


def _check(value: Any, place: Place) -> Check:
    within: float | None = None
    if isinstance(value, dict) and "within" in value and len(value) == 2:
        given = value["within"]
        if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given <= LONGEST_WAIT:
            raise WrongError((*place, "within"), f"must be a number of seconds from 0 to {LONGEST_WAIT:g}")
        within = float(given)
        value = {key: item for key, item in value.items() if key != "within"}
    verb, given = _verb(value, CHECKS, "check", place)
    what = part(given, CHECKS[verb], (*place, verb))
    said = [name for name in what.__struct_fields__ if name != "of" or is_kube(what)]  # whose canary says nothing yet
    if all(getattr(what, name) in (None, msgspec.UNSET) for name in said):
        raise WrongError((*place, verb), "says nothing to check")
    _check_fields(what, (*place, verb))
    _check_variables(given, (*place, verb))
    return Check(verb=verb, what=what, text=in_words(what), within=within)


def _verb(value: Any, verbs: Mapping[str, type[Part]], kind: str, place: Place) -> tuple[str, Any]:
    if isinstance(value, str):
        value = {value: None}
    if not isinstance(value, dict) or len(value) != 1:
        raise WrongError(place, f"one word with what belongs to it is needed, such as `{next(iter(verbs))}: …`")
    verb, given = next(iter(value.items()))
    if verb not in verbs:
        close = get_close_matches(verb, verbs, 1, 0.5)
        hint = f", did you mean {close[0]!r}?" if close else f"; there are: {', '.join(verbs)}"
        raise WrongError((*place, verb), f"unknown {kind} {verb!r}{hint}")
    return verb, given


def _check_fields(what: Part, place: Place) -> None:
    """Refuse what fits its type and still can't be meant: nothing to act on or to look for, no such unit or fault."""
    for name in ("on", "machines", "equal", "contains", "units"):
        if getattr(what, name, None) in ((), "", ("",)):
            raise WrongError((*place, name), "is empty")
    unit = getattr(what, "unit", None)
    if unit is not None and not UNIT_NAME.fullmatch(unit):
        raise WrongError((*place, "unit"), f"{unit!r} can't be the name of a unit")
    if isinstance(what, EtcdUpgrade | KubeUpgrade):
        _check_engine(what.to, (*place, "to"), "etcd" if isinstance(what, EtcdUpgrade) else "kubernetes")
    if isinstance(what, EtcdBackup | EtcdRestore) and not UNIT_NAME.fullmatch(what.name):
        raise WrongError((*place, "name"), f"{what.name!r} can't be the name of a backup")
    if isinstance(what, Aftermath) and what.backup and not UNIT_NAME.fullmatch(what.backup):
        raise WrongError((*place, "backup"), f"{what.backup!r} can't be the name of a backup")
    if isinstance(what, Inject | FaultSeen | CardIs) and what.fault not in KINDS:
        raise WrongError((*place, "fault"), f"there is no fault {what.fault!r}; there are: {', '.join(KINDS)}")
    if isinstance(what, Inject):
        _check_target(what, place)


def _check_target(what: Inject, place: Place) -> None:
    machines = target_machines(what.target) if what.target else ()
    for machine in machines:
        if machine != LEADER and machine not in MACHINES:
            raise WrongError((*place, "target"), f"there is no machine {machine!r}; there are: {', '.join(MACHINES)}")
    if KINDS[what.fault].confirm and (not machines or what.confirm != confirmation(what.target)):
        named = confirmation(what.target) if machines else "the machine's name"
        raise WrongError((*place, "confirm"), f"must be {named!r}, because something on its disk is destroyed")


def _check_variables(given: Any, place: Place) -> None:
    for inner, text in _strings(given, place):
        if why := variables.unknown(text):
            raise WrongError(inner, why)


def _strings(given: Any, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(given, str):
        yield place, given
    elif isinstance(given, dict):
        for key, item in given.items():
            yield from _strings(item, (*place, key))
    elif isinstance(given, list):
        for number, item in enumerate(given):
            yield from _strings(item, (*place, number))
