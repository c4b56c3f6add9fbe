"""What a run can be told: frozen values with their defaults."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

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
