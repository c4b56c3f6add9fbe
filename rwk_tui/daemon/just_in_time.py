"""`play --install`: before each chapter, the daemon gets the engines that this chapter needs and that are not there."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence

from rwk_tui.board.kube_rows import EngineRow
from rwk_tui.board.rows import ChapterRow
from rwk_tui.daemon.client import CommandRefused
from rwk_tui.daemon.engines import called
from rwk_tui.daemon.hold import Follower
from rwk_tui.daemon.install_words import Due, Getting
from rwk_tui.daemon.progress import Report
from rwk_tui.daemon.protocol import Install
from rwk_tui.engines.pins import engine_pins
from rwk_tui.engines.progress import on_this_machine
from rwk_tui.engines.sets import find_set
from rwk_tui.settings import Settings
from rwk_tui.story.needs import chapter_row
from rwk_tui.story.schema import Chapter


class JustInTime:
    """Gets engines for chapters that are played one after another; `failed` says of each that could not be got why.

    What failed is not tried again, nor is anything got for a chapter that can't be told without it. Each failure is one
    line on stderr.
    """

    def __init__(self, lab: Follower, settings: Settings, report: Report) -> None:
        self._lab = lab
        self._settings = settings
        self._report = report
        self._due: dict[str, Due] = {}
        self.failed: dict[str, str] = {}

    async def plan(self, chapters: Sequence[Chapter]) -> None:
        """Look what all these chapters will need, and tell it. Raises EngineError if no etcd works."""
        pins, upstreams = engine_pins(), set[str]()
        for chapter in chapters:
            for name in await self._wanted(chapter):
                if name in self._due:
                    continue
                pin = pins[name]
                # What building one minor leaves in Go's caches serves the next.
                minutes = pin.minutes_after if pin.engine in upstreams else pin.minutes
                upstreams.add(pin.engine)
                stays = pin.keeps_mb * 1_000_000
                self._due[name] = Due(name, pin.version, chapter.name, on_this_machine(minutes), stays)
        if self._due:
            self._report.plan(tuple(self._due.values()))

    async def get_for(self, chapter: Chapter) -> None:
        """Get what this chapter needs; `failed` has grown where that could not be. Raises DaemonError."""
        while wanted := await self._wanted(chapter):
            if self._at_work():  # begun from elsewhere, for example in a cockpit: there is one install at a time
                await self._lab.until(lambda _: not self._at_work())
                continue
            try:
                more = any(self._is_missing(name) and name not in wanted for name in self._due)
                await self._lab.do(Install(engines=wanted, more=more))
            except CommandRefused as refusal:
                if not self._at_work():
                    self._refused(wanted, _one_line(str(refusal)))
                continue
            await self._follow(wanted)

    async def _wanted(self, chapter: Chapter) -> tuple[str, ...]:
        """What is to be got for a chapter: nothing if it can't be told anyway, because something else failed."""
        needed, better = await self._needs(chapter)
        missing = [name for name in needed if self._is_missing(name)]
        if any(name in self.failed for name in missing):
            return ()
        return *missing, *(name for name in better if self._is_missing(name) and name not in self.failed)

    async def _needs(self, chapter: Chapter) -> tuple[Sequence[str], Sequence[str]]:
        row = self._lab.board.get(ChapterRow, f"chapter/{chapter.name}")
        if row is None:  # it is made of a fault
            versions = (await asyncio.to_thread(find_set, self._settings)).versions
            row = chapter_row(chapter, versions, 0.0, own=self._settings.engines is not None)
        return row.engines, row.better

    async def _follow(self, names: Sequence[str]) -> None:
        """Tell how these are got, one after another in this order, until the last has ended somehow."""
        failures: dict[str, list[str]] = {}
        for name in names:
            if why := await self._follow_one(name):
                failures.setdefault(why, []).append(name)
        for why, failed in failures.items():  # together: a full disk or a missing network fails them all
            self._fail(failed, why)

    async def _follow_one(self, name: str) -> str:
        """Tell how one is got until it has ended; why it could not be got, "" if it could."""
        began = shown = time.monotonic()
        row = self._row(name)
        if row.state == "installing":
            self._report.getting(Getting(name, row.version, "begins", left_s=self._expected(name)))
        while row.state == "installing":
            row = await self._next_row(row)
            now = time.monotonic()
            if row.state == "installing" and row.done > 0 and now - shown >= self._report.EVERY:
                shown = now
                left_s, text = row.left_s or 0.0, _one_line(row.text)
                self._report.getting(
                    Getting(name, row.version, "installing", row.done, left_s, seconds=now - began, text=text)
                )
        seconds = time.monotonic() - began
        if row.state == "ready":
            self._report.getting(Getting(name, row.version, "ready", 1.0, seconds=seconds))
            return ""
        why = _one_line(row.text) if row.state == "failed" else "it was broken off"
        self._report.getting(Getting(name, row.version, "failed", seconds=seconds, text=why))
        return why

    async def _next_row(self, row: EngineRow) -> EngineRow:
        await self._lab.until(lambda _: self._row(row.name) is not row)
        return self._row(row.name)

    def _refused(self, names: Sequence[str], why: str) -> None:
        for name in names:
            self._report.getting(Getting(name, self._row(name).version, "failed", text=why))
        self._fail(names, why)

    def _fail(self, names: Sequence[str], why: str) -> None:
        self.failed |= dict.fromkeys(names, why)
        print(f"rwk-tui: {' and '.join(called(name) for name in names)} could not be got: {why}", file=sys.stderr)

    def _expected(self, name: str) -> float:
        due = self._due.get(name)
        return due.seconds if due is not None else on_this_machine(engine_pins()[name].minutes)

    def _at_work(self) -> bool:
        return any(row.state == "installing" for row in self._lab.board.all_of(EngineRow))

    def _is_missing(self, name: str) -> bool:
        row = self._lab.board.get(EngineRow, f"engine/{name}")
        return row is not None and row.state != "ready"

    def _row(self, name: str) -> EngineRow:
        row = self._lab.board.get(EngineRow, f"engine/{name}")
        assert row is not None, name  # only what has a row is wanted
        return row


def _one_line(text: str) -> str:
    return " ".join(text.split())
