"""From one phase of the lab to the next: its start, the choice about an earlier run, resume, reset, and its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from rwk_tui.board.hub import Hub
from rwk_tui.board.source import CommandRefused
from rwk_tui.cluster.kubernetes.units import API_SERVER
from rwk_tui.daemon.lifetime import Lifetime
from rwk_tui.daemon.parts import Compose, Parts
from rwk_tui.daemon.record import Record
from rwk_tui.daemon.sign import LabSign, Phase
from rwk_tui.daemon.ways import Ways
from rwk_tui.lab.protocol import Lab
from rwk_tui.settings import Settings

log = logging.getLogger("rwk-tui")

TELL_WITHIN = 5.0
"""Seconds that a daemon which could not start waits for a client to tell why."""
HEAL_WITHIN = 30.0
"""Seconds that healing a lab which is left may take, to be multiplied by the backend's slack."""
INSTALL_WITHIN = 25.0
"""Seconds that an install may take to end in order."""

_HALTED = "the lab is halted"


class Phases:
    """Brings up one lab, and halts it; `greeted` is set when there is a client to tell anything."""

    def __init__(
        self,
        settings: Settings,
        hub: Hub,
        record: Record,
        lifetime: Lifetime,
        greeted: asyncio.Event,
        complain: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._hub = hub
        self._record = record
        self._lifetime = lifetime
        self._greeted = greeted
        self._complain = complain
        self._sign = LabSign(hub, settings)
        self._ways: Ways | None = None
        self._work: asyncio.Task[None] | None = None
        self.parts: Parts | None = None
        self.fate = _HALTED
        """What became of the lab at the end."""
        self.failure = ""
        """Why there is no lab, in one line; "" as long as there may be one."""

    @property
    def halted(self) -> bool:
        """Whether nothing of the lab runs any more, once all has ended."""
        return self.fate == _HALTED

    @property
    def now(self) -> Phase:
        """The phase the lab is in."""
        return self._sign.phase

    def start(self, load: Callable[[], Compose]) -> None:
        """Make the parts and bring the lab up, or ask what becomes of one that an earlier run left behind."""
        self._begin(self._start(load))

    def resume(self) -> None:
        """Go on with the lab that was left behind. Raises CommandRefused."""
        parts = self.parts
        if self.now != "choose" or parts is None:
            raise CommandRefused("there is nothing to resume")
        self._sign.turn("starting")  # at once: a second choice in the same moment must find it made
        self._begin(self._resume(parts))

    async def reset(self) -> None:
        """Empty the lab; an open chapter is told from its beginning. Raises CommandRefused."""
        parts = self.parts
        if parts is None or self.now not in ("choose", "ready"):
            raise CommandRefused(f"the lab is {self.now}, a moment please")
        story = self._hub.board.story
        if self.now == "ready" and story.chapter:
            await parts.director.cancel()
            await parts.director.settled()
            try:
                await parts.director.open(story.chapter, 0)
            except parts.refusals as refusal:
                raise CommandRefused(str(refusal)) from refusal
            return
        fresh = self.now == "choose"
        self._sign.turn("resetting")
        self._begin(self._empty(parts, fresh=fresh))

    async def halt(self) -> None:
        """End everything in order; whatever happens to one part, the others are ended too.

        Machines that outlive us are left running, unless they are to be halted too, and well: nobody would heal them.
        """
        phase = self.now
        self._sign.turn("ending")
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
        if self._ways is not None:
            await self._ways.close()
        parts = self.parts
        if parts is None:
            return
        parts.installs.stop()
        await _calmly("the story", parts.director.close(), 5.0)
        leaving = parts.lab.outlives and not self._lifetime.halt
        if leaving and phase == "ready":
            await _calmly("healing", parts.faults.heal("all"), HEAL_WITHIN * parts.lab.slack)
        await _calmly("the faults", parts.faults.close(), 5.0)
        await _calmly("the watcher", parts.watcher.stop(), 5.0)
        patience = 2 * self._settings.timeouts.stop * parts.lab.slack + 10.0
        if parts.lab.outlives:  # those are switched off one after the other, as their provider likes it
            patience = len(parts.lab.machines) * self._settings.timeouts.machine_start * parts.lab.slack
        amiss, _ = await asyncio.gather(
            _calmly("the lab", parts.lab.leave() if leaving else _down(parts.lab), patience),
            _calmly("the install", parts.installs.close(), INSTALL_WITHIN),
        )
        if leaving:
            self.fate = "its machines run on (`rwk-tui down` halts them)"
        elif amiss and parts.lab.outlives:  # what does not outlive us ends with us, however that went
            self.fate = f"the lab is not halted as it should be: {amiss}"

    async def _start(self, load: Callable[[], Compose]) -> None:
        recorded = self._record.load()
        compose = await asyncio.to_thread(load)
        parts = self.parts = await compose(self._settings, self._hub, self._record)
        self._sign.show(outlives=parts.lab.outlives)
        parts.lab.narrate(self._narrated, self._complained)
        parts.engines.subscribe(self._show_engines)
        self._show_engines()
        self._ways = Ways(parts, self._hub, self._sign, self._complain)
        await self._ways.look()
        left_behind = await parts.lab.left_behind()
        if left_behind:
            at = f", in step {recorded.step + 1} of {recorded.chapter}" if recorded.chapter else ""
            self._sign.turn("choose", f"{left_behind}{at}")
            return
        self._record.clear()
        await self._watch(parts)
        await parts.lab.up()
        parts.watcher.canary.new_epoch("a fresh lab")
        self._ready(parts)

    async def _resume(self, parts: Parts) -> None:
        recorded = self._record.now
        await self._watch(parts)
        await parts.lab.up()
        parts.watcher.refresh()
        await parts.faults.restore(recorded.faults)
        if recorded.chapter and parts.resume is not None:
            try:
                await parts.resume(recorded.chapter, recorded.step)
                await parts.director.settled()
            except parts.refusals as refusal:
                # The chapter may have been edited meanwhile; the lab itself is there all the same.
                self._complain(f"{recorded.chapter} can't be shown again: {refusal}")
        self._ready(parts)
        self._hub.tell("lab", "the lab goes on from where it broke off", level="good", by_presenter=True)

    async def _empty(self, parts: Parts, *, fresh: bool) -> None:
        if fresh:
            await self._watch(parts)
        parts.faults.forget()
        self._record.clear()
        await parts.lab.reset()
        parts.watcher.canary.new_epoch("the lab was reset")
        self._ready(parts)

    async def _watch(self, parts: Parts) -> None:
        await parts.watcher.start()
        parts.faults.kinds()

    def _narrated(self, machine: str, words: str) -> None:
        """A slow backend says what it does: on the sign, and in the log for those who look for more."""
        log.info("%s: %s", machine, words)
        self._sign.show(doing=f"{machine}: {words}")

    def _complained(self, machine: str, words: str) -> None:
        """Something is not as it should be on a machine, and nobody waits for it."""
        log.warning("%s: %s", machine, words)
        named = words if machine in words else f"{machine}: {words}"
        self._hub.tell("machine", named, level="warning", subject=f"machine/{machine}")

    def _ready(self, parts: Parts) -> None:
        assert self._ways is not None
        self._sign.show(doing="")
        self._ways.follow()
        self._sign.turn("ready")
        parts.watcher.refresh()

    def _show_engines(self) -> None:
        assert self.parts is not None
        self._sign.show(engines=self.parts.engines.words, path=self.parts.engines.path)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what brings the lab to its next phase; if that fails there is no lab to serve, and the daemon ends."""
        self._work = asyncio.create_task(self._guard(work))

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            log.exception("the lab could not be brought up")
            # Settings, engines, disk and ports fail with one line meant for people; the rest is a mistake of ours.
            kind = "" if type(error).__module__.startswith("rwk_tui") else f"{type(error).__name__}: "
            self.failure = " ".join(f"{kind}{error}".split())
            log.error("%s", self.failure)
            self._complain(self.failure)
            try:
                async with asyncio.timeout(TELL_WITHIN):
                    await self._greeted.wait()
            except TimeoutError:
                pass
            self._lifetime.end(self.failure)


async def _down(lab: Lab) -> None:
    """Halt the machines, API servers first: a member that halts waits 7 s for the streams that they hold open.

    They keep nothing themselves, so they need not be asked; they stay wanted, and come back with their machines.
    """
    servers = (machine.unit(API_SERVER) for machine in lab.machines.values())
    await asyncio.gather(*(server.kill() for server in servers), return_exceptions=True)
    await lab.down()


async def _calmly(what: str, work: Coroutine[Any, Any, None], seconds: float) -> str:
    """End one part; whatever happens, the others are ended too. Why it did not end well, "" if it did."""
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        log.exception("%s did not end as it should", what)
        return f"it took longer than {seconds:g} s"
    except Exception as error:
        log.exception("%s did not end as it should", what)
        return " ".join(str(error).split())
    return ""
