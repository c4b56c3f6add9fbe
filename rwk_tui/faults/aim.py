"""What a fault is really aimed at: aliases resolved, and everything refused that makes no sense now."""

from __future__ import annotations

from collections.abc import Sequence

from rwk_tui.board.rows import FaultRow
from rwk_tui.board.targets import LEADER, confirmation, target_machines
from rwk_tui.faults import offers
from rwk_tui.faults.base import Fault, FaultRefused
from rwk_tui.faults.ground import Ground
from rwk_tui.faults.sights import leader


def aim(kind: Fault, target: str, confirm: str, ground: Ground, active: Sequence[FaultRow]) -> str:
    """The target that is meant, with "" for the first that can be hit. Raises FaultRefused."""
    title = kind.title.lower()
    if why := kind.why_not(ground):
        raise FaultRefused(f"{title}: {why}")
    possible = kind.targets(ground.hub.board)
    if target == LEADER:
        target = _of_leader(kind, ground, title)
    elif not target:
        target = next(iter(possible), "")
        if not target:
            raise FaultRefused(f"{title}: {offers.NOTHING}")
    for machine in target_machines(target):
        if machine not in ground.lab.machines:
            raise FaultRefused(f"there is no machine {machine!r}")
    if any(row.fault == kind.name and row.target == target for row in active):
        raise FaultRefused(f"{kind.done(target)} already: heal it first")
    if target not in possible:
        raise FaultRefused(f"{title}: {target} can't be hit by that now")
    if kind.confirm and confirm != confirmation(target):
        raise FaultRefused(f"{title}: type {confirmation(target)} to confirm it")
    return target


def _of_leader(kind: Fault, ground: Ground, title: str) -> str:
    machine = leader(ground.hub.board)
    if not machine:
        raise FaultRefused(f"{title}: etcd has no leader now")
    target = kind.of_leader(machine)
    if not target:
        raise FaultRefused(f"{title}: name the machine")
    return target
