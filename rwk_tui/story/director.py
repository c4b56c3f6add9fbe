"""The director: tells a chapter step by step, one thing at a time, and can always be stopped."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from msgspec.structs import replace

from rwk_tui.board.frames import Check, Level, StepStatus, Story
from rwk_tui.board.frames import Step as StepShown
from rwk_tui.cluster.version import Version, read_version
from rwk_tui.story.checks import Memory
from rwk_tui.story.context import Context
from rwk_tui.story.needs import chapter_row
from rwk_tui.story.plan import commands
from rwk_tui.story.prepare import aim, build_starts, find_version
from rwk_tui.story.runner import Refusals, Runner, StepFailed
from rwk_tui.story.schema import Chapter, Step
from rwk_tui.story.shelf import Refused, Shelf

__all__ = ["Director", "Refused"]

log = logging.getLogger(__name__)


class Director:
    """Tells chapters; every method but `settled` and `close` starts its work and returns once it is accepted.

    `record(chapter, step)` is called before the director acts, so that a later run knows where to go on; `take_up`
    before the lab is built anew, when it may begin to run other versions.
    """

    def __init__(
        self,
        context: Context,
        chapters: Sequence[Chapter],
        record: Callable[[str, int], None],
        take_up: Callable[[], None] = lambda: None,
    ) -> None:
        self._context = context
        self._take_up = take_up
        self._shelf = Shelf(chapters, context.lab.slack)
        self._record = record
        self._runner = Runner(context)
        self._chapter: Chapter | None = None
        self._story = Story()
        self._version: Version = ()
        self._last = -1
        self._dirty = False
        self._work: asyncio.Task[None] | None = None
        self.publish()

    def publish(self) -> None:
        """Put the chapters on the board; again when other engines are there."""
        now, versions = self._context.hub.now(), self._context.site.versions
        own = self._context.settings.engines is not None
        self._context.hub.publish(*(chapter_row(chapter, versions, now, own=own) for chapter in self._shelf.told))

    @property
    def is_telling(self) -> bool:
        """Whether a chapter is open."""
        return self._chapter is not None

    @property
    def busy(self) -> bool:
        """Whether something is being done."""
        return self._work is not None and not self._work.done()

    async def open(self, chapter: str, step: int = 0) -> None:
        """Open a chapter and prepare the lab to its step (0-based). Raises Refused when busy or unknown."""
        found = self._shelf.find(chapter, step, self._context.site.versions)
        self._accept(lambda: self._open(found, step))

    async def resume(self, chapter: str, step: int) -> None:
        """Show a chapter at a step that an earlier run reached, with the lab as it is. Raises Refused like `open`."""
        found = self._shelf.find(chapter, step, self._context.site.versions)
        self._accept(lambda: self._resume(found, step))

    async def next(self) -> None:
        """Run the shown step. Raises Refused when busy or when there is none."""
        at = self._shown()
        self._accept(lambda: self._run(at, prepare=self._dirty))

    async def back(self) -> None:
        """Prepare the lab to the step before the shown one. Raises Refused when busy or at the beginning."""
        if self._chapter is None:
            raise Refused("open a chapter first")
        if self._story.step == 0:
            raise Refused("this is the first step")
        at = self._story.step - 1
        self._accept(lambda: self._prepare(at))

    async def repeat(self) -> None:
        """Run the last step once more, after undoing it or preparing the lab to it. Raises Refused when busy."""
        if self._chapter is None or self._last < 0:
            raise Refused("there is no step to repeat yet")
        at = self._last
        undo = self._chapter.steps[at].undo
        clean = bool(undo) and not self._dirty and self._story.step == at + 1
        self._accept(lambda: self._undo_and_run(at) if clean else self._run(at, prepare=True))

    async def skip(self) -> None:
        """Pass over the shown step without doing it. Raises Refused when busy or when there is none."""
        at = self._shown()
        if self.busy:
            raise Refused(f"busy: {self._story.busy}")
        self._record(self._story.chapter, at + 1)
        self._put_step(at, status="skipped")
        self._show(step=at + 1, error="")
        self._preview()

    async def cancel(self) -> None:
        """Stop what is being done; harmless when nothing is."""
        if self._work is not None:
            self._work.cancel()

    async def settled(self) -> None:
        """Wait until nothing is being done."""
        while self._work is not None and not self._work.done():
            await asyncio.wait([self._work])

    async def close(self) -> None:
        """Stop everything, background commands too."""
        await self.cancel()
        await self.settled()
        await self._runner.end_background("chapter")

    def _shown(self) -> int:
        if self._chapter is None:
            raise Refused("open a chapter first")
        if self._story.step >= len(self._chapter.steps):
            raise Refused("the chapter is done; choose another")
        return self._story.step

    def _accept(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if self.busy:
            raise Refused(f"busy: {self._story.busy}")
        self._show(busy="starting", error="")
        self._work = asyncio.create_task(self._guard(work))
        self._work.add_done_callback(self._ended)

    def _ended(self, _work: asyncio.Task[None]) -> None:
        # Work that is cancelled before its first step never gets to say so itself.
        if self._story.busy:
            self._dirty = True
            self._show(busy="", error="cancelled before it began")

    async def _guard(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        error = ""
        try:
            await work()
        except asyncio.CancelledError:
            self._dirty = True
            error = "cancelled; the next step starts from a freshly prepared lab"
        except (*Refusals, StepFailed) as refusal:
            self._dirty = True
            error = str(refusal) or "it took too long"
        except Exception as bug:
            # The lab and its viewers must outlive a mistake of ours; it is shown, and its origin is in the log.
            self._dirty = True
            error = f"the director made a mistake ({type(bug).__name__}: {bug})"
            log.exception("the director made a mistake")
        if error:
            steps = tuple(
                replace(step, status="failed" if step.status == "running" else step.status)
                for step in self._story.steps
            )
            self._show(steps=steps)
            self._runner.note("", error)
        self._show(busy="", error=error or self._story.error)

    async def _open(self, chapter: Chapter, step: int) -> None:
        await self._runner.end_background("chapter")
        self._begin(chapter, step)
        await self._prepare(step)

    async def _resume(self, chapter: Chapter, step: int) -> None:
        self._begin(chapter, step)
        for number in range(step):
            self._put_step(number, status="passed")
        self._last, self._dirty = step - 1, False
        self._version = await find_version(self._context)
        await aim(chapter.starts, self._context)
        self._preview()

    def _begin(self, chapter: Chapter, step: int) -> None:
        self._chapter, self._last = chapter, -1
        shown = tuple(StepShown(title=s.title, say=s.say, notes=s.notes) for s in chapter.steps)
        self._show(chapter=chapter.name, title=chapter.title, goal=chapter.goal, steps=shown, step=step, error="")

    async def _prepare(self, upto: int) -> None:
        chapter = self._open_chapter()
        self._record(chapter.name, upto)
        self._dirty = True
        self._show(busy=f"preparing: building the start of {chapter.title}", step=upto, error="")
        for number in range(len(chapter.steps)):
            self._put_step(number, status="waiting", checks=(), seconds=0.0, commands=())
        await self._runner.end_background("chapter")
        self._take_up()
        await build_starts(chapter, self._context)
        self._version = await find_version(self._context)
        self._preview()
        for number in range(upto):
            self._show(busy=f"preparing {number + 1}/{upto}: {chapter.steps[number].title}")
            status = await self._tell(number)
            if status == "failed":
                raise StepFailed(f"could not prepare: step {number + 1} failed, {self._why(number)}")
        self._dirty = False
        self._last = upto - 1
        self._show(step=upto)
        await self._context.site.look()
        self._preview()

    async def _run(self, at: int, *, prepare: bool) -> None:
        chapter = self._open_chapter()
        if prepare:
            await self._prepare(at)
        self._record(chapter.name, at)
        self._show(step=at, busy=f"step {at + 1}/{len(chapter.steps)}: {chapter.steps[at].title}", error="")
        self._last = at
        status = await self._tell(at)
        error = f"step {at + 1} failed: {self._why(at)}" if status == "failed" else ""
        self._record(chapter.name, at + 1)
        self._show(step=at + 1, error=error)
        self._tell_ended(at)
        if at + 1 == len(chapter.steps):
            await self._runner.end_background("chapter")
        await self._context.site.look()
        self._preview()

    async def _undo_and_run(self, at: int) -> None:
        step = self._open_chapter().steps[at]
        self._record(self._story.chapter, at)
        self._show(step=at, busy=f"undoing: {step.title}", error="")
        memory = Memory(began=self._context.hub.now())
        await self._runner.act(step.title, step.undo, memory, [], lambda: None)
        await self._run(at, prepare=False)

    async def _tell(self, at: int) -> StepStatus:
        step = self._open_chapter().steps[at]
        if missing := self._missing(step):
            check = Check(expect=step.needs, status="skipped", saw=missing)
            # First the step, then its remark: what was printed before a step was begun is not its own.
            self._put_step(at, status="skipped", checks=(check,))
            self._runner.note(step.title, f"skipped: needs {step.needs}, and this is {missing}")
            return "skipped"
        planned = commands(step.do, self._context)
        self._put_step(at, status="running", commands=planned)
        started = time.monotonic()

        def show(checks: tuple[Check, ...], ran: tuple[str, ...]) -> None:
            # What ran is exact; what is still to come stays as it was planned.
            seconds = round(time.monotonic() - started, 3)
            self._put_step(at, checks=checks, commands=ran + planned[len(ran) :], seconds=seconds)

        status = await self._runner.run(step, show)
        self._put_step(at, status=status, seconds=round(time.monotonic() - started, 3))
        return status

    def _tell_ended(self, at: int) -> None:
        """Put the end of a step on the timeline."""
        step = self._story.steps[at]
        levels: dict[StepStatus, Level] = {"passed": "good", "failed": "bad", "known": "warning"}
        self._context.hub.tell(
            "step",
            f"step {at + 1} {step.status}: {step.title}",
            level=levels.get(step.status, "info"),
            subject=f"chapter/{self._story.chapter}",
            by_presenter=True,
            duration_ms=round(step.seconds * 1000) if step.status != "skipped" else None,
        )

    def _missing(self, step: Step) -> str:
        if not step.needs or not self._version or self._version >= read_version(step.needs):
            return ""
        return f"etcd {'.'.join(str(part) for part in self._version)}"

    def _why(self, at: int) -> str:
        failed = [check for check in self._story.steps[at].checks if check.status == "failed"]
        return f"{failed[0].expect}, but saw: {failed[0].saw}" if failed else "it was not finished"

    def _preview(self) -> None:
        """Plan the commands of the steps that are still to come, with what is known now."""
        for number, step in enumerate(self._open_chapter().steps):
            if self._story.steps[number].status == "waiting":
                checks = tuple(Check(expect=check.text, status="waiting") for check in step.expect)
                self._put_step(number, commands=commands(step.do, self._context), checks=checks)

    def _open_chapter(self) -> Chapter:
        if self._chapter is None:
            raise Refused("open a chapter first")
        return self._chapter

    def _put_step(self, at: int, **changes: Any) -> None:
        steps = list(self._story.steps)
        steps[at] = replace(steps[at], **changes)
        self._show(steps=tuple(steps))

    def _show(self, **changes: Any) -> None:
        self._story = replace(self._story, **changes)
        self._context.hub.story(self._story)
