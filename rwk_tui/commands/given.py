"""What the user gave: settings from flags and files, and the one line that says what is wrong with them."""

from __future__ import annotations

import argparse
import sys

TYPE_CHECKING = False  # type checkers take it for True; importing typing for it would cost as much as argparse
if TYPE_CHECKING:
    from rwk_tui.settings import Settings

OK, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
_SETTINGS = ("state", "engines", "scenarios", "backend", "hosts", "theme", "subnet", "fast", "tape")


def complain(text: str, code: int) -> int:
    """Say in one line what is wrong; returns that exit code."""
    print(f"rwk-tui: {' '.join(text.split())}", file=sys.stderr)
    return code


def settings_of(arguments: argparse.Namespace, *, daemon: bool = False) -> Settings:
    """The settings of this run; where a daemon will be needed, its socket must be possible too."""
    from pathlib import Path

    from rwk_tui.settings import check_socket, load_settings

    flags = {name: getattr(arguments, name) for name in _SETTINGS if hasattr(arguments, name)}
    config = Path(arguments.config) if hasattr(arguments, "config") else None
    settings = load_settings(flags, config=config)
    if daemon:
        check_socket(settings)
    return settings


def lab_settings(arguments: argparse.Namespace) -> Settings:
    """The settings of a run that makes a lab: what its backend needs must be there, before anything is started."""
    settings = settings_of(arguments, daemon=True)
    check_backend_of(settings)
    return settings


def check_backend_of(settings: Settings) -> None:
    """See that what the settings' backend needs is there. Raises BadInput or LabError."""
    if settings.backend != "local":
        from rwk_tui.lab.open import check_backend

        check_backend(settings)
