"""Where a run's settings come from: defaults < rwk-tui.toml < environment < flags."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rwk_tui.settings.readers import INNER, KEYS, TABLES, read, read_keys
from rwk_tui.settings.values import THEMES, Settings
from rwk_tui.tomlfile import BadInput, line_of, read_toml

CONFIG_NAME = "rwk-tui.toml"
SOCKET_LIMIT = 100
"""Bytes in a Unix socket's path that every system takes (Linux 107, macOS 103)."""


def load_settings(
    flags: Mapping[str, str] | None = None,
    *,
    config: Path | None = None,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> Settings:
    """The settings of this run. `flags` maps field names to what was typed; `directory` is where paths start.

    Raises BadInput, with file and line, variable or flag in the text, for whatever can't be used.
    """
    given = os.environ if environment is None else environment
    here = directory or Path.cwd()
    values: dict[str, Any] = {}
    places: dict[str, str] = {}
    named = config or (Path(given["RWK_CONFIG"]) if given.get("RWK_CONFIG") else None)
    file = here / (named or CONFIG_NAME)
    if named is not None or file.is_file():
        values |= _from_file(file, places)
    for name in (*KEYS, *INNER):
        variable = "RWK_" + name.upper().replace(".", "_")
        if given.get(variable):
            places[name] = variable
            values[name] = read(name, given[variable], variable, here)
    for name, text in (flags or {}).items():
        places[name] = f"--{name.replace('_', '-')}"
        values[name] = read(name, text, places[name], here)
    settings = _settings(values)
    own = settings.theme_file
    if own is not None and not own.is_file():
        there = f"must be one of {', '.join(THEMES)}, or the name of a theme of your own"
        raise BadInput(f"{places['theme']}: {there}, not {settings.theme!r}: there is no {own}")
    return settings


def as_environment(settings: Settings) -> dict[str, str]:
    """The settings as RWK_* variables, so that a process started with them loads exactly the same."""
    found = {f"RWK_{name.upper()}": getattr(settings, name) for name in KEYS}
    for name in INNER:
        table, _, key = name.partition(".")
        found[f"RWK_{table.upper()}_{key.upper()}"] = getattr(getattr(settings, table), key)
    # An empty variable counts as not set; the file named here is empty, so that none in the directory is read.
    return {key: "" if value is None else str(value) for key, value in found.items()} | {"RWK_CONFIG": os.devnull}


def check_socket(settings: Settings) -> None:
    """Raise BadInput if the daemon's socket can't have the path that the state directory gives it."""
    length = len(os.fsencode(settings.socket))
    if length > SOCKET_LIMIT:
        raise BadInput(
            f"{settings.socket}: {length} bytes are too long for a socket's path (at most {SOCKET_LIMIT}); "
            "choose a shorter directory with --state DIR or RWK_STATE"
        )


def _settings(values: Mapping[str, Any]) -> Settings:
    # Imported late: most uses of this module (every import of a room) need no defaults.
    import platformdirs

    inner: dict[str, Any] = {
        table: kind(**{key.partition(".")[2]: values[key] for key in INNER if key in values and key.startswith(table)})
        for table, kind in TABLES.items()
    }
    top: dict[str, Any] = {
        "state": Path(platformdirs.user_state_dir("rwk-tui", appauthor=False)),
        "engine_cache": Path(os.environ.get("XDG_CACHE_HOME") or platformdirs.user_cache_dir()) / "rwk-tui",
    }
    top |= {key: value for key, value in values.items() if "." not in key}
    settings = Settings(**top, **inner)
    if settings.election_ms < 5 * settings.heartbeat_ms:
        raise BadInput(f"election_ms {settings.election_ms} must be 5 × heartbeat_ms ({settings.heartbeat_ms}) or more")
    return settings


def _from_file(file: Path, places: dict[str, str]) -> dict[str, Any]:
    text, tables = read_toml(file)
    values: dict[str, Any] = {}
    for key, value in tables.items():
        if key == "keys" and isinstance(value, dict):
            values[key] = tuple(
                read_keys(f"{file}:{line_of(text, f'keys.{k}')}: keys.{k}", k, v) for k, v in value.items()
            )
            continue
        inner = value if key in TABLES and isinstance(value, dict) else None
        for name, item in ((f"{key}.{k}", v) for k, v in inner.items()) if inner is not None else ((key, value),):
            where = f"{file}:{line_of(text, name)}: {name}"
            if name not in (KEYS if inner is None else INNER):
                known = (*KEYS, *(f"[{table}]" for table in (*TABLES, "keys")))
                raise BadInput(f"{where}: there is no such setting; there are {', '.join(known)}")
            places[name] = where
            values[name] = read(name, item, where, file.parent)
    return values
