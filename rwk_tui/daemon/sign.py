"""The lab's own row on the board: its phase, what it runs on, and how the presenter's tools get in."""

from __future__ import annotations

from typing import Any, Literal

from msgspec.structs import replace

from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import LabRow
from rwk_tui.settings import Settings

Phase = Literal["starting", "ready", "choose", "resetting", "ending"]


class LabSign:
    """Keeps that row; whoever knows a part of it shows that part."""

    def __init__(self, hub: Hub, settings: Settings) -> None:
        self._hub = hub
        self._row = LabRow(
            seen_at=hub.now(), backend=settings.backend, engines="", state="starting", directory=str(settings.state)
        )
        hub.publish(self._row)

    @property
    def phase(self) -> Phase:
        """Where the lab stands."""
        return self._row.state

    def turn(self, phase: Phase, left_behind: str = "") -> None:
        """Enter a phase; `left_behind` says what an earlier run left, where that must be chosen about."""
        self.show(state=phase, left_behind=left_behind)

    def show(self, **changes: Any) -> None:
        """Change some of the row's fields; what was shown before costs nothing."""
        row = replace(self._row, seen_at=self._hub.now(), **changes)
        if row != self._row:
            self._row = row
            self._hub.publish(row)
