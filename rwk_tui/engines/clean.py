"""Free what installing left in the engine cache beside the engines themselves."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from rwk_tui.engines.alone import alone, leftovers
from rwk_tui.engines.build import GO_CACHES
from rwk_tui.engines.download import PARTIAL
from rwk_tui.engines.pins import go_pin
from rwk_tui.settings import Settings


def clean(settings: Settings, say: Callable[[str], None]) -> int:
    """Delete unfinished downloads, our Go and its caches, and what killed installs left; returns the bytes freed.

    Engines stay, and so do the caches of the machine's own Go. Raises EngineError while an install is at work.
    """
    cache = settings.engine_cache
    if not cache.is_dir():
        say(f"{cache}: there is nothing to free")
        return 0
    with alone(cache):
        found = [cache / PARTIAL, cache / GO_CACHES, *cache.glob(f"{go_pin().package}-*"), *leftovers(cache)]
        freed = 0
        for directory in found:
            if directory.is_dir():
                size = _size(directory)
                shutil.rmtree(directory, ignore_errors=True)
                freed += size
                say(f"freed {_megabytes(size)}: {directory}")
    say(f"freed {_megabytes(freed)} in all; the engines stay" if freed else f"{cache}: there is nothing to free")
    if shutil.which("go"):
        say("your own Go's caches are left alone: `go clean -cache -modcache` frees them")
    return freed


def _size(directory: Path) -> int:
    return sum(path.lstat().st_size for path in directory.rglob("*") if not path.is_dir())


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB" if size >= 1e6 else f"{size} bytes"
