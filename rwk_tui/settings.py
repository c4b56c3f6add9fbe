"""One frozen settings object: defaults < rwk-tui.toml < environment < flags."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from rwk_tui.tomlfile import BadInput as BadInput  # Who reads settings takes it from here.
from rwk_tui.tomlfile import line_of, read_toml

CONFIG_NAME = "rwk-tui.toml"
SOCKET_LIMIT = 100
"""Bytes in a Unix socket's path that every system takes (Linux 107, macOS 103)."""
THEMES = ("dark", "light", "high-contrast", "colour-blind")
"""The cockpit's own themes; any other name is that of a file."""


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
class Vagrant:
    """How virtual machines are made: `box` and `provider` (empty: Vagrant's choice) are Vagrant's.

    They have `memory` (MB) and `cpus` each; `address` is that of the first, and the others follow it. A Vagrantfile
    `file` of your own, which defines core-01 to core-03 with these addresses, serves instead of the rest.
    """

    box: str = "bento/debian-13"
    provider: str = ""
    address: str = "192.168.56.101"
    memory: int = 2048
    cpus: int = 2
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Mirrors:
    """Where official release files are downloaded from, by upstream: URLs below which a mirror has the same layout."""

    etcd: str = "https://github.com/etcd-io/etcd/releases/download"
    kubernetes: str = "https://dl.k8s.io"
    kwok: str = "https://github.com/kubernetes-sigs/kwok/releases/download"


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """The keys that the user wants for one action of the cockpit, and the place where that was said."""

    action: str
    keys: tuple[str, ...]
    place: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a run can be told.

    `subnet` is the third octet of the local lab's addresses; `addresses` is "loopback" (an address a machine, Linux) or
    "ports" (one address and a port range a machine), "auto" picks. Heartbeat and election are etcd's, in ms.
    `theme` is one of THEMES, or of the files in the directory `themes` (None: that of the user's configuration).
    `hosts` is the file that says where the machines of the backend "ssh" are. `slack` is by how much deadlines are
    multiplied, 0: as the backend thinks best. `images` is a directory of container images, as archives, which workers
    get before they start: for halls without internet. `fast` makes Kubernetes as impatient with nodes, pods and leaders
    as it can be. `load` is how many writes a second the canary makes; 0 is a few, and more around a fault. `keys` come
    from the settings file only, and no other process needs them. `tape` is a
    file that the daemon writes every frame of the run to.
    """

    state: Path
    engine_cache: Path
    engines: Path | None = None
    scenarios: Path | None = None
    backend: str = "local"
    hosts: Path | None = None
    images: Path | None = None
    slack: float = 0.0
    subnet: int = 8
    addresses: str = "auto"
    base_port: int = 21000
    heartbeat_ms: int = 100
    election_ms: int = 1000
    linger: float = 30.0
    fast: bool = False
    load: int = 0
    theme: str = "dark"
    themes: Path | None = None
    tape: Path | None = None
    keys: tuple[OwnKeys, ...] = ()
    timeouts: Timeouts = field(default_factory=Timeouts)
    mirrors: Mirrors = field(default_factory=Mirrors)
    vagrant: Vagrant = field(default_factory=Vagrant)

    @property
    def outlives(self) -> bool:
        """Whether the lab's machines run on when its daemon ends."""
        return self.backend != "local"

    @property
    def theme_file(self) -> Path | None:
        """The file of a theme of the user's own, whether it exists or not; None where the theme is one of ours."""
        if self.theme in THEMES:
            return None
        import platformdirs

        home = os.environ.get("XDG_CONFIG_HOME") or platformdirs.user_config_dir()
        return (self.themes or Path(home) / "rwk-tui" / "themes") / f"{self.theme}.toml"

    @property
    def socket(self) -> Path:
        """The daemon's socket."""
        return self.state / "daemon.sock"


_SWITCHES = {"fast"}
_PATHS = {"state", "engine_cache", "engines", "scenarios", "tape", "hosts", "images", "themes", "vagrant.file"}
_PATTERNS = {
    "theme": (r"\w[\w-]*", f"one of {', '.join(THEMES)}, or the name of a theme of your own"),
    "vagrant.box": (r"[\w.-]+(/[\w.-]+)?", "the name of a box, such as bento/debian-13"),
    "vagrant.provider": (r"[\w-]*", "the name of a provider, such as virtualbox or libvirt"),
    "vagrant.address": (
        r"(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){2}\.(25[0-2]|2[0-4]\d|1\d\d|[1-9]\d?)",
        "an IPv4 address such as 192.168.56.101, with room for two more after it",
    ),
}
_CHOICES: dict[str, tuple[str, ...]] = {
    "backend": ("local", "vagrant", "ssh"),
    "addresses": ("auto", "loopback", "ports"),
}
_RANGES: dict[str, tuple[float, float]] = {
    "subnet": (0, 255),
    "base_port": (1024, 32000),
    "heartbeat_ms": (10, 10_000),
    "election_ms": (50, 50_000),
    "linger": (0, 86_400),
    "load": (0, 500),
    "slack": (0, 100),
    "vagrant.memory": (256, 262_144),
    "vagrant.cpus": (1, 64),
}
_NUMBERS: dict[str, type[int] | type[float]] = {
    "subnet": int,
    "base_port": int,
    "heartbeat_ms": int,
    "election_ms": int,
    "linger": float,
    "load": int,
    "vagrant.memory": int,
    "vagrant.cpus": int,
}
_TABLES: dict[str, type[Timeouts] | type[Mirrors] | type[Vagrant]] = {
    "timeouts": Timeouts,
    "mirrors": Mirrors,
    "vagrant": Vagrant,
}
_KEYS = tuple(item.name for item in fields(Settings) if item.name not in (*_TABLES, "keys"))
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
    places: dict[str, str] = {}
    named = config or (Path(given["RWK_CONFIG"]) if given.get("RWK_CONFIG") else None)
    file = here / (named or CONFIG_NAME)
    if named is not None or file.is_file():
        values |= _from_file(file, places)
    for name in (*_KEYS, *_INNER):
        variable = "RWK_" + name.upper().replace(".", "_")
        if given.get(variable):
            places[name] = variable
            values[name] = _value(name, given[variable], variable, here)
    for name, text in (flags or {}).items():
        places[name] = f"--{name.replace('_', '-')}"
        values[name] = _value(name, text, places[name], here)
    settings = _settings(values)
    own = settings.theme_file
    if own is not None and not own.is_file():
        there = f"must be one of {', '.join(THEMES)}, or the name of a theme of your own"
        raise BadInput(f"{places['theme']}: {there}, not {settings.theme!r}: there is no {own}")
    return settings


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


def _from_file(file: Path, places: dict[str, str]) -> dict[str, Any]:
    text, tables = read_toml(file)
    values: dict[str, Any] = {}
    for key, value in tables.items():
        if key == "keys" and isinstance(value, dict):
            values[key] = tuple(
                _own_keys(f"{file}:{line_of(text, f'keys.{k}')}: keys.{k}", k, v) for k, v in value.items()
            )
            continue
        inner = value if key in _TABLES and isinstance(value, dict) else None
        for name, item in ((f"{key}.{k}", v) for k, v in inner.items()) if inner is not None else ((key, value),):
            where = f"{file}:{line_of(text, name)}: {name}"
            if name not in (_KEYS if inner is None else _INNER):
                known = (*_KEYS, *(f"[{table}]" for table in (*_TABLES, "keys")))
                raise BadInput(f"{where}: there is no such setting; there are {', '.join(known)}")
            places[name] = where
            values[name] = _value(name, item, where, file.parent)
    return values


def _own_keys(place: str, action: str, value: object) -> OwnKeys:
    keys = [value] if isinstance(value, str) else value
    if not isinstance(keys, list) or not keys or not all(isinstance(key, str) and key for key in keys):
        raise BadInput(f"{place}: must be a key or a list of keys, not {value!r}")
    return OwnKeys(action, tuple(keys), place)


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
    if name in _PATTERNS:
        pattern, what = _PATTERNS[name]
        if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
            raise BadInput(f"{where}: must be {what}, not {value!r}")
        return value
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
