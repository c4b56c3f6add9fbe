"""One fault on a real lab from its injection to its card, and how long each part took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from support.remote_lab import BUSY

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import CardRow
from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import FaultRow
from rwk_tui.board.targets import confirmation
from rwk_tui.faults.catalogue import Faults

SEEN, WELL = 40.0 * BUSY, 80.0 * BUSY
"""Seconds in which a probe must have seen a fault, and in which its card must be there after its healing."""

HICCUP = 3000.0
"""ms that writes may stop on a busy test machine without anybody's doing."""


def felt(card: CardRow) -> list[float]:
    """ms of each outage that is longer than a hiccup, without the time in which this computer stood still."""
    lasted = [one.ms - one.still_ms for one in card.outages]
    return [ms for ms in lasted if ms > HICCUP]


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault that was healed: what it hit, what a probe saw of it after how long (s), and its card."""

    target: str
    effect: str
    seen_s: float
    card: CardRow

    @property
    def well_s(self) -> float:
        """Seconds from the healing until all was well."""
        return (self.card.well_ms or 0.0) / 1000


def report(hub: Hub) -> str:
    """What there is to know when a fault did not take its course."""
    board = hub.board
    events = [f"{event.at:.2f} {event.kind}: {event.text}" for event in board.events]
    output = [f"{line.machine} {line.stream} {line.text[:300]}" for line in board.output]
    return "\n".join([*events[-60:], *output[-40:], *(str(row) for row in board.rows(FaultRow))])


async def strike(
    hub: Hub, faults: Faults, fault: str, target: str = "", *, lasts_until: Callable[[Board], bool] | None = None
) -> Struck:
    """Inject a fault, wait until a probe sees it and until `lasts_until`, heal it, and wait for a good card."""
    row = await faults.inject(fault, target, confirmation(target))

    def seen(board: Board) -> bool:
        now = board.get(FaultRow, row.key)
        return now is not None and bool(now.effect)

    assert await hub.wait(seen, SEEN), f"no probe saw {row.text}\n{report(hub)}"
    after = hub.now() - row.since
    found = hub.board.get(FaultRow, row.key)
    assert found is not None
    if lasts_until is not None:
        assert await hub.wait(lasts_until, SEEN), f"{row.text}: it did not come to what was waited for\n{report(hub)}"
    assert [one.id for one in await faults.heal(row.id)] == [row.id], report(hub)

    def card(board: Board) -> CardRow | None:
        mine = (one for one in board.rows(CardRow) if one.injected == row.since and one.fault == fault)
        return next(mine, None)

    assert await hub.wait(lambda board: card(board) is not None, WELL), f"{row.text}: no card\n{report(hub)}"
    given = card(hub.board)
    assert given is not None and given.verdict == "holds", f"{given}\n{report(hub)}"
    assert given.effect == found.effect
    return Struck(row.target, found.effect, after, given)
