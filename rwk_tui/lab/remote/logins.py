"""How to log in to each machine: the backend is asked, which may take it seconds, and its answer is kept on disk."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rwk_tui.lab.host.disk import read_json, write_json
from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote.login import Login
from rwk_tui.lab.remote.switch import Switch


class Logins:
    """An answer holds until the machine is switched on anew, or does not answer there any more."""

    def __init__(self, file: Path, switch: Switch) -> None:
        self._file = file
        self._switch = switch
        # The logins of hosts that are not ours are in a file of the user's, which may change at any time.
        self._known = {name: _login(entry) for name, entry in read_json(file).items()} if switch.owns_power else {}

    async def of(self, machine: str) -> Login:
        """How to log in to it. Raises LabError."""
        if machine not in self._known:
            self._known[machine] = await self._switch.login(machine)
            self._write()
        return self._known[machine]

    def forget(self, machine: str) -> None:
        """Ask anew next time."""
        if self._known.pop(machine, None) is not None:
            self._write()

    def _write(self) -> None:
        if self._switch.owns_power:
            with contextlib.suppress(LabError):  # then it is asked again in the next run
                write_json(self._file, {name: _entry(login) for name, login in self._known.items()})


def _entry(login: Login) -> dict[str, Any]:
    return {**asdict(login), "keys": [str(key) for key in login.keys]}


def _login(entry: dict[str, Any]) -> Login:
    keys = tuple(Path(key) for key in entry["keys"])
    return Login(**{**entry, "keys": keys, "host_keys": tuple(entry["host_keys"])})
