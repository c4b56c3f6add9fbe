"""How long the daemon lives: who attends it, who detached, and when it is time to halt the lab."""

from __future__ import annotations

import asyncio
from typing import Literal

Attend = Literal["cockpit", "headless", "none"]

GRACE = 30.0
"""Seconds that a daemon waits for a first client."""


class Lifetime:
    """Decides when the daemon ends; `ended` is set then and `reason` says why.

    An attending client that goes without a word ends the lab: a cockpit after `linger` seconds, in which another one
    may come, anything headless at once. After a detach the lab runs on without anybody.
    """

    def __init__(self, linger: float, grace: float = GRACE) -> None:
        self._linger = linger
        self._attending = 0
        self._present = 0
        self._settled = False
        self._timer: asyncio.TimerHandle | None = None
        self._grace = grace
        self.ended = asyncio.Event()
        self.reason = ""
        self.halt = False
        """Whether machines that outlive the daemon are to be halted too."""

    @property
    def attended(self) -> bool:
        """Whether a client is here whose going would end the lab."""
        return self._attending > 0

    def begin(self) -> None:
        """The daemon listens: somebody has to come now."""
        self._after(self._grace, "nobody came")

    def arrived(self, attend: Attend) -> None:
        """A client said hello."""
        self._present += 1
        if attend != "none":
            self._attending += 1
            self._settled = True
            self._stop_timer()
        elif not self._settled:
            self._stop_timer()

    def left(self, attend: Attend, *, detached: bool) -> None:
        """A client went, or its connection broke."""
        self._present -= 1
        if attend != "none":
            self._attending -= 1
        if not self._settled and not self._present:
            self._after(self._grace, "nobody came")
        if attend == "none" or detached or self._attending:
            return
        if attend == "headless":
            self.end("the command that held the lab is gone")
        else:
            self._after(self._linger, f"the cockpit is gone and did not come back within {self._linger:g} s")

    def end(self, reason: str, *, halt: bool = False) -> None:
        """It is time; the first reason counts. With `halt`, machines that would outlive the daemon are halted."""
        if not self.ended.is_set():
            self.reason = reason
            self.halt = halt
            self._stop_timer()
            self.ended.set()

    def _after(self, seconds: float, reason: str) -> None:
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.end, reason)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
