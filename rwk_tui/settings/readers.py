"""What each setting may be, as TOML or as text: what can't be used is told in one line that begins with its place."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from rwk_tui.settings.values import THEMES, Mirrors, OwnKeys, Settings, Timeouts, Vagrant
from rwk_tui.tomlfile import BadInput

Reader = Callable[[object, Path], object]
"""Makes a setting of what was given, with the directory where paths start; ValueError says what it must be."""

TABLES: dict[str, type[Timeouts] | type[Mirrors] | type[Vagrant]] = {
    "timeouts": Timeouts,
    "mirrors": Mirrors,
    "vagrant": Vagrant,
}
KEYS = tuple(item.name for item in fields(Settings) if item.name not in (*TABLES, "keys"))
INNER = tuple(f"{table}.{item.name}" for table, kind in TABLES.items() for item in fields(kind))


def read(name: str, value: object, place: str, base: Path) -> Any:
    """The value of one setting. Raises BadInput beginning with `place`."""
    try:
        return _READERS[name](value, base)
    except ValueError as error:
        raise BadInput(f"{place}: {error}") from None


def read_keys(place: str, action: str, value: object) -> OwnKeys:
    """The keys for one action. Raises BadInput beginning with `place`."""
    keys = [value] if isinstance(value, str) else value
    if not isinstance(keys, list) or not keys or not all(isinstance(key, str) and key for key in keys):
        raise BadInput(f"{place}: must be a key or a list of keys, not {value!r}")
    return OwnKeys(action, tuple(keys), place)


def _path(value: object, base: Path) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError(f"must be a path, not {value!r}")
    try:
        value.encode()
        path = Path(value).expanduser()
    except UnicodeEncodeError:
        # The stream between daemon and front ends is JSON, which can't carry such a path.
        raise ValueError(f"must be a path in UTF-8, not {value!r}") from None
    except RuntimeError:
        raise ValueError(f"{value.split('/')[0]} is nobody whose home is known") from None
    return Path(os.path.abspath(base / path))  # noqa: PTH100 - resolve() would follow links


def _file(value: object, base: Path) -> Path:
    path = _path(value, base)
    if path.is_dir():
        raise ValueError(f"must be a file, and {value} is a directory")
    return path


def _url(value: object, base: Path) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"https?://[!-~]+", value):
        raise ValueError(f"must be a URL that starts with http:// or https://, not {value!r}")
    return value.rstrip("/")


def _switch(value: object, base: Path) -> bool:
    if value in (True, False) or str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    raise ValueError(f"must be true or false, not {value!r}")


def _text(pattern: str, what: str) -> Reader:
    def reads(value: object, base: Path) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
            raise ValueError(f"must be {what}, not {value!r}")
        return value

    return reads


def _one_of(*choices: str) -> Reader:
    def reads(value: object, base: Path) -> object:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}, not {value!r}")
        return value

    return reads


def _number(kind: type[int] | type[float], low: float, high: float) -> Reader:
    def reads(value: object, base: Path) -> float:
        try:
            if isinstance(value, bool) or not isinstance(value, str | int | float) or kind(value) != float(value):
                raise ValueError
            number = kind(value)
        except (ValueError, OverflowError):
            raise ValueError(f"must be a {'whole ' if kind is int else ''}number, not {value!r}") from None
        if not low <= number <= high:
            raise ValueError(f"must be from {low:g} to {high:g}, not {number:g}")
        return number

    return reads


_READERS: dict[str, Reader] = {
    "state": _path,
    "engine_cache": _path,
    "engines": _path,
    "scenarios": _path,
    "backend": _one_of("local", "vagrant", "ssh"),
    "hosts": _path,
    "images": _path,
    "slack": _number(float, 0, 100),
    "subnet": _number(int, 0, 255),
    "addresses": _one_of("auto", "loopback", "ports"),
    "base_port": _number(int, 1024, 32_000),
    "heartbeat_ms": _number(int, 10, 10_000),
    "election_ms": _number(int, 50, 50_000),
    "linger": _number(float, 0, 86_400),
    "fast": _switch,
    "load": _number(int, 0, 500),
    "theme": _text(r"\w[\w-]*", f"one of {', '.join(THEMES)}, or the name of a theme of your own"),
    "themes": _path,
    "tape": _file,
    "vagrant.box": _text(r"[\w.-]+(/[\w.-]+)?", "the name of a box, such as bento/debian-13"),
    "vagrant.provider": _text(r"[\w-]*", "the name of a provider, such as virtualbox or libvirt"),
    "vagrant.address": _text(
        # No zeros before a number: who reads them as octal and who does not would mean different addresses.
        r"((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(25[0-2]|2[0-4]\d|1\d\d|[1-9]\d?)",
        "an IPv4 address such as 192.168.56.101, with room for two more after it",
    ),
    "vagrant.memory": _number(int, 256, 262_144),
    "vagrant.cpus": _number(int, 1, 64),
    "vagrant.file": _path,
    **{f"timeouts.{item.name}": _number(float, 0.1, 3600) for item in fields(Timeouts)},
    **{f"mirrors.{item.name}": _url for item in fields(Mirrors)},
}
