"""Build an engine from source into the cache: all of it or nothing."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from types import FrameType

from rwk_tui.engines.ask import EngineError, ask_version
from rwk_tui.engines.cache import known_version, open_cache, write_manifest
from rwk_tui.engines.go import Go, go_from_package, go_on_path, needed_version
from rwk_tui.engines.job import run_job
from rwk_tui.engines.pins import EnginePin, engine_pins, go_pin
from rwk_tui.settings import BadInput, Settings

_BUILDING = ".build-"
_EVERY = 5.0
"""Seconds between two progress lines."""

Tell = Callable[[str], None]


def install(name: str, settings: Settings, tell: Tell, *, force: bool = False) -> Path:
    """Build that engine's programs and return their directory; what is there and sound is kept, unless `force`.

    Raises BadInput for an unknown name, EngineError with the reason otherwise. Nothing half is left, even by Ctrl-C.
    """
    pins = engine_pins()
    if name not in pins:
        raise BadInput(f"engines install: there is no recipe for {name!r}; there is {', '.join(sorted(pins))}")
    pin = pins[name]
    cache = open_cache(settings.engine_cache)
    target = cache / f"{name}-{pin.version}"
    if not force and _is_sound(pin, target, cache):
        tell(f"{name} {pin.version} is already in {target}")
        return target
    with _alone(cache), _work_directory(cache) as work, _terminate_as_interrupt():
        started = time.monotonic()
        _check_space(cache, pin)
        go = go_on_path(needed_version(pin.module / "go.mod")) or go_from_package(go_pin(), cache, work, tell)
        tell(
            f"building {', '.join(pin.programs)} {pin.version} with Go {go.version} from {go.source}: about "
            f"{pin.minutes} minutes on two cores, {pin.build_mb} MB of disk while it builds, {pin.keeps_mb} MB after"
        )
        built = _build(pin, go, work, tell)
        for program in pin.programs:
            version = ask_version(program, built / program, deadline=30.0)
            if version != pin.version:
                raise EngineError(f"{program} was built but says that it is {version}, not {pin.version}")
        write_manifest(built, list(pin.programs), name=name, version=pin.version, go=go.version)
        _put(built, target, work)
    tell(f"{name} {pin.version} is in {target} ({time.monotonic() - started:.0f} s)")
    return target


def _is_sound(pin: EnginePin, target: Path, cache: Path) -> bool:
    try:
        return all(known_version(program, target / program, cache) == pin.version for program in pin.programs)
    except EngineError:
        return False


def _build(pin: EnginePin, go: Go, work: Path, tell: Tell) -> Path:
    source, out = work / "module", work / "programs"
    source.mkdir()
    out.mkdir()
    for file in ("go.mod", "go.sum"):
        shutil.copyfile(pin.module / file, source / file)
    counted = {"downloaded": 0, "compiled": 0}
    told = time.monotonic()

    def each(line: str) -> None:
        nonlocal told
        counted["downloaded" if line.startswith("go: downloading") else "compiled"] += 1
        if time.monotonic() - told >= _EVERY:
            told = time.monotonic()
            tell(f"  {counted['downloaded']} modules downloaded, {counted['compiled']} packages compiled")

    argv = [str(go.path), "build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", f"{out}/"]
    run_job([*argv, *pin.programs.values()], what="go build", cwd=source, environment=go.environment(), each=each)
    for program, package in pin.programs.items():
        written = out / _binary_name(package)
        if not written.is_file():
            raise EngineError(f"go build wrote no {written.name}")
        if written.name != program:
            written.rename(out / program)
        (out / program).chmod(0o755)
    return out


def _binary_name(package: str) -> str:
    """What Go calls the program of a package: its last part that is not a major version."""
    parts = [part for part in PurePosixPath(package).parts if not (part[0] == "v" and part[1:].isdigit())]
    return parts[-1]


def _put(built: Path, target: Path, work: Path) -> None:
    """Move the finished directory into its place; an older one goes with the work directory."""
    for file in built.iterdir():
        with file.open("rb") as handle:
            os.fsync(handle.fileno())
    if target.exists():
        target.rename(work / "replaced")
    built.rename(target)


def _check_space(cache: Path, pin: EnginePin) -> None:
    free = shutil.disk_usage(cache).free // 1_000_000
    if free < pin.build_mb:
        raise EngineError(
            f"{cache}: {free} MB are free, but building {pin.name} takes {pin.build_mb} MB; "
            "make room or choose another place with RWK_ENGINE_CACHE"
        )


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    """Hold the lock of the cache, so that two installs don't tread on each other."""
    with (cache / ".install.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EngineError(f"{cache}: another install is at work there; wait for it") from None
        yield


@contextmanager
def _work_directory(cache: Path) -> Iterator[Path]:
    """A directory on the cache's own file system, gone afterwards; those that killed installs left go first."""
    for left in cache.glob(f"{_BUILDING}*"):
        shutil.rmtree(left, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=_BUILDING, dir=cache))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _terminate_as_interrupt() -> Iterator[None]:
    """Let SIGTERM clean up as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
