"""How to log in to a machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Login:
    """Where SSH listens, who we are there, and with which private keys; of these, files that do not exist are left out.

    `host_keys` are the public keys that the machine is known by ("ssh-ed25519 AAAA…"); without any, the first one that
    it shows is taken. With `agent`, all keys of the user's ssh-agent are tried as well; without, only those of `keys`
    that have a passphrase.
    """

    host: str
    port: int
    user: str
    keys: tuple[Path, ...]
    host_keys: tuple[str, ...] = ()
    agent: bool = False

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
