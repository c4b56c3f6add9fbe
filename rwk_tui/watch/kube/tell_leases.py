"""Which machine runs the one active controller-manager and scheduler, and how long it took to move."""

from __future__ import annotations

from dataclasses import dataclass

from rwk_tui.board.hub import Hub
from rwk_tui.board.kube_rows import LeaseRow
from rwk_tui.board.wording import seconds
from rwk_tui.watch.kube.moments import Moments


@dataclass(frozen=True, slots=True)
class Held:
    """Who held a lease last, when it was last renewed, and when it was given up in good order (0: it was not)."""

    row: LeaseRow
    released: float = 0.0


class LeaseTeller:
    """Hears of each change of a lease of the control plane; nothing is told before `live`."""

    def __init__(self, hub: Hub, moments: Moments) -> None:
        self.live = False
        self._hub = hub
        self._moments = moments
        self._held: dict[str, Held] = {}

    def forget(self) -> None:
        """There are no leases any more."""
        self.live = False
        self._held.clear()

    def heard(self, old: LeaseRow | None, new: LeaseRow | None) -> None:
        """A lease changed, came or went."""
        if new is None:
            return
        now, held = self._hub.now(), self._held.get(new.name)
        if not new.holder:
            if held is not None and not held.released:
                self._held[new.name] = Held(held.row, now)
            return
        self._held[new.name] = Held(new)
        if not self.live:
            return
        if held is None:
            self._hub.tell("lease", f"{_place(new)} holds the lease {new.name}", subject=new.key)
        elif held.row.holder != new.holder:
            self._moved(held, new, now)

    def _moved(self, held: Held, new: LeaseRow, now: float) -> None:
        before, after = _place(held.row), _place(new)
        if held.released:
            since, resolution, what = held.released, 10.0, "it was given up"
        else:
            moment = self._moments.hit(held.row.machine, new.name, held.row.renewed, now)
            since, resolution = moment.at, moment.resolution_ms
            what = f"{before} was hit" if moment.exact else "it was last renewed"
        took = max(0.0, now - since) * 1000
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


def _place(row: LeaseRow) -> str:
    return row.machine or row.holder
