"""The catalogue: what can be broken now, what is broken, and what that was seen to do."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import FaultKindRow, FaultRow, UnitRow
from rwk_tui.board.wording import seconds
from rwk_tui.faults.base import LEADER, Fault, FaultRefused, leader, machine_of
from rwk_tui.faults.kinds import KINDS
from rwk_tui.faults.network import PARTITION
from rwk_tui.lab.protocol import Lab, LabError
from rwk_tui.settings import Settings
from rwk_tui.watch.watcher import Watcher

__all__ = ["FaultRefused", "Faults"]

ALERT = 20.0
"""Seconds for which everything is watched closely after a fault or its healing."""


class Faults:
    """Injects and heals; `record` is given all active faults before anything is done."""

    def __init__(
        self,
        lab: Lab,
        hub: Hub,
        watcher: Watcher,
        settings: Settings,
        *,
        record: Callable[[tuple[FaultRow, ...]], None],
    ) -> None:
        self._lab = lab
        self._hub = hub
        self._watcher = watcher
        self._timeouts = settings.timeouts
        self._record = record
        self._kinds = KINDS
        self._acted: dict[str, float] = {}
        """When (unix, s) what each active fault does was done."""
        self._healing: set[str] = set()
        self._active: dict[str, FaultRow] = {}
        self._number = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening = False

    @property
    def active(self) -> tuple[FaultRow, ...]:
        """The faults that last, oldest first."""
        return tuple(self._active.values())

    def kinds(self) -> None:
        """Publish what can be broken, now and whenever that changes."""
        if not self._listening:
            self._listening = True
            self._watcher.subscribe(self._look)
        self._publish_kinds()

    async def inject(self, fault: str, target: str, confirm: str = "") -> FaultRow:
        """Break `target`; returns once that is done. What it did is measured and told afterwards."""
        kind = self._kinds.get(fault)
        if kind is None:
            raise FaultRefused(f"there is no fault {fault!r}: choose one of {', '.join(self._kinds)}")
        target = self._aim(kind, target)
        if kind.confirm and confirm != machine_of(target):
            raise FaultRefused(f"{kind.title.lower()}: type {machine_of(target)} to confirm it")
        row = self._new_row(kind, target)
        self._watcher.alert(ALERT)
        self._record((*self.active, row))
        for subject, state in kind.seen(target):
            self._watcher.expected.announce(subject, state)
        at = self._hub.now()
        self._watcher.expected.disturb(machine_of(target), at)
        if kind.healable:
            # From here on it can be healed: whoever is cancelled in the middle may have broken something already.
            self._active[row.id] = row
            self._hub.publish(row)
        try:
            await kind.inject(self._lab, target)
        except LabError as error:
            self._strike_out(row)
            raise FaultRefused(f"{kind.title.lower()}, {target}: {error}") from error
        finally:
            self._acted[row.id] = self._hub.now()
        if not kind.healable:
            self._strike_out(row)
        self._hub.tell("fault", f"{row.text} (you)", level="bad", subject=row.key, by_presenter=True, at=at)
        self._watcher.refresh()
        self._start(self._tell_effect(row, at))
        return row

    async def heal(self, id: str = "") -> tuple[FaultRow, ...]:
        """Heal one fault, the newest with "", or every one with "all"; returns the healed ones, never refuses.

        Returns once the healing is under way; when all is well again is measured and told afterwards.
        """
        chosen = list(reversed(self._active.values()))
        if id != "all":
            chosen = [row for row in chosen if id in ("", row.id)][:1]
        healed = []
        for row in chosen:
            if row.id in self._active:  # another client may have healed it meanwhile
                await self._heal_one(row)
                healed.append(row)
        return tuple(healed)

    async def restore(self, rows: Iterable[FaultRow]) -> None:
        """Take up the faults that an earlier run recorded, as far as the lab still has them; links are cut again."""
        for row in rows:
            kind = self._kinds.get(row.fault)
            if kind is None or not kind.healable or machine_of(row.target) not in self._lab.machines:
                continue
            if not kind.persists(self._hub.board, row.target):
                continue
            self._active[row.id] = row
            self._acted[row.id] = self._hub.now()
            self._hub.publish(row)
            if row.fault == PARTITION:
                await kind.inject(self._lab, row.target)
        self._record(self.active)

    def forget(self) -> None:
        """The lab was reset: nothing is broken any more, and nothing that is being measured counts."""
        for task in self._tasks:
            task.cancel()
        self._hub.retract(*(row.key for row in self.active))
        self._active.clear()
        self._acted.clear()
        self._record(())

    async def settled(self) -> None:
        """Wait until every effect is measured and told."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Stop measuring; active faults stay as they are."""
        for task in self._tasks:
            task.cancel()
        await self.settled()

    def _aim(self, kind: Fault, target: str) -> str:
        if target == LEADER:
            machine = leader(self._hub.board)
            if not machine:
                raise FaultRefused(f"{kind.title.lower()}: etcd has no leader now")
            target = kind.of_leader(machine)
            if not target:
                raise FaultRefused(f"{kind.title.lower()}: name the machine")
        if machine_of(target) not in self._lab.machines:
            raise FaultRefused(f"there is no machine {machine_of(target)!r}")
        if any(row.fault == kind.name and row.target == target for row in self.active):
            raise FaultRefused(f"{kind.done(target)} already: heal it first")
        if target not in kind.targets(self._hub.board):
            raise FaultRefused(f"{kind.title.lower()}: {target} is not running now")
        return target

    def _new_row(self, kind: Fault, target: str) -> FaultRow:
        now = self._hub.now()
        taken = set(self._active)
        while not self._number or f"f{self._number}" in taken:
            self._number += 1
        row = FaultRow(
            seen_at=now, id=f"f{self._number}", fault=kind.name, target=target, since=now, text=kind.done(target)
        )
        self._number += 1
        return row

    async def _heal_one(self, row: FaultRow) -> None:
        kind = self._kinds[row.fault]
        self._watcher.alert(ALERT)
        for subject, state in kind.seen_healed(row.target):
            self._watcher.expected.announce(subject, state)
        others = tuple(other for other in self.active if other.id != row.id)
        at, problem = self._hub.now(), ""
        self._hub.tell("heal", f"{kind.undone(row.target)} (you)", subject=row.key, by_presenter=True, at=at)
        self._healing.add(row.id)
        try:
            await kind.heal(self._lab, row.target, others)
        except LabError as error:
            problem = str(error)
        finally:
            self._healing.discard(row.id)
        self._strike_out(row)
        self._watcher.refresh()
        if problem:
            self._hub.tell("heal", f"nothing left to heal on {row.target}: {problem}", level="warning", subject=row.key)
        else:
            self._start(self._tell_healed(kind, row, at))

    async def _tell_effect(self, row: FaultRow, at: float) -> None:
        deadline = self._timeouts.election * self._lab.slack
        effect = await self._watcher.measure(at, deadline)
        self._hub.tell(
            "effect",
            f"{row.text} → {effect.words()}",
            level="info" if effect.settled else "bad",
            subject=row.key,
            duration_ms=round(effect.outage_ms, 1) if effect.outage_ms is not None else effect.election_ms,
            resolution_ms=round(effect.resolution_ms, 1),
        )

    async def _tell_healed(self, kind: Fault, row: FaultRow, at: float) -> None:
        deadline = self._timeouts.member_start * self._lab.slack
        machine = machine_of(row.target)
        well = await self._hub.wait(
            lambda board: _seen_after(board.get(UnitRow, f"unit/{machine}/etcd"), at) and kind.holds(board, row.target),
            deadline,
        )
        took = (self._hub.now() - at) * 1000
        if not well:
            text = f"{row.target} is not well {seconds(took)} after it was healed"
            self._hub.tell("healed", text, level="bad", subject=row.key, duration_ms=round(took, 1))
            return
        verdict = await self._watcher.canary.verify()
        hashes = await self._watcher.hashes()
        bad = verdict.lost > 0 or hashes.equal is False
        self._hub.tell(
            "healed",
            f"{row.target} is well again after {seconds(took)}: {verdict.words()}, {hashes.words()}",
            level="bad" if bad else "good",
            subject=row.key,
            duration_ms=round(took, 1),
            resolution_ms=50.0,
        )

    def _strike_out(self, row: FaultRow) -> None:
        self._active.pop(row.id, None)
        self._acted.pop(row.id, None)
        self._record(self.active)
        self._hub.retract(row.key)

    def _look(self) -> None:
        """Something changed: strike out what was mended by other means, and say what can be broken now."""
        for row in self.active:
            if row.id in self._healing:
                continue
            if self._kinds[row.fault].is_over(self._hub.board, row.target, self._acted.get(row.id, math.inf)):
                self._strike_out(row)
                self._hub.tell("heal", f"no longer so: {row.text}", subject=row.key)
        self._publish_kinds()

    def _publish_kinds(self) -> None:
        board = self._hub.board
        there_is = leader(board)
        for kind in self._kinds.values():
            targets = kind.targets(board)
            alias = (LEADER,) if there_is and kind.of_leader(there_is) in targets else ()
            row = FaultKindRow(
                seen_at=self._hub.now(),
                name=kind.name,
                title=kind.title,
                explain=kind.explain,
                targets=alias + targets,
                healable=kind.healable,
                why="" if targets else "nothing here that it could hit now",
            )
            if board.get(FaultKindRow, row.key) != row:
                self._hub.publish(row)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _seen_after(row: UnitRow | None, moment: float) -> bool:
    """Whether what the board says was observed after that moment."""
    return row is None or row.seen_at > moment
