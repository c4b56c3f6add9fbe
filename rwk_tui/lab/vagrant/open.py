"""Opens the lab on virtual machines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rwk_tui.lab.protocol import Lab
from rwk_tui.lab.remote.lab import RemoteLab
from rwk_tui.lab.vagrant.switch import VagrantSwitch
from rwk_tui.lab.vagrant.vagrantfile import check_own_file
from rwk_tui.settings import Settings

_SLACK = 3.0


def open_vagrant_lab(settings: Settings, programs: Mapping[str, Path]) -> Lab:
    """The lab on machines that Vagrant makes. Raises BadInput if there is no such Vagrantfile, and LabError."""
    check_own_file(settings)
    return RemoteLab(settings, programs, VagrantSwitch(settings), backend="vagrant", slack=settings.slack or _SLACK)
