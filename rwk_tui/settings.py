"""One frozen settings object: defaults < rwk-tui.toml < environment < flags."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


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
    stop: float = 10.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a run can be told.

    `subnet` is the third octet of the local lab's addresses; `addresses` is "loopback" (an address a machine, Linux) or
    "ports" (one address and a port range a machine), "auto" picks. Heartbeat and election are etcd's, in ms.
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
    theme: str = "dark"
    timeouts: Timeouts = field(default_factory=Timeouts)

    @property
    def socket(self) -> Path:
        """The daemon's socket."""
        return self.state / "daemon.sock"
