"""The one place that knows which backends there are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rwk_tui.lab.protocol import Lab, LabError
from rwk_tui.settings import Settings


def open_lab(settings: Settings, programs: Mapping[str, Path]) -> Lab:
    """The lab that the settings ask for; `programs` maps names to executables that its machines have.

    Nothing is started. Raises BadInput for a file that the settings name, and LabError if there is no such backend or
    its place on disk can't be used.
    """
    match settings.backend:
        case "local":
            from rwk_tui.lab.local.lab import LocalLab

            return LocalLab(settings, programs)
        case "vagrant":
            from rwk_tui.lab.vagrant.open import open_vagrant_lab

            return open_vagrant_lab(settings, programs)
        case "ssh":
            from rwk_tui.lab.ssh.open import open_ssh_lab

            return open_ssh_lab(settings, programs)
        case other:
            raise LabError(f'backend "{other}": there are only "local", "vagrant" and "ssh"')


def check_backend(settings: Settings) -> None:
    """Read what the backend's settings name, before anything is started. Raises BadInput."""
    if settings.backend == "vagrant":
        from rwk_tui.lab.vagrant.vagrantfile import check_own_file

        check_own_file(settings)
    elif settings.backend == "ssh":
        from rwk_tui.lab.ssh.hosts import read_hosts

        read_hosts(settings)
