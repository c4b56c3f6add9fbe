"""The catalogue at work: injects, watches what that does, heals, and hands out a card for each."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from msgspec.structs import replace

from rwk_tui.board.rows import FaultRow
from rwk_tui.board.targets import target_machines
from rwk_tui.faults import offers
from rwk_tui.faults.aim import aim
from rwk_tui.faults.base import Case, Fault, FaultRefused, NothingToHeal, Unable
from rwk_tui.faults.book import SHOWN, Book
from rwk_tui.faults.course import Course
from rwk_tui.faults.follow import Follower
from rwk_tui.faults.ground import Ground
from rwk_tui.faults.kinds import KINDS

__all__ = ["FaultRefused", "Faults"]

log = logging.getLogger(__name__)

ALERT = 20.0
"""Seconds for which everything is watched closely after a fault or its healing."""


class Faults:
    """Injects and heals; `record` is given all active faults before anything is done, `book` every card."""

    def __init__(self, ground: Ground, *, record: Callable[[tuple[FaultRow, ...]], None], book: Book) -> None:
        self._ground = ground
        self._hub = ground.hub
        self._watcher = ground.watcher
        self._record = record
        self._book = book
        self._follower = Follower(ground, book, self._shown)
        self._kinds = KINDS
        self._courses: dict[str, Course] = {}
        self._number = 1
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening = False

    @property
    def active(self) -> tuple[FaultRow, ...]:
        """The faults that last, oldest first."""
        return tuple(course.row for course in self._courses.values())

    def kinds(self) -> None:
        """Publish what can be broken, now and whenever that changes, and the newest cards."""
        if not self._listening:
            self._listening = True
            self._watcher.subscribe(self._look)
            self._hub.publish(*self._book.cards[-SHOWN:])
        offers.publish(self._kinds.values(), self._ground)

    async def inject(self, fault: str, target: str, confirm: str = "") -> FaultRow:
        """Break `target`; returns once that is done. What it did is measured and told afterwards."""
        kind = self._kinds.get(fault)
        if kind is None:
            raise FaultRefused(f"there is no fault {fault!r}: choose one of {', '.join(self._kinds)}")
        target = aim(kind, target, confirm, self._ground, self.active)
        course = self._new_course(kind, target)
        self._watcher.alert(ALERT)
        self._record((*self.active, course.row))
        for subject, state in kind.seen(target):
            self._watcher.expected.announce(subject, state)
        for machine in target_machines(target) or self._ground.lab.machines:
            self._watcher.expected.disturb(machine, course.row.since)
        # From here on it can be healed: whoever is cancelled in the middle may have broken something already.
        self._courses[course.row.id] = course
        if kind.healable:
            self._hub.publish(course.row)
        await self._break(course)
        text = f"{course.row.text} (you)"
        self._hub.tell("fault", text, level="bad", subject=course.row.key, by_presenter=True, at=course.row.since)
        self._watcher.refresh()
        self._follow(course)
        if not kind.healable:
            self._strike_out(course)
        return course.row

    async def heal(self, id: str = "") -> tuple[FaultRow, ...]:
        """Heal one fault, the newest with "", or every one with "all"; returns the healed ones, never refuses.

        Returns once what heals them was done; when all is well again is measured and told afterwards. What can't be
        healed yet stays, and is tried once more after the others.
        """
        chosen = [course for course in reversed(self._courses.values()) if not course.row.healing]
        if id != "all":
            chosen = [course for course in chosen if id in ("", course.row.id)][:1]
        healed: list[FaultRow] = []
        left: list[Course] = []
        for course in chosen:
            if course.row.id not in self._courses or course.row.healing:
                continue  # another client healed it meanwhile
            if await self._heal_one(course, last=len(chosen) == 1):
                healed.append(course.row)
            else:
                left.append(course)
        if len(chosen) > 1:
            again = [course for course in left if course.row.id in self._courses]
            healed += [course.row for course in again if await self._heal_one(course, last=True)]
        return tuple(healed)

    async def restore(self, rows: Iterable[FaultRow]) -> None:
        """Take up the faults that an earlier run recorded, as far as the lab still has them."""
        for row in rows:
            kind = self._kinds.get(row.fault)
            if (
                kind is None
                or not kind.healable
                or not set(target_machines(row.target)) <= set(self._ground.lab.machines)
            ):
                continue
            if not kind.persists(self._hub.board, row.target):
                continue
            row = replace(row, effect="", healing=False)
            course = Course(kind, Case(row.id, row.target, self._ground, row.since), row)
            self._courses[row.id] = course
            self._hub.publish(row)
            try:
                if kind.volatile:
                    await kind.inject(course.case)
            except Unable as error:
                self._hub.tell("fault", f"{row.text}: it could not be done again: {error}", subject=row.key)
                self._strike_out(course)
                continue
            course.acted = self._hub.now()
            self._sustain(course)
        self._record(self.active)

    def forget(self) -> None:
        """The lab was reset: nothing is broken any more, and nothing that is being measured counts."""
        for task in self._tasks:
            task.cancel()
        for course in self._courses.values():
            for task in course.tasks:
                task.cancel()
        self._hub.retract(*(row.key for row in self.active))
        self._courses.clear()
        self._record(())

    async def settled(self) -> None:
        """Wait until every effect is measured and told, and every card is handed out."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Stop measuring; active faults stay as they are."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*(course.stop() for course in self._courses.values()))
        await self.settled()

    # Injecting.

    def _new_course(self, kind: Fault, target: str) -> Course:
        now = self._hub.now()
        while f"f{self._number}" in self._courses:
            self._number += 1
        id = f"f{self._number}"
        self._number += 1
        row = FaultRow(seen_at=now, id=id, fault=kind.name, target=target, since=now, text=kind.done(target))
        return Course(kind, Case(id, target, self._ground, now), row)

    async def _break(self, course: Course) -> None:
        """Do it, in a task of its own that a healing can end. Raises FaultRefused where it can't be done."""
        work = course.start(course.kind.inject(course.case))
        try:
            await asyncio.wait([work])
        finally:
            course.acted = self._hub.now()
            if not work.done():
                await course.stop()
                if not course.kind.healable:
                    self._strike_out(course)
        if work.cancelled():
            raise FaultRefused(f"{course.kind.title.lower()}, {course.row.target}: broken off")
        error = work.exception()
        if isinstance(error, Unable):
            self._strike_out(course)
            why = str(error) or "it took too long"
            raise FaultRefused(f"{course.kind.title.lower()}, {course.row.target}: {why}") from error
        if error is not None:
            self._strike_out(course)
            raise error

    def _follow(self, course: Course) -> None:
        """Keep it up, look for its effect, and tell what it did."""
        looking = self._sustain(course)
        telling = self._start(lambda: self._follower.effect(course, looking))
        if not course.kind.healable:
            self._start(lambda: self._follower.card(course, 0.0, telling))

    def _sustain(self, course: Course) -> asyncio.Task[Any]:
        """Keep it up for as long as it lasts, and look for its effect."""
        if course.kind.healable:
            course.start(self._keep_up(course))
        return course.start(self._follower.sight(course))

    async def _keep_up(self, course: Course) -> None:
        try:
            await course.kind.keep_up(course.case)
        except Unable as error:
            self._hub.tell("fault", f"{course.row.text}: {error}", level="warning", subject=course.row.key)

    def _shown(self, course: Course) -> None:
        """A probe has seen it."""
        if course.row.id in self._courses and course.kind.healable and course.sight is not None:
            course.row = replace(course.row, effect=course.sight.words)
            self._hub.publish(course.row)

    # Healing.

    async def _heal_one(self, course: Course, *, last: bool) -> bool:
        """Heal one; whether it is struck out. Where it can't be healed now, that is told if this try is the `last`."""
        kind, row = course.kind, course.row
        self._watcher.alert(ALERT)
        for subject, state in kind.seen_healed(row.target):
            self._watcher.expected.announce(subject, state)
        others = tuple(other for other in self.active if other.id != row.id)
        at = self._hub.now()
        self._hub.tell("heal", f"{kind.undone(row.target)} (you)", subject=row.key, by_presenter=True, at=at)
        course.row = row = replace(row, healing=True)
        self._hub.publish(row)
        problem, stays = "", True
        try:
            await course.stop()
            await kind.heal(course.case, others)
            stays = False
        except NothingToHeal as error:
            problem, stays = f"nothing left to heal on {row.target}: {error}", False
        except Unable as error:
            problem = f"{row.text}: it can't be healed now: {error or 'it took too long'}"
        finally:
            if stays:
                self._goes_on(course)
        self._watcher.refresh()
        if stays:
            if last:
                self._hub.tell("heal", problem, level="bad", subject=row.key)
            return False
        known = row.id in self._courses
        self._strike_out(course)
        if problem:
            self._hub.tell("heal", problem, level="warning", subject=row.key)
        elif known:  # else the lab was reset meanwhile
            self._start(lambda: self._follower.card(course, at))
        return True

    def _goes_on(self, course: Course) -> None:
        """It was not healed: it lasts as before."""
        if course.row.id in self._courses:
            course.row = replace(course.row, healing=False)
            self._hub.publish(course.row)
            self._sustain(course)

    def _strike_out(self, course: Course) -> None:
        self._courses.pop(course.row.id, None)
        self._record(self.active)
        self._hub.retract(course.row.key)

    def _look(self) -> None:
        """Something changed: strike out what was mended by other means, and say what can be broken now."""
        for course in list(self._courses.values()):
            if course.row.healing or math.isinf(course.acted):
                continue
            if course.kind.is_over(self._hub.board, course.row.target, course.acted):
                for task in course.tasks:
                    task.cancel()
                self._strike_out(course)
                self._hub.tell("heal", f"no longer so: {course.row.text}", subject=course.row.key)
        offers.publish(self._kinds.values(), self._ground)

    def _start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        task = asyncio.create_task(self._say_mistakes(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _say_mistakes(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do it; a mistake of our own is told, for nobody waits to hear of it."""
        try:
            await work()
        except Exception as error:
            self._hub.tell("fault", f"the catalogue made a mistake ({type(error).__name__}: {error})", level="bad")
            log.exception("the catalogue made a mistake")
