"""The keys of a replay: what each of them does to the player."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from rwk_tui.tape.player import SKIP, SPEEDS, Player


class ReplayKey(msgspec.Struct, frozen=True):
    """One way to wind the tape; `footer` is its rank there, 0 for none."""

    id: str
    keys: tuple[str, ...]
    label: str
    tooltip: str
    move: Callable[[Player], None]
    footer: int = 0


_SPEEDS = ", ".join(f"{speed:g}" for speed in SPEEDS)

REPLAY: tuple[ReplayKey, ...] = (
    ReplayKey("pause", ("space",), "pause", "Pause, or go on; at the end from the beginning", Player.pause, 1),
    ReplayKey("back-seconds", ("left",), f"-{SKIP:g} s", f"{SKIP:g} seconds back", Player.back, 2),
    ReplayKey("on-seconds", ("right",), f"+{SKIP:g} s", f"{SKIP:g} seconds on", Player.on, 3),
    ReplayKey("event-before", ("shift+left",), "event before", "To the event before", Player.event_before, 13),
    ReplayKey("event-after", ("shift+right",), "next event", "To the next event", Player.event_after, 6),
    ReplayKey("faster", ("plus", "equals_sign"), "faster", f"Faster: {_SPEEDS} ×", Player.faster, 4),
    ReplayKey("slower", ("minus",), "slower", "Slower", Player.slower, 5),
    ReplayKey("start", ("home",), "start", "To the beginning", Player.start, 14),
    ReplayKey("end", ("end",), "end", "To the end", Player.end, 15),
)
