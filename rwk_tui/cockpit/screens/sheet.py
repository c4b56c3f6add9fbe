"""A sheet of lines set from outside: explanations, logs, help."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rwk_tui.cockpit.panes.lines import Lines
from rwk_tui.cockpit.text import Line


class Sheet(Lines):
    """Lines made by a painter that can be exchanged."""

    def __init__(self, *, id: str, focusable: bool = True) -> None:
        super().__init__(id=id, classes="sheet")
        self.can_focus = focusable
        self._painter: Callable[[int], Sequence[Line]] = lambda width: ()

    def set(self, painter: Callable[[int], Sequence[Line]]) -> None:
        """Paint with another painter from now on."""
        self._painter = painter
        self.repaint()

    def lines_for(self, width: int) -> Sequence[Line]:
        """What the painter says."""
        return self._painter(width)
