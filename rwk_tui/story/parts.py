"""What all parts of a chapter have in common."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

MachineName = Literal["core-01", "core-02", "core-03"]
MACHINES: tuple[MachineName, ...] = ("core-01", "core-02", "core-03")
PRESENTER = "presenter"
"""Where a command runs that no machine runs."""
Listen = Literal["localhost", "everyone"]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A piece of a chapter; `SHORT` names the field that a bare value stands for."""

    SHORT: ClassVar[str] = ""
