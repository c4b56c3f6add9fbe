"""What a hosts file says of one machine, with the lines on which it says so."""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from rwk_tui.settings import BadInput

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\.?|[0-9a-fA-F:]+:[0-9a-fA-F:.]*")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]*\$?")


@dataclass(frozen=True, slots=True)
class Entry:
    """`values` as the file has them, `lines` where each of them stands (the first line is 1), `line` where it begins.

    `openssh` is whether the file is in OpenSSH's words, which have none for an address. Every method raises BadInput
    that begins with file and line.
    """

    file: Path
    machine: str
    line: int
    values: Mapping[str, Any]
    lines: Mapping[str, int]
    openssh: bool = False

    def bad(self, key: str, words: str) -> BadInput:
        """That something is wrong with that key."""
        return BadInput(f"{self.file}:{self.lines.get(key, self.line)}: {self.machine}: {words}")

    def host(self) -> str:
        """Where SSH listens: a name or an address."""
        if "host" not in self.values:
            raise self.bad("host", 'does not say host, such as host = "10.0.0.11"')
        return self._matching("host", _HOST, "a host's name or address")

    def user(self, otherwise: str) -> str:
        """Who logs in."""
        return self._matching("user", _USER, "a user's name") if "user" in self.values else otherwise

    def port(self) -> int:
        """Where SSH listens; 22 if it is not said."""
        value = self.values.get("port", 22)
        if isinstance(value, str) and value.isascii() and value.isdecimal():
            value = int(value[:9])
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 65535:
            raise self.bad("port", f"port must be a whole number from 1 to 65535, not {value!r}")
        return value

    def address(self, host: str) -> str:
        """The IPv4 address under which others reach it: the host, if nothing else is said."""
        key = "address" if "address" in self.values else "host"
        value = self.values.get("address", host)
        try:
            found = IPv4Address(value) if isinstance(value, str) else None
        except ValueError:
            found = None
        if found is None and key == "host":
            raise self.bad(key, f"{host} is no IPv4 address: {self._say_address}")
        if found is None:
            raise self.bad(key, f"address must be an IPv4 address such as 10.0.0.11, not {value!r}")
        if found.is_loopback or found.is_unspecified or found.is_multicast:
            raise self.bad(key, f"others can't reach it at {found}: {self._say_address}")
        return str(found)

    def no_key(self) -> BadInput:
        """That there is none to log in with."""
        example = "IdentityFile ~/.ssh/id_ed25519" if self.openssh else 'key = "~/.ssh/id_ed25519"'
        return self.bad("key", f"no key to log in with: say one, as in {example}")

    @property
    def _say_address(self) -> str:
        if self.openssh:
            return (
                'write this file as TOML, which has address = "10.0.0.11" for where the others reach it (see README.md)'
            )
        return 'add the address under which the others reach it, as in address = "10.0.0.11"'

    def keys(self, usual: tuple[Path, ...]) -> tuple[Path, ...]:
        """The private keys to log in with; `usual` ones if none is said."""
        if "key" not in self.values:
            return usual
        return tuple(self._key(text) for text in self._texts("key"))

    def host_keys(self) -> tuple[str, ...]:
        """The public keys that it is known by: type and base64, without comments."""
        return tuple(self._host_key(text) for text in self._texts("host_key"))

    def _matching(self, key: str, pattern: re.Pattern[str], what: str) -> str:
        value = self.values[key]
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise self.bad(key, f"{key} must be {what}, not {value!r}")
        return value

    def _texts(self, key: str) -> list[str]:
        value = self.values.get(key, [])
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(item, str) and item and "\0" not in item for item in values):
            raise self.bad(key, f"{key} must be a text or a list of texts, not {value!r}")
        return values

    def _key(self, text: str) -> Path:
        try:
            path = Path(os.path.abspath(self.file.parent / Path(text).expanduser()))  # noqa: PTH100 - links stay
            with path.open("rb") as opened:
                state = os.fstat(opened.fileno())
                begins = opened.read(4096)
        except RuntimeError:
            raise self.bad("key", f"key {text}: {text.split('/')[0]} is nobody whose home is known") from None
        except OSError as error:
            raise self.bad("key", f"key {path}: {error.strerror}") from None
        if b"PRIVATE KEY" not in begins:
            raise self.bad("key", f"key {path}: is no private key")
        if stat.S_IMODE(state.st_mode) & 0o077:
            raise self.bad("key", f"key {path}: others may read it, so SSH refuses it: chmod 600 {path}")
        return path

    def _host_key(self, text: str) -> str:
        kind, _, rest = text.strip().partition(" ")
        body = rest.strip().partition(" ")[0]
        try:
            blob = base64.b64decode(body, validate=True)
        except binascii.Error:
            blob = b""
        name = kind.encode()
        if not body or blob[: 4 + len(name)] != len(name).to_bytes(4, "big") + name:
            raise self.bad(
                "host_key", f"host_key must be like a line of the host's /etc/ssh/ssh_host_*_key.pub, not {text!r}"
            )
        return f"{kind} {body}"
