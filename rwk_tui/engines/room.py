"""Whether the disk has room for an install, looked at before it starts."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from rwk_tui.engines.ask import EngineError


class NoRoom(EngineError):
    """The disk is full, or would be: nothing that is tried next can go better."""


def check_room(needs: Iterable[tuple[Path, int]], what: str) -> None:
    """Raise NoRoom unless each directory's file system has so many MB free; needs on the same one are added up."""
    wanted: dict[int, int] = {}
    for directory, megabytes in needs:
        place = _nearest(directory)
        device = place.stat().st_dev
        wanted[device] = wanted.get(device, 0) + megabytes
        free = shutil.disk_usage(place).free // 1_000_000
        if free < wanted[device]:
            raise NoRoom(
                f"{directory}: {size(free)} are free, but {what} takes {size(wanted[device])}; "
                "make room or choose another place with RWK_ENGINE_CACHE"
            )


def is_full(error: EngineError) -> bool:
    """Whether this is about a full disk, also where another program says so."""
    return isinstance(error, NoRoom) or "no space left on device" in str(error).lower()


def size(megabytes: int) -> str:
    """So many MB, in words."""
    return f"{megabytes} MB" if megabytes < 1000 else f"{megabytes / 1000:.1f} GB"


def _nearest(path: Path) -> Path:
    """The directory itself, or the first parent that exists."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path
