"""Getting engines while the lab runs: the install is a process of its own, and its words become rows."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from typing import Literal

import msgspec

from rwk_tui.board.hub import Hub
from rwk_tui.board.kube_rows import EngineRow
from rwk_tui.board.source import CommandRefused
from rwk_tui.daemon.engines import Engines, called
from rwk_tui.daemon.spawn import python_path
from rwk_tui.engines.ask import EngineError
from rwk_tui.engines.cache import MANIFEST
from rwk_tui.settings import Settings, as_environment

log = logging.getLogger("rwk-tui")

PATIENCE = 20.0
"""Seconds in which an install that is broken off may tidy up."""
LINE = 256 * 1024
COMMAND = (sys.executable, "-P", "-m", "rwk_tui.daemon.background", "rwk_tui", "engines", "install")
_WAITS = "waits for its turn"
_MADE = {"go": "built", "download": "downloaded"}


class _Word(msgspec.Struct, frozen=True):
    """One line of `engines install --json`."""

    engine: str
    version: str
    state: Literal["installing", "ready", "failed"]
    done: float = 0.0
    left_s: float = 0.0
    text: str = ""


class Installs:
    """One install at a time; `command` is what gets the engines that are named after it."""

    def __init__(self, engines: Engines, hub: Hub, settings: Settings, command: Sequence[str] = COMMAND) -> None:
        self._engines = engines
        self._hub = hub
        self._settings = settings
        self._command = tuple(command)
        self._work: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._process: Process | None = None
        self._open: list[str] = []
        self._begun = 0.0
        self._worked: set[str] = set()
        self._stopping = False

    @property
    def busy(self) -> bool:
        """Whether an install is at work."""
        return self._work is not None and not self._work.done()

    def begin(self, names: Sequence[str], *, more: bool = False) -> None:
        """Begin to get these engines; without a name, all that are missing. Raises CommandRefused.

        With `more`, what building leaves behind is kept for an install that comes later.
        """
        if self.busy:
            raise CommandRefused(f"an install is at work: {', '.join(self._open)}")
        if self._settings.engines is not None:
            raise CommandRefused(f"engines come from {self._settings.engines}: what is installed would not be used")
        pins = self._engines.pins
        unknown = next((name for name in names if name not in pins), None)
        if unknown is not None:
            raise CommandRefused(f"there is no engine {unknown[:80]!r} to get: there are {', '.join(pins)}")
        wanted = [name for name in names or pins if name not in self._engines.found.versions]
        if not wanted:
            raise CommandRefused(f"{', '.join(names) or 'every engine'}: is here already")
        self._open, self._worked, self._stopping = list(dict.fromkeys(wanted)), set(), False
        for name in self._open:
            self._show(_Word(name, pins[name].version, "installing", text=_WAITS))
        words = (*self._open, *(("--keep",) if more else ()))
        self._work = asyncio.create_task(self._run(words), name="install")

    def stop(self) -> None:
        """Break it off; the rows say when that is done. Harmless when none is at work."""
        if self.busy and not self._stopping:
            self._stopping = True
            self._ending = asyncio.create_task(self._end(), name="end of the install")

    async def close(self) -> None:
        """Break it off, and wait for that."""
        self.stop()
        if self._work is not None:
            await asyncio.gather(self._work, return_exceptions=True)

    async def _run(self, words: tuple[str, ...]) -> None:
        why = ""
        try:
            why = await self._carry_out(words)
        except OSError as error:
            why = f"the install can't be started: {error.strerror or error}"
        except Exception as bug:
            # A mistake of ours must leave no row that says "installing" for ever.
            log.exception("the install could not be followed")
            why = f"the install could not be followed ({type(bug).__name__}: {bug})"
        left, self._open = self._open, []
        self._settle()
        if self._stopping and left:
            self._hub.tell("engines", f"the install of {', '.join(left)} was broken off", by_presenter=True)
        elif left:
            for name in left:
                self._fail(name, self._engines.pins[name].version, why or "the install ended without a word about it")

    async def _carry_out(self, words: tuple[str, ...]) -> str:
        """Run the command with these words to its end; the last thing that it complained of."""
        self._begun = time.monotonic()
        process = self._process = await asyncio.create_subprocess_exec(
            *self._command,
            *words,
            "--json",
            stdin=PIPE,  # nothing is ever written: it ends when we do
            stdout=PIPE,
            stderr=PIPE,
            limit=LINE,
            start_new_session=True,
            env={**os.environ, **python_path(), **as_environment(self._settings)},
        )
        try:
            if self._stopping:  # it was asked for before there was anything to end
                self._signal(signal.SIGTERM)
            assert process.stdout is not None
            assert process.stderr is not None
            said, _ = await asyncio.gather(_last_line(process.stderr), self._follow(process.stdout))
            code = await process.wait()
        finally:
            if process.returncode is None:
                self._signal(signal.SIGKILL)
            self._process = None
        return said.removeprefix("rwk-tui: ") or f"the install ended with exit code {code}"

    async def _follow(self, lines: asyncio.StreamReader) -> None:
        async for line in lines:
            try:
                word = msgspec.json.decode(line, type=_Word)
            except (msgspec.DecodeError, UnicodeDecodeError):
                log.warning("the install said %r", line[:200])
                continue
            if word.engine not in self._open:
                continue
            if word.state == "installing":
                self._worked.add(word.engine)
                self._show(word)
                continue
            self._open.remove(word.engine)
            if word.state == "ready":
                await self._arrived(word)
            else:
                self._fail(word.engine, word.version, word.text)
            self._begun = time.monotonic()  # they are got one after another

    async def _arrived(self, word: _Word) -> None:
        took = time.monotonic() - self._begun
        name = f"{called(word.engine.partition('-')[0])} {word.version}"
        try:
            await self._engines.look()
        except EngineError as error:
            self._fail(word.engine, word.version, str(error))
            return
        self._settle()
        if word.engine not in self._engines.found.versions:
            self._fail(word.engine, word.version, self._engines.found.missing.get(word.engine, word.text))
        elif word.engine not in self._worked:
            self._hub.tell("engines", f"{name} was here already", level="good")
        else:
            how = await asyncio.to_thread(self._how, word.engine)
            text = f"{name} is here, {how} in {_in_minutes(took)}"
            self._hub.tell("engines", text, level="good", duration_ms=round(took * 1000))

    def _settle(self) -> None:
        """Show engines as they were found, but for those that are still to come, and why others could not be got."""
        failed = [row.name for row in self._hub.board.rows(EngineRow) if row.state == "failed"]
        self._engines.publish(but=[*self._open, *failed])

    def _show(self, word: _Word) -> None:
        self._hub.publish(
            EngineRow(
                seen_at=self._hub.now(),
                name=word.engine,
                version=word.version,
                state=word.state,
                text=word.text,
                done=word.done,
                left_s=word.left_s or None,
                size=self._engines.pins[word.engine].keeps_mb * 1_000_000,
            )
        )

    def _fail(self, name: str, version: str, why: str) -> None:
        self._show(_Word(name, version, "failed", text=why))
        self._hub.tell("engines", f"{called(name)} could not be got: {why}", level="bad")

    def _how(self, name: str) -> str:
        """How it was made, as its directory says."""
        manifest = self._settings.engine_cache / self._engines.pins[name].directory / MANIFEST
        try:
            return _MADE[json.loads(manifest.read_text("utf-8"))["source"]]
        except (OSError, ValueError, KeyError, TypeError):
            return "got"

    async def _end(self) -> None:
        assert self._work is not None
        self._signal(signal.SIGTERM)
        done, _ = await asyncio.wait([self._work], timeout=PATIENCE)
        if not done:
            self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        """To the command alone, which ends what it started in order; at the very end to all of its group."""
        process = self._process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if number == signal.SIGKILL:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)


async def _last_line(stream: asyncio.StreamReader) -> str:
    """Read to the end; the last line that says something."""
    tail = b""
    while chunk := await stream.read(LINE):
        tail = (tail + chunk)[-4096:]
    lines = tail.decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _in_minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
