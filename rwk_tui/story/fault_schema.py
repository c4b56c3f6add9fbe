"""What a chapter file says about faults: injecting and healing them, and what is expected of them."""

from __future__ import annotations

from typing import ClassVar, Literal

from rwk_tui.story.parts import Part


class Inject(Part, frozen=True, kw_only=True):
    """Inject a fault of the catalogue; without a target, into the first thing that it can hit.

    Where something on a disk is destroyed, the machine is named twice.
    """

    fault: str
    target: str = ""
    confirm: str = ""


class Heal(Part, frozen=True, kw_only=True):
    """Heal every active fault, or one by its ID."""

    SHORT: ClassVar[str] = "what"
    what: str = "all"


class FaultSeen(Part, frozen=True, kw_only=True):
    """A probe sees what this fault does."""

    SHORT: ClassVar[str] = "fault"
    fault: str


class CardIs(Part, frozen=True, kw_only=True):
    """The report card of this fault is there, with that verdict."""

    SHORT: ClassVar[str] = "fault"
    fault: str
    verdict: Literal["holds", "violated", "not well", "not checked"] = "holds"
