"""Random faults that the same seed draws again, whatever happens meanwhile."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rwk_tui.board.rows import FaultKindRow
from rwk_tui.board.targets import LEADER, target_machines

BESIDE = ("kill-unit", "pause-unit", "delay", "jitter", "resets")
"""Kinds that may come on top of another fault of the same machine: the other two machines still are a majority."""
BESIDE_SHARE = 0.2
"""How often one does."""
LONGEST = 2.0
"""Seconds that a fault lasts at most after a probe has seen it."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One drawn fault: its kind, which of its targets (a share of their list, 0 to 1), and for how long (s)."""

    number: int
    fault: str
    share: float
    hold: float
    beside: Draw | None = None


def draws(seed: int, pool: Sequence[str]) -> Iterator[Draw]:
    """Draw from these kinds without end; nothing but the seed and the pool decides what comes."""
    chance = random.Random(seed)
    light = [name for name in pool if name in BESIDE]
    number = 0
    while True:
        number += 1
        fault, share, hold = chance.choice(pool), chance.random(), chance.uniform(0.0, LONGEST)
        # Drawn always, so that the faults after it do not depend on whether it can be used.
        more, other, where = chance.random(), chance.random(), chance.random()
        fitting = [name for name in light if name != fault]
        beside = None
        if more < BESIDE_SHARE and fitting:
            beside = Draw(number, fitting[int(other * len(fitting))], where, 0.0)
        yield Draw(number, fault, share, hold, beside)


def target_of(draw: Draw, row: FaultKindRow | None, within: str = "") -> str:
    """The target that a draw means, "" where there is none; with `within`, one that lies on that target's machine."""
    targets = sorted(target for target in (row.targets if row is not None else ()) if target != LEADER)
    if within:
        machines = set(target_machines(within))
        targets = [target for target in targets if len(machines) == 1 and set(target_machines(target)) == machines]
    return targets[int(draw.share * len(targets))] if targets else ""
