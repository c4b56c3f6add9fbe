"""The daemon itself: one lab, its clients, and the stream between them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from rwk_tui.board.frames import Frame
from rwk_tui.board.hub import Hub
from rwk_tui.board.source import CommandRefused
from rwk_tui.daemon.commands import dispatch
from rwk_tui.daemon.connection import Connection
from rwk_tui.daemon.lifetime import GRACE, Lifetime
from rwk_tui.daemon.parts import Compose
from rwk_tui.daemon.phases import Phases
from rwk_tui.daemon.places import record_file
from rwk_tui.daemon.protocol import AnyCommand, Cancel, Heal, Hello, Install, Logs, Reset, Resume
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


class Service:
    """Runs one lab until its lifetime ends; `load` imports what is heavy and is called in a thread."""

    def __init__(self, settings: Settings, load: Callable[[], Compose], *, grace: float = GRACE) -> None:
        self._settings = settings
        self._load = load
        self.hub = Hub()
        self.lifetime = Lifetime(settings.linger, grace)
        record = Record(record_file(settings), self._complain)
        self._server = Server(settings, self, self.lifetime)
        self._phases = Phases(settings, self.hub, record, self.lifetime, self._server.greeted, self._complain)
        self._tape: TapeWriter | None = None
        self._sent = 0

    async def run(self) -> int:
        """Serve until it is time to end, then halt the lab; returns the exit code."""
        await self._server.open()
        if self._settings.tape is not None:
            self._tape = TapeWriter(self._settings.tape, self._complain)
            self._tape.write(self.snapshot())
            if self._tape.running:
                self.hub.tell("tape", f"recorded to {self._tape.path.name}")  # Not where: tapes are given away.
        self.lifetime.begin()
        pump = asyncio.create_task(self._pump())
        pump.add_done_callback(lambda _: self.lifetime.end("the daemon can send no more frames"))
        self._phases.start(self._load)
        await self.lifetime.ended.wait()
        log.info("ending: %s", self.lifetime.reason)
        self._server.ending(f"the lab is being halted ({self.lifetime.reason})")
        await self._phases.halt()
        pump.cancel()
        await asyncio.gather(pump, return_exceptions=True)
        self.flush()
        last_words = self._phases.failure or f"{self.lifetime.reason}; {self._phases.fate}"
        if self.tape:
            last_words = f"{last_words}; recorded to {self.tape}"
        await self._server.close(last_words, halted=self._phases.halted)
        if self._tape is not None:
            self._tape.close()
        return 1 if self._phases.failure else 0

    @property
    def tape(self) -> str:
        """The file that all that is sent is recorded to, "" for none."""
        return str(self._tape.path) if self._tape is not None and self._tape.running else ""

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
        parts, phase = self._phases.parts, self._phases.now
        match command:
            case Hello():
                raise CommandRefused("hello was said already")
            case Reset():
                await self._phases.reset()
            case Resume():
                self._phases.resume()
            case Cancel() | Heal() if phase != "ready":
                pass
            case Logs(unit=""):
                client.follow("", None, 0)
            case _ if parts is None or phase in ("starting", "resetting", "ending"):
                raise CommandRefused(f"the lab is {phase}, a moment please")
            case _ if phase == "choose" and not isinstance(command, Logs | Install):
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

    def _complain(self, line: str) -> None:
        log.warning("%s", line)
        self.hub.tell("daemon", line, level="bad")
