"""One frozen settings object: defaults < rwk-tui.toml < environment < flags."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

CONFIG_NAME = "rwk-tui.toml"
SOCKET_LIMIT = 100
"""Bytes in a Unix socket's path that every system takes (Linux 107, macOS 103)."""


class BadInput(Exception):
    """Input of the user that can't be used: one line with file and place; the command exits with 2."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Named deadlines in seconds, to be multiplied by the backend's slack."""

    action: float = 60.0
    check: float = 20.0
    election: float = 15.0
    member_start: float = 30.0
    machine_start: float = 30.0
    api_start: float = 60.0
    stop: float = 10.0


@dataclass(frozen=True, slots=True)
class Mirrors:
    """Where official release files are downloaded from, by upstream: URLs below which a mirror has the same layout."""

    etcd: str = "https://github.com/etcd-io/etcd/releases/download"
    kubernetes: str = "https://dl.k8s.io"
    kwok: str = "https://github.com/kubernetes-sigs/kwok/releases/download"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a run can be told.

    `subnet` is the third octet of the local lab's addresses; `addresses` is "loopback" (an address a machine, Linux) or
    "ports" (one address and a port range a machine), "auto" picks. Heartbeat and election are etcd's, in ms.
    `fast` makes Kubernetes as impatient with nodes, pods and leaders as it can be. `load` is how many
    writes a second the canary makes; 0 is a few, and more around a fault. `tape` is a file that the daemon writes every
    frame of the run to.
    """

    state: Path
    engine_cache: Path
    engines: Path | None = None
    scenarios: Path | None = None
    backend: str = "local"
    subnet: int = 8
    addresses: str = "auto"
    base_port: int = 21000
    heartbeat_ms: int = 100
    election_ms: int = 1000
    linger: float = 30.0
    fast: bool = False
    load: int = 0
    theme: str = "dark"
    tape: Path | None = None
    timeouts: Timeouts = field(default_factory=Timeouts)
    mirrors: Mirrors = field(default_factory=Mirrors)

    @property
    def socket(self) -> Path:
        """The daemon's socket."""
        return self.state / "daemon.sock"


_SWITCHES = {"fast"}
_PATHS = {"state", "engine_cache", "engines", "scenarios", "tape"}
_CHOICES: dict[str, tuple[str, ...]] = {
    "backend": ("local",),
    "addresses": ("auto", "loopback", "ports"),
    "theme": ("dark", "light", "high-contrast"),
}
_RANGES: dict[str, tuple[float, float]] = {
    "subnet": (0, 255),
    "base_port": (1024, 32000),
    "heartbeat_ms": (10, 10_000),
    "election_ms": (50, 50_000),
    "linger": (0, 86_400),
    "load": (0, 500),
}
_NUMBERS: dict[str, type[int] | type[float]] = {
    "subnet": int,
    "base_port": int,
    "heartbeat_ms": int,
    "election_ms": int,
    "linger": float,
    "load": int,
}
_TABLES: dict[str, type[Timeouts] | type[Mirrors]] = {"timeouts": Timeouts, "mirrors": Mirrors}
_KEYS = tuple(item.name for item in fields(Settings) if item.name not in _TABLES)
_INNER = tuple(f"{table}.{item.name}" for table, kind in _TABLES.items() for item in fields(kind))


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
    named = config or (Path(given["RWK_CONFIG"]) if given.get("RWK_CONFIG") else None)
    file = here / (named or CONFIG_NAME)
    if named is not None or file.is_file():
        values |= _from_file(file)
    for name in (*_KEYS, *_INNER):
        variable = "RWK_" + name.upper().replace(".", "_")
        if given.get(variable):
            values[name] = _value(name, given[variable], variable, here)
    for name, text in (flags or {}).items():
        values[name] = _value(name, text, f"--{name.replace('_', '-')}", here)
    return _settings(values)


def as_environment(settings: Settings) -> dict[str, str]:
    """The settings as RWK_* variables, so that a process started with them loads exactly the same."""
    found = {f"RWK_{name.upper()}": getattr(settings, name) for name in _KEYS}
    for name in _INNER:
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
        table: kind(**{key.partition(".")[2]: values[key] for key in _INNER if key in values and key.startswith(table)})
        for table, kind in _TABLES.items()
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


def _from_file(file: Path) -> dict[str, Any]:
    import tomllib

    try:
        text = file.read_text("utf-8")
        tables = tomllib.loads(text)
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"{file}: is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        number = line[1] if line else len(text.splitlines()) or 1
        raise BadInput(f"{file}:{number}: {re.sub(r' *[(]at .*', '', str(error))}") from None
    except (RecursionError, ValueError) as error:  # brackets nested by the thousand, numbers of thousands of digits
        raise BadInput(f"{file}: {' '.join(str(error).split())}") from None
    values: dict[str, Any] = {}
    for key, value in tables.items():
        inner = value if key in _TABLES and isinstance(value, dict) else None
        for name, item in ((f"{key}.{k}", v) for k, v in inner.items()) if inner is not None else ((key, value),):
            where = f"{file}:{_line(text, name)}: {name}"
            if name not in (_KEYS if inner is None else _INNER):
                known = (*_KEYS, *(f"[{table}]" for table in _TABLES))
                raise BadInput(f"{where}: there is no such setting; there are {', '.join(known)}")
            values[name] = _value(name, item, where, file.parent)
    return values


def _line(text: str, name: str) -> int:
    """The line on which a key stands. tomllib keeps no positions, so it is looked for in its table."""
    current = ""
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.match(r"\s*\[+\s*([\w.-]+)", line):
            current = found[1]
        full = re.match(r"""[\s"']*([\w.-]+)["']?\s*=""", line)
        if current == name or (full and ".".join(filter(None, (current, full[1]))) == name):
            return number
    return 1


def _value(name: str, value: object, where: str, base: Path) -> Any:
    """The value of one setting, from TOML or from text; raises BadInput beginning with `where`."""
    if name in _PATHS:
        if not isinstance(value, str) or not value or "\0" in value:
            raise BadInput(f"{where}: must be a path, not {value!r}")
        try:
            value.encode()
            path = Path(value).expanduser()
        except UnicodeEncodeError:
            # The stream between daemon and front ends is JSON, which can't carry such a path.
            raise BadInput(f"{where}: must be a path in UTF-8, not {value!r}") from None
        except RuntimeError:
            raise BadInput(f"{where}: {value.split('/')[0]} is nobody whose home is known") from None
        return Path(os.path.abspath(base / path))  # noqa: PTH100 - resolve() would follow links
    if name.startswith("mirrors."):
        if not isinstance(value, str) or not re.fullmatch(r"https?://[!-~]+", value):
            raise BadInput(f"{where}: must be a URL that starts with http:// or https://, not {value!r}")
        return value.rstrip("/")
    if name in _CHOICES:
        if value not in _CHOICES[name]:
            raise BadInput(f"{where}: must be one of {', '.join(_CHOICES[name])}, not {value!r}")
        return value
    if name in _SWITCHES:
        if value in (True, False) or str(value).lower() in ("true", "false"):
            return str(value).lower() == "true"
        raise BadInput(f"{where}: must be true or false, not {value!r}")
    kind = _NUMBERS.get(name, float)
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float) or kind(value) != float(value):
            raise ValueError
        number = kind(value)
    except (ValueError, OverflowError):
        raise BadInput(f"{where}: must be a {'whole ' if kind is int else ''}number, not {value!r}") from None
    low, high = _RANGES.get(name, (0.1, 3600.0))
    if not low <= number <= high:
        raise BadInput(f"{where}: must be from {low:g} to {high:g}, not {number:g}")
    return number
