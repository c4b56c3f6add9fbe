"""The engine cache: one directory a version with a manifest, and what is known about binaries asked before."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from rwk_tui.engines.ask import EngineError, ask_version
from rwk_tui.engines.upstreams import upstream_of
from rwk_tui.engines.verdict import parse_version

MANIFEST = "manifest.json"
_KNOWN = "known.json"


def open_cache(cache: Path) -> Path:
    """Make the cache directory, readable by its owner only; raises EngineError if that is refused."""
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        cache.chmod(0o700)
    except OSError as error:
        raise EngineError(f"{cache}: can't be the engine cache ({error.strerror}); see RWK_ENGINE_CACHE") from None
    return cache


def installed(cache: Path, name: str) -> list[Path]:
    """The directories in the cache that hold a finished install with a program of that name, newest version first."""
    found: list[tuple[tuple[int, int, int], Path]] = []
    for manifest in cache.glob(f"*/{MANIFEST}"):
        try:
            version = parse_version(manifest.parent.name.rpartition("-")[2])
        except ValueError:
            continue
        if (manifest.parent / name).exists() and not manifest.parent.name.startswith("."):
            found.append((version, manifest.parent))
    return [directory for _, directory in sorted(found, reverse=True)]


def write_manifest(directory: Path, names: list[str], **about: str) -> None:
    """Write down what was installed, so that a changed or half-copied binary is noticed before it runs."""
    files = {name: sha256(directory / name) for name in names}
    (directory / MANIFEST).write_text(json.dumps({**about, "files": files}, indent=2) + "\n", "utf-8")


def known_version(name: str, path: Path, cache: Path) -> str:
    """The version of a binary; asked, and checked against its manifest if it has one, once for each state of the file.

    Raises EngineError if it is not what was installed or can't tell its version.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise EngineError(f"{path}: {error.strerror}") from None
    state = [stat.st_mtime_ns, stat.st_size, stat.st_ino, stat.st_mode]
    known = _load(cache)
    entry = known.get(str(path))
    if isinstance(entry, list) and len(entry) == 5 and entry[:4] == state:
        return str(entry[4])
    _check_manifest(name, path)
    version = ask_version(name, path)
    known[str(path)] = [*state, version]
    _save(cache, known)
    return version


def sha256(path: Path) -> str:
    """The file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_manifest(name: str, path: Path) -> None:
    manifest = path.parent / MANIFEST
    try:
        expected = json.loads(manifest.read_text("utf-8"))["files"][name]
    except FileNotFoundError:
        return  # not one that was installed by this tool
    except (OSError, ValueError, KeyError, TypeError):
        raise EngineError(f"{manifest}: can't be read; take the directory away and install again") from None
    if sha256(path) != expected:
        again = f"rwk-tui engines install {upstream_of(name).name} --force"
        raise EngineError(f"{path}: is not what was installed; `{again}` mends it")


def _load(cache: Path) -> dict[str, Any]:
    try:
        known = json.loads((cache / _KNOWN).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _save(cache: Path, known: dict[str, Any]) -> None:
    """Keep what is known; without it each start merely asks again, so a cache that can't be written is no error."""
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=_KNOWN, dir=cache)
    except OSError:
        return
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({path: value for path, value in known.items() if Path(path).exists()}, file)
        Path(name).replace(cache / _KNOWN)
    except OSError:
        Path(name).unlink(missing_ok=True)
