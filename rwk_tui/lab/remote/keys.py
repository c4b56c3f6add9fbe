"""Private keys as files: which of them can be used as they are, and which only by way of an ssh-agent."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from rwk_tui.lab.remote.login import Login


@dataclass(frozen=True, slots=True)
class Keys:
    """Those of a login that are there: `open` ones, and `locked` ones, whose passphrase only an ssh-agent was told."""

    open: tuple[Path, ...]
    locked: tuple[Path, ...]

    @classmethod
    def of(cls, login: Login) -> Keys:
        """The files as they are now."""
        there = [key for key in login.keys if key.is_file()]  # one that is missing would end the attempt
        locked = tuple(key for key in there if is_locked(key))
        return cls(tuple(key for key in there if key not in locked), locked)

    def identities(self, login: Login) -> Sequence[bytes] | None:
        """What of an agent's is to be tried: of keys that were named only these, where their public parts are known."""
        if login.agent:
            return None
        try:
            return [asyncssh.read_public_key(f"{key}.pub").public_data for key in self.locked]
        except (OSError, asyncssh.KeyImportError):
            return None


def is_locked(key: Path) -> bool:
    """Whether it has a passphrase, which nobody is asked for here."""
    try:
        asyncssh.read_private_key(key)
    except asyncssh.KeyImportError as error:
        return str(error).startswith("Passphrase")  # asyncssh itself tells them by these words
    except (OSError, ValueError):
        return False
    return False


def has_agent() -> bool:
    """Whether there is an ssh-agent to ask."""
    return bool(os.environ.get("SSH_AUTH_SOCK"))


def unlock(keys: Sequence[Path]) -> str:
    """What to do about keys that are locked and that no agent has."""
    words = f"the key {' or '.join(str(key) for key in keys)} has a passphrase"
    if not has_agent():
        return f"{words} and no ssh-agent runs: start one, `ssh-add` it, and start rwk-tui from there"
    return f"{words}: `ssh-add` it"
