"""Command lines of etcdctl, which waits longer for its answers where everything takes longer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rwk_tui.cluster.etcd import client_url
from rwk_tui.lab.protocol import Machine

_PATIENCE = 5.0
"""Seconds that etcdctl waits for an answer, unless it is told otherwise (its `--help`, 3.6 and 3.7)."""
_AMPLE = 3.0
"""The slack up to which that is enough: for machines that are no more than remote, commands stay short."""
# Its environment variable has no effect on etcdctl 3.6 and 3.7, and beside the option it is an error.
_OPTION = "--command-timeout"
_GIVEN = re.compile(rf"{_OPTION}=(\d+(?:\.\d+)?)s")


def etcdctl(
    via: Machine, *arguments: str, public: bool = True, scheme: str = "http", slack: float = 1.0
) -> tuple[str, ...]:
    """An etcdctl command line that talks to the member on `via`; the certificates come with the machine's profile."""
    return patient(("etcdctl", f"--endpoints={client_url(via, public=public, scheme=scheme)}", *arguments), slack)


def patient(command: Sequence[str], slack: float) -> tuple[str, ...]:
    """A command as it is given to a lab of that slack: where etcdctl's five seconds are too few, it gets more.

    A timeout in seconds that the command itself names is multiplied as well. Other commands stay as they are.
    """
    words = tuple(command)
    if slack <= _AMPLE or "etcdctl" not in words:
        return words
    if any(word.startswith(_OPTION) for word in words):
        return tuple(_longer(word, slack) for word in words)
    return (*words[:1], f"{_OPTION}={_PATIENCE * slack:g}s", *words[1:]) if words[0] == "etcdctl" else words


def _longer(word: str, slack: float) -> str:
    given = _GIVEN.fullmatch(word)
    return f"{_OPTION}={float(given[1]) * slack:g}s" if given else word
