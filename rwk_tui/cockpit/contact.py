"""How the cockpit stands with its source: the difference between live, stale and lost, with when it began."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["starting", "live", "viewing", "tape", "lost", "ended"]

STALE_AFTER = 3.0
"""Seconds without any message after which what is shown is no longer called live."""


class Contact(msgspec.Struct, frozen=True):
    """The state of the stream; `since` and `heard` are unix times (s), `reason` is one line for people.

    A tape never gets stale: nothing is expected from it. A `viewer` may only look, however the stream stands; while it
    hears something its state is "viewing".
    """

    state: State = "starting"
    since: float = 0.0
    heard: float = 0.0
    reason: str = ""
    viewer: bool = False

    def heard_at(self, now: float, *, tape: bool) -> Contact:
        """A message came."""
        state: State = "tape" if tape else "viewing" if self.viewer else "live"
        if self.state == state:
            return msgspec.structs.replace(self, heard=now)
        return Contact(state=state, since=now, heard=now, viewer=self.viewer)

    def lost_at(self, now: float, reason: str) -> Contact:
        """The stream broke; what counts is when and why it broke first."""
        if self.state == "lost":
            return self
        return Contact(state="lost", since=now, heard=self.heard, reason=reason, viewer=self.viewer)

    def ended_at(self, now: float, reason: str) -> Contact:
        """The other end said goodbye, so there is nothing to wait for."""
        return Contact(state="ended", since=now, heard=self.heard, reason=reason, viewer=self.viewer)

    @property
    def talks(self) -> bool:
        """Whether commands can be sent."""
        return self.state == "live"

    def silent_for(self, now: float) -> float:
        """Seconds without a sign of life, 0 where that is no news."""
        if self.state not in ("live", "viewing") or now - self.heard < STALE_AFTER:
            return 0.0
        return now - self.heard

    def is_live(self, now: float) -> bool:
        """Whether what is on the screen is true now (for a tape: as true as it gets)."""
        return self.state in ("live", "viewing", "tape") and not self.silent_for(now)
