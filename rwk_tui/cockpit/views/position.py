"""The bar of a replay: that it is one, whether it runs and how fast, and where on the tape it is."""

from __future__ import annotations

import msgspec

from rwk_tui.cockpit import units
from rwk_tui.cockpit.text import Line, Span, cut
from rwk_tui.tape.player import Position

STATES = {"playing": "▶ playing", "paused": "‖ paused", "ended": "■ at its end"}
LEAST = 8
"""Cells below which a bar says nothing."""


class PositionView(msgspec.Struct, frozen=True):
    """Whole seconds, so that an equal view needs no paint; `part` is how much of the tape is behind us, 0 to 1."""

    state: str = ""
    speed: str = ""
    at: str = ""
    length: str = ""
    part: float = 0.0


def position_view(position: Position) -> PositionView:
    """What the bar shows."""
    length = units.running(position.length)
    return PositionView(
        state=STATES[position.state],
        speed=f"{position.speed:g}×",
        at=units.running(position.at),
        length=f"{length} so far" if position.reading else length,
        part=round(position.at / position.length, 3) if position.length else 1.0,
    )


def position_line(view: PositionView, width: int) -> Line:
    """One line in the colour of replays, as wide as the screen."""
    left = f"REPLAY  {view.state:<{max(map(len, STATES.values()))}}  {view.speed:>4}  "
    right = f"  {view.at} / {view.length}"
    room = width - len(left) - len(right)
    if room < LEAST:
        return (Span(cut(f"REPLAY {view.state} {view.speed}{right}", width), "replay"),)
    done = round(view.part * (room - 1))
    return (Span(f"{left}{'━' * done}●{'─' * (room - 1 - done)}{right}", "replay"),)
