"""The daemon itself: one lab, its clients, and the stream between them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any, Literal

from rwk_tui.board.frames import Frame
from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import LabRow
from rwk_tui.board.source import CommandRefused
from rwk_tui.daemon.commands import dispatch
from rwk_tui.daemon.connection import Connection
from rwk_tui.daemon.lifetime import GRACE, Lifetime
from rwk_tui.daemon.parts import Compose, Parts
from rwk_tui.daemon.places import record_file
from rwk_tui.daemon.protocol import AnyCommand, Cancel, Heal, Hello, Logs, Reset, Resume
from rwk_tui.daemon.record import Record
from rwk_tui.daemon.server import Server
from rwk_tui.daemon.wire import encode_frame
from rwk_tui.settings import Settings
from rwk_tui.tape.write import TapeWriter

log = logging.getLogger("rwk-tui")

BEAT = 0.05
"""Seconds between two frames at least."""
LIFE = 1.0
"""Seconds after which an empty frame is sent as a sign of life."""
LOOK = 2.0
"""Seconds between two looks whether the socket is still there: a lab that nobody can reach is halted."""
TELL_WITHIN = 5.0
"""Seconds that a daemon which could not start waits for a client to tell why."""
ETCD_PORT = 2379

Phase = Literal["starting", "ready", "choose", "resetting", "ending"]


class Service:
    """Runs one lab until its lifetime ends; `load` imports what is heavy and is called in a thread."""

    def __init__(self, settings: Settings, load: Callable[[], Compose], *, grace: float = GRACE) -> None:
        self._settings = settings
        self._load = load
        self.hub = Hub()
        self.lifetime = Lifetime(settings.linger, grace)
        self._record = Record(record_file(settings), self._complain)
        self._server = Server(settings, self, self.lifetime)
        self._tape: TapeWriter | None = None
        self._parts: Parts | None = None
        self._phase: Phase = "starting"
        self._reach: tuple[tuple[str, str], ...] = ()
        self._work: asyncio.Task[None] | None = None
        self._failure = ""
        self._sent = 0

    async def run(self) -> int:
        """Serve until it is time to end, then halt the lab; returns the exit code."""
        self._publish("starting")
        await self._server.open()
        if self._settings.tape is not None:
            self._tape = TapeWriter(self._settings.tape, self._complain)
            self._tape.write(self.snapshot())
        self.lifetime.begin()
        pump = asyncio.create_task(self._pump())
        pump.add_done_callback(lambda _: self.lifetime.end("the daemon can send no more frames"))
        self._begin(self._start())
        await self.lifetime.ended.wait()
        log.info("ending: %s", self.lifetime.reason)
        await self._halt()
        pump.cancel()
        await asyncio.gather(pump, return_exceptions=True)
        self.flush()
        await self._server.close(self._failure or f"{self.lifetime.reason}; the lab is halted")
        if self._tape is not None:
            self._tape.close()
        return 1 if self._failure else 0

    def flush(self, *, sign_of_life: bool = False) -> int:
        """Send what changed to every client and to the tape; returns the number of the last frame sent.

        If nothing changed, only a sign of life is worth a frame: commands without effect must not flood the others.
        """
        frame = self.hub.drain()
        if sign_of_life or frame != Frame(seq=frame.seq, at=frame.at):
            line = encode_frame(frame)
            self._server.broadcast(line)
            if self._tape is not None:
                self._tape.write(line)
            self._sent = frame.seq
        return self._sent

    def snapshot(self) -> bytes:
        """The whole board as a line."""
        return encode_frame(self.hub.snapshot())

    async def do(self, command: AnyCommand, client: Connection) -> None:
        """Carry out a command. Raises CommandRefused."""
        parts = self._parts
        match command:
            case Hello():
                raise CommandRefused("hello was said already")
            case Reset():
                await self._reset()
            case Resume():
                if self._phase != "choose" or parts is None:
                    raise CommandRefused("there is nothing to resume")
                self._publish("starting")  # at once: a second choice in the same moment must find it made
                self._begin(self._resume(parts))
            case Cancel() | Heal() if self._phase != "ready":
                pass
            case _ if parts is None or self._phase in ("starting", "resetting", "ending"):
                raise CommandRefused(f"the lab is {self._phase}, a moment please")
            case _ if self._phase == "choose" and not isinstance(command, Logs):
                raise CommandRefused("first choose: resume the lab that was left behind, or reset it")
            case _:
                await dispatch(command, client, parts, self.hub)

    async def _pump(self) -> None:
        looked = 0.0
        while True:
            await self.hub.changed(LIFE)
            self.flush(sign_of_life=True)
            await asyncio.sleep(BEAT)
            if time.monotonic() - looked > LOOK:
                looked = time.monotonic()
                if not self.lifetime.attended and not self._server.reachable:
                    self.lifetime.end("nobody attends the lab, and its socket was taken away")

    async def _start(self) -> None:
        recorded = self._record.load()
        compose = await asyncio.to_thread(self._load)
        parts = await compose(self._settings, self.hub, self._record)
        self._parts = parts
        self._reach = tuple(
            [(name, "{}:{}".format(*await machine.reach(ETCD_PORT))) for name, machine in parts.lab.machines.items()]
        )
        left_behind = await parts.lab.left_behind()
        if left_behind:
            at = f", in step {recorded.step + 1} of {recorded.chapter}" if recorded.chapter else ""
            self._publish("choose", f"{left_behind}{at}")
            return
        self._record.clear()
        await self._watch(parts)
        await parts.lab.up()
        parts.watcher.canary.new_epoch("a fresh lab")
        self._publish("ready")
        parts.watcher.refresh()

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
        self._publish("ready")
        self.hub.tell("lab", "the lab goes on from where it broke off", level="good", by_presenter=True)

    async def _reset(self) -> None:
        parts = self._parts
        if parts is None or self._phase not in ("choose", "ready"):
            raise CommandRefused(f"the lab is {self._phase}, a moment please")
        story = self.hub.board.story
        if self._phase == "ready" and story.chapter:
            await parts.director.cancel()
            await parts.director.settled()
            try:
                await parts.director.open(story.chapter, 0)
            except parts.refusals as refusal:
                raise CommandRefused(str(refusal)) from refusal
            return
        fresh = self._phase == "choose"
        self._publish("resetting")
        self._begin(self._empty(parts, fresh=fresh))

    async def _empty(self, parts: Parts, *, fresh: bool) -> None:
        if fresh:
            await self._watch(parts)
        parts.faults.forget()
        self._record.clear()
        await parts.lab.reset()
        parts.watcher.canary.new_epoch("the lab was reset")
        self._publish("ready")
        parts.watcher.refresh()

    async def _watch(self, parts: Parts) -> None:
        await parts.watcher.start()
        parts.faults.kinds()

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
            self._failure = " ".join(f"{kind}{error}".split())
            log.error("%s", self._failure)
            self._complain(self._failure)
            try:
                async with asyncio.timeout(TELL_WITHIN):
                    await self._server.greeted.wait()
            except TimeoutError:
                pass
            self.lifetime.end(self._failure)

    async def _halt(self) -> None:
        self._server.ending(f"the lab is being halted ({self.lifetime.reason})")
        self._publish("ending")
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
        parts = self._parts
        if parts is None:
            return
        await self._calmly("the story", parts.director.close(), 5.0)
        await self._calmly("the faults", parts.faults.close(), 5.0)
        await self._calmly("the watcher", parts.watcher.stop(), 5.0)
        await self._calmly("the lab", parts.lab.down(), 2 * self._settings.timeouts.stop * parts.lab.slack + 10.0)

    async def _calmly(self, what: str, work: Coroutine[Any, Any, None], seconds: float) -> None:
        """End one part; whatever happens, the others are ended too."""
        try:
            async with asyncio.timeout(seconds):
                await work
        except Exception:
            log.exception("%s did not end as it should", what)

    def _publish(self, phase: Phase, left_behind: str = "") -> None:
        self._phase = phase
        parts = self._parts
        row = LabRow(
            seen_at=self.hub.now(),
            backend=self._settings.backend,
            engines=parts.engines if parts else "",
            state=phase,
            left_behind=left_behind,
            directory=str(self._settings.state),
            reach=self._reach,
            path=parts.path if parts else (),
        )
        self.hub.publish(row)

    def _complain(self, line: str) -> None:
        log.warning("%s", line)
        self.hub.tell("daemon", line, level="bad")
