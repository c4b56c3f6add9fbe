"""The one place that knows which backends there are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rwk_tui.lab.protocol import Lab, LabError
from rwk_tui.settings import Settings


def open_lab(settings: Settings, programs: Mapping[str, Path]) -> Lab:
    """The lab that the settings ask for; `programs` maps names to executables that its machines have.

    Nothing is started. Raises LabError if there is no such backend or its place on disk can't be used.
    """
    if settings.backend == "local":
        from rwk_tui.lab.local.lab import LocalLab

        return LocalLab(settings, programs)
    raise LabError(f'backend "{settings.backend}": there is only "local"')
