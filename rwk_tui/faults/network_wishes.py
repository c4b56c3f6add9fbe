"""What all active faults together want of the links between machines: one place, since several may lie on one link."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rwk_tui.board.board import Board
from rwk_tui.board.rows import FaultRow, LinkRow
from rwk_tui.lab.protocol import Link

PARTITION, ONE_WAY, SPLIT = "partition", "one-way", "split"
DELAY, JITTER, LOSS = "delay", "jitter", "loss"
RESETS, FLAPPING = "resets", "flapping"
PERIOD = 2.0
"""Seconds for which a flapping link is cut, and then open."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How a link is to be: cut or not, how long what passes is held back (ms), and the share of packets it loses."""

    cut: bool = False
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0


WISHES: dict[str, Wish] = {
    PARTITION: Wish(cut=True),
    ONE_WAY: Wish(cut=True),
    SPLIT: Wish(cut=True),
    DELAY: Wish(delay_ms=200.0),
    JITTER: Wish(delay_ms=100.0, jitter_ms=80.0),
    LOSS: Wish(loss=0.3),
    RESETS: Wish(),
    FLAPPING: Wish(cut=True),
}
"""What each kind of fault does to the links that it lies on."""


def groups(target: str) -> tuple[tuple[str, ...], ...]:
    """The machines of each side of a target like "core-01|core-02+core-03" or "core-01>core-02"."""
    return tuple(tuple(side.split("+")) for side in target.replace(">", "|").split("|"))


def lies_on(target: str, source: str, destination: str) -> bool:
    """Whether a fault with that target lies on the link from one machine to the other."""
    sides = groups(target)
    if len(sides) == 1:
        return target in (source, destination)
    if ">" in target:
        return source in sides[0] and destination in sides[1]
    return any(source in side and destination not in side for side in sides)


def links_on(board: Board, target: str) -> list[LinkRow]:
    """The rows of the links that a fault with that target lies on."""
    return [row for row in board.rows(LinkRow) if lies_on(target, row.source, row.target)]


def is_cut_now(fault: FaultRow, now: float) -> bool:
    """Whether a fault that cuts links does so at that moment (unix, s): a flapping one only every other time."""
    return fault.fault != FLAPPING or int((now - fault.since) / PERIOD) % 2 == 0


def wanted(faults: Iterable[FaultRow], source: str, destination: str, now: float) -> Wish:
    """How the link from one machine to the other is to be: the worst that any fault wants of it."""
    wishes = [
        WISHES[fault.fault]
        for fault in faults
        if fault.fault in WISHES and lies_on(fault.target, source, destination) and is_cut_now(fault, now)
    ]
    return Wish(
        cut=any(wish.cut for wish in wishes),
        delay_ms=max((wish.delay_ms for wish in wishes), default=0.0),
        jitter_ms=max((wish.jitter_ms for wish in wishes), default=0.0),
        loss=max((wish.loss for wish in wishes), default=0.0),
    )


async def apply(links: Iterable[Link], faults: Iterable[FaultRow], now: float) -> None:
    """Bring these links into the state that the faults want of them. Raises LabError."""
    active = [fault for fault in faults if not fault.healing]
    for link in links:
        await _bring(link, wanted(active, link.source, link.target, now))


async def _bring(link: Link, wish: Wish) -> None:
    """Change only what is different: whatever is done to a link acts on the connections that go through it."""
    if (link.is_cut and not wish.cut) or (link.loss and not wish.loss):
        await link.heal()
    if (link.delay_ms, link.jitter_ms) != (wish.delay_ms, wish.jitter_ms):
        await link.delay(wish.delay_ms, wish.jitter_ms)
    if link.loss != wish.loss:
        await link.lose(wish.loss)
    if wish.cut and not link.is_cut:
        await link.cut()
