"""Whether somebody sees the cockpit for the first time: a mark in the state directory says that it was seen."""

from __future__ import annotations

from rwk_tui.settings import Settings

MARK = "cockpit-seen"


def is_first_time(settings: Settings) -> bool:
    """Whether no cockpit has shown a lab of this state directory before."""
    return not (settings.state / MARK).exists()


def remember(settings: Settings) -> None:
    """Put the mark where the lab lives; where there is no lab, or no room, the next time is another first one."""
    try:
        (settings.state / MARK).touch(mode=0o600)
    except OSError:
        pass
