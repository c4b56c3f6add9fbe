"""Which machine runs the one active controller-manager and scheduler, and how long it took to move."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from rwk_tui.board.hub import Hub
from rwk_tui.board.kube_rows import LeaseRow
from rwk_tui.board.wording import seconds
from rwk_tui.watch.kube.moments import Moments

MOVES_KEPT = 50
TOLERANCE = 1.0
"""Seconds by which a lease may seem to be taken too early: clocks differ, and its times may be whole seconds."""


@dataclass(frozen=True, slots=True)
class LeaseTakeover:
    """A lease of the control plane that another machine took at `at` (unix, s), `ms` after its holder was lost."""

    lease: str
    machine: str
    at: float
    ms: float
    resolution_ms: float


@dataclass(frozen=True, slots=True)
class Held:
    """Who held a lease last, when it was last renewed, and when it was given up in good order (0: it was not)."""

    row: LeaseRow
    released: float = 0.0


@dataclass(frozen=True, slots=True)
class Move:
    """A lease that went from one holder to another; `before` is the machine of the old one, "" if nobody knows it."""

    took: LeaseTakeover
    holder: str
    before: str


class LeaseTeller:
    """Hears of each change of a lease of the control plane; nothing is told before `live`.

    `in_step` says whether changes come from a watch now, which leaves none out.
    """

    def __init__(self, hub: Hub, moments: Moments, in_step: Callable[[], bool]) -> None:
        self.live = False
        self._hub = hub
        self._moments = moments
        self._in_step = in_step
        self._held: dict[str, Held] = {}
        self._moves: deque[Move] = deque(maxlen=MOVES_KEPT)
        self._early: deque[tuple[float, str]] = deque(maxlen=MOVES_KEPT)

    def forget(self) -> None:
        """There are no leases any more."""
        self.live = False
        self._held.clear()

    def takeovers(self, since: float) -> list[LeaseTakeover]:
        """The moves of a lease to another machine after `since` (unix, s), oldest first."""
        return [
            move.took
            for move in self._moves
            if move.took.at > since and move.took.machine and move.before not in ("", move.took.machine)
        ]

    def early(self, since: float) -> list[str]:
        """A line for each lease that was taken after `since` (unix, s) while its holder still had it.

        That is: not given up, and its time not run out. What happened while no watch was open can't be judged.
        """
        return [line for at, line in self._early if at > since]

    def heard(self, old: LeaseRow | None, new: LeaseRow | None) -> None:
        """A lease changed, came or went."""
        if new is None:
            if old is not None:
                self._held.pop(old.name, None)
            return
        now, held = self._hub.now(), self._held.get(new.name)
        if not new.holder:
            if held is not None and not held.released:
                self._held[new.name] = Held(held.row, now)
            return
        self._held[new.name] = Held(new)
        if not self.live:
            return
        if held is None or new.transitions < held.row.transitions:
            # Holders are counted up, so fewer of them mean another store, where nobody took it from anybody.
            if held is None or held.row.holder != new.holder:
                self._hub.tell("lease", f"{_place(new)} holds the lease {new.name}", subject=new.key)
        elif held.row.holder != new.holder:
            self._moved(held, new, now)
        elif held.row.machine != new.machine:
            self._found(new)

    def _moved(self, held: Held, new: LeaseRow, now: float) -> None:
        before, after = _place(held.row), _place(new)
        if held.released:
            since, resolution, what = held.released, 10.0, "it was given up"
        else:
            moment = self._moments.hit(held.row.machine, new.name, held.row.renewed, now)
            since, resolution = moment.at, moment.resolution_ms
            what = f"{before} was hit" if moment.exact else "it was last renewed"
        took = max(0.0, now - since) * 1000
        takeover = LeaseTakeover(new.name, new.machine, now, took, resolution)
        self._moves.append(Move(takeover, new.holder, held.row.machine))
        self._judge(held, new, now)
        same = held.row.machine == new.machine and new.machine
        moved = f"was taken again by {after}" if same else f"moved from {before} to {after}"
        self._hub.tell(
            "lease",
            f"the lease {new.name} {moved}, {seconds(took)} after {what}",
            level="good",
            subject=new.key,
            duration_ms=round(took, 1),
            resolution_ms=resolution,
        )

    def _judge(self, held: Held, new: LeaseRow, now: float) -> None:
        """Note if the old holder still had the lease; one that was left out in between may have given it up."""
        row = held.row
        if held.released or not self._in_step() or new.transitions != row.transitions + 1:
            return
        left = row.renewed + row.duration_s - new.since
        if row.renewed and new.since and left > TOLERANCE:
            line = f"{new.name}: {_place(new)} took it {seconds(left * 1000)} before {_place(row)}'s ran out"
            self._early.append((now, line))
            self._hub.tell("violated", line, level="bad", subject=new.key)

    def _found(self, new: LeaseRow) -> None:
        """The machine of a holder became known after the lease had moved to it."""
        for number, move in enumerate(self._moves):
            if (move.took.lease, move.holder) == (new.name, new.holder):
                self._moves[number] = replace(move, took=replace(move.took, machine=new.machine))


def _place(row: LeaseRow) -> str:
    return row.machine or row.holder
