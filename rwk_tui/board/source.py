"""What every source of frames has in common, be it a daemon or a recording."""

from __future__ import annotations


class CommandRefused(Exception):
    """The source did not take a command; one line says why."""
