"""Opens the lab on hosts that exist."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rwk_tui.lab.protocol import Lab
from rwk_tui.lab.remote.lab import RemoteLab
from rwk_tui.lab.ssh.hosts import read_hosts
from rwk_tui.lab.ssh.switch import SshSwitch
from rwk_tui.settings import Settings

_SLACK = 2.0


def open_ssh_lab(settings: Settings, programs: Mapping[str, Path]) -> Lab:
    """The lab on the hosts of the settings' file. Raises BadInput for that file, and LabError."""
    switch = SshSwitch(read_hosts(settings))
    return RemoteLab(settings, programs, switch, backend="ssh", slack=settings.slack or _SLACK)
