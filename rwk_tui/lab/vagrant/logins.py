"""What `vagrant ssh-config` says of one machine."""

from __future__ import annotations

from pathlib import Path

from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote.login import Login


def parse_login(text: str, machine: str) -> Login:
    """The login in an OpenSSH configuration with that one host; there may be several keys. Raises LabError."""
    values: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, _, value = line.strip().partition(" ")
        values.setdefault(key.lower(), []).append(value.strip().strip('"'))
    try:
        host, user = values["hostname"][0], values["user"][0]
        port = int(values.get("port", ["22"])[0])
    except (KeyError, ValueError):
        said = " ".join(text.split())[:120]
        raise LabError(f"vagrant ssh-config {machine}: does not say where SSH listens: {said!r}") from None
    return Login(host, port, user, tuple(Path(key) for key in values.get("identityfile", ())))
