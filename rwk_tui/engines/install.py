"""Install engines into the cache, each as a whole or not at all, from the first source that can."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from rwk_tui.engines.alone import alone, terminate_as_interrupt, work_directory
from rwk_tui.engines.ask import EngineError, ask_version
from rwk_tui.engines.build import GO_CACHES, GoSource
from rwk_tui.engines.cache import known_version, open_cache, write_manifest
from rwk_tui.engines.download import PARTIAL, DownloadSource
from rwk_tui.engines.pins import EnginePin, choose_pins
from rwk_tui.engines.progress import Front, Track, on_this_machine
from rwk_tui.engines.room import is_full
from rwk_tui.settings import Settings

SOURCES = ("download", "go")
"""Where programs come from, in the order in which they are tried."""


class Source(Protocol):
    """Somewhere that programs come from."""

    name: str

    def prepare(self, pins: list[EnginePin]) -> None:
        """Say what making these will take, and raise EngineError if that is more than there is."""
        ...

    def make(self, pin: EnginePin, out: Path, track: Track) -> dict[str, str]:
        """Put every program of the pin into the new directory `out`; raises EngineError if it can't."""
        ...


def install(
    names: Iterable[str],
    settings: Settings,
    front: Front,
    *,
    origin: str | None = None,
    force: bool = False,
    keep: bool = False,
) -> dict[str, Path]:
    """Install what was named, or everything that is pinned, and return the directory of each by the pin's name.

    `origin` is one of SOURCES, None for all of them in order. What is there and sound is kept, unless `force`. One that
    fails does not keep the others from being installed. Raises BadInput for an unknown name, and EngineError with the
    reasons when all else is done. No half engine is left, even by Ctrl-C; what was fetched or compiled serves the next
    try, or with `keep` the next install.
    """
    pins = choose_pins(names)
    cache = open_cache(settings.engine_cache)
    done: dict[str, Path] = {}
    for pin in pins:
        if not force and _is_sound(pin, cache):
            done[pin.name] = cache / pin.directory
            Track(pin, front, 0).end("ready", f"{pin.version} is already in {done[pin.name]}")
    todo = [pin for pin in pins if pin.name not in done]
    if not todo:
        return done
    with alone(cache), work_directory(cache) as work, terminate_as_interrupt():
        sources = _sources(cache, work, settings, front, origin)
        failed = _install_all(todo, sources, cache, work, front, done)
        if not (failed or keep):
            for kept in (GO_CACHES, PARTIAL):
                shutil.rmtree(cache / kept, ignore_errors=True)
    if failed:
        raise EngineError("; ".join(failed))
    return done


def _install_all(
    todo: list[EnginePin], sources: list[Source], cache: Path, work: Path, front: Front, done: dict[str, Path]
) -> list[str]:
    """Install one after the other into `done`; why some could not be."""
    tracks = {pin.name: Track(pin, front, on_this_machine(pin.minutes)) for pin in todo}
    for pin in todo:
        tracks[pin.name].end("installing", "waits for its turn", done=0.0)
    try:
        sources[0].prepare(todo)
    except EngineError as error:
        for pin in todo:
            tracks[pin.name].end("failed", str(error), done=0.0)
        return [str(error)]
    failed: list[str] = []
    for number, pin in enumerate(todo):
        begun, track = time.monotonic(), tracks[pin.name]
        track.expect(on_this_machine(pin.minutes))
        try:
            done[pin.name] = _install(pin, sources, cache, work, track, front)
        except EngineError as error:
            track.end("failed", str(error), done=0.0)
            failed.append(f"{pin.name}: {error}")
            if is_full(error):
                for late in todo[number + 1 :]:
                    tracks[late.name].end("failed", str(error), done=0.0)
                break
        else:
            left_out = "".join(f"; {name} is for Linux only" for name in pin.linux_only)
            took = time.monotonic() - begun
            track.end("ready", f"{pin.version} is in {done[pin.name]} ({took:.0f} s){left_out}")
    return failed


def _install(pin: EnginePin, sources: list[Source], cache: Path, work: Path, track: Track, front: Front) -> Path:
    """One engine, from the first source that can."""
    reasons: list[str] = []
    for source in sources:
        out = work / f"{pin.name}-{source.name}"
        try:
            if source is not sources[0]:
                source.prepare([pin])
            about = source.make(pin, out, track)
            _verify(pin, out)
        except EngineError as error:
            shutil.rmtree(out, ignore_errors=True)
            if is_full(error):
                raise
            reasons.append(str(error) if len(sources) == 1 else f"{source.name}: {error}")
            if source is not sources[-1]:
                front.say(f"{pin.name}: not by {source.name}: {error}")
            continue
        write_manifest(out, list(pin.programs), name=pin.name, version=pin.version, **about)
        target = cache / pin.directory
        _put(out, target, work)
        # Asked once now, so that the first start after this does not have to.
        for program in pin.programs:
            known_version(program, target / program, cache)
        return target
    raise EngineError("; ".join(reasons))


def _sources(cache: Path, work: Path, settings: Settings, front: Front, origin: str | None) -> list[Source]:
    found: list[Source] = [
        DownloadSource(cache, settings.mirrors, front.say),
        GoSource(cache, work, front.say),
    ]
    return [source for source in found if origin in (None, source.name)]


def _is_sound(pin: EnginePin, cache: Path) -> bool:
    target = cache / pin.directory
    try:
        return all(known_version(program, target / program, cache) == pin.version for program in pin.programs)
    except EngineError:
        return False


def _verify(pin: EnginePin, out: Path) -> None:
    """Raise EngineError unless every program runs here and is the version that was wanted."""
    for program in pin.programs:
        version = ask_version(program, out / program, deadline=30.0)
        if version != pin.version:
            raise EngineError(f"{program} was made but says that it is {version}, not {pin.version}")


def _put(built: Path, target: Path, work: Path) -> None:
    """Move the finished directory into its place; an older one goes with the work directory."""
    for file in built.iterdir():
        with file.open("rb") as handle:
            os.fsync(handle.fileno())
    if target.exists():
        target.rename(work / f"replaced-{target.name}")
    built.rename(target)
