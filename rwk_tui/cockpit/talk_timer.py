"""How long somebody has been talking: a timer that is started anew, stopped and taken up again, as a value."""

from __future__ import annotations

import msgspec


class TalkTimer(msgspec.Struct, frozen=True):
    """When the talk began and when the timer was paused (unix times, s); `paused` is 0 while it runs."""

    began: float
    paused: float = 0.0

    def elapsed(self, now: float) -> float:
        """Seconds talked so far."""
        return max(0.0, (self.paused or now) - self.began)

    def toggled(self, now: float) -> TalkTimer:
        """The same paused, or taken up again where it was paused."""
        if self.paused:
            return TalkTimer(self.began + now - self.paused)
        return TalkTimer(self.began, paused=now)

    def words(self, now: float) -> str:
        """The time talked, as on a stopwatch: "4:05", "1:02:03"."""
        whole = int(self.elapsed(now))
        hours, minutes, seconds = whole // 3600, whole // 60 % 60, whole % 60
        return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
