"""One client of the daemon, as the daemon sees it: its lines in, its lines out, and how much it may lag behind."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

from rwk_tui.daemon.protocol import Bye, Hello, LogLines, Reply
from rwk_tui.daemon.wire import encode
from rwk_tui.lab.protocol import LabError, Unit

BACKLOG = 16 * 1024 * 1024
"""Bytes that may wait for a slow client before it is cut; more than the longest line."""
PARALLEL = 16
"""Commands of one client that may be under way at once."""
LOG_BEAT = 0.1
"""Seconds for which log lines are gathered before they are sent together."""
LOG_LINE = 4000
"""Characters of a log line that are sent."""
LOG_BLOCK = 200
"""Log lines in one message: so many of the longest are shorter than what a client accepts."""


class Connection:
    """A client that said hello; `alive` turns False when it went or was cut."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hello: Hello) -> None:
        self.hello = hello
        self.detached = False
        self.alive = True
        self._reader = reader
        self._writer = writer
        self._tasks: set[asyncio.Task[None]] = set()
        self._follower: asyncio.Task[None] | None = None

    def send(self, line: bytes) -> None:
        """Queue a line; never waits. A client that does not read is cut, so that nobody else waits for it."""
        if not self.alive:
            return
        transport = self._writer.transport
        if transport.is_closing() or transport.get_write_buffer_size() > BACKLOG:
            self.cut()
            return
        self._writer.write(line)

    def reply(self, id: int, error: str = "", seq: int = 0) -> None:
        """Answer a command."""
        self.send(encode(Reply(id=id, error=" ".join(error.split()), seq=seq)))

    def spawn(self, work: Coroutine[Any, Any, None]) -> bool:
        """Carry out a command beside the reading of further ones; False if too many are under way."""
        if len(self._tasks) >= PARALLEL:
            work.close()
            return False
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    def follow(self, machine: str, unit: Unit | None, lines: int) -> None:
        """Send a unit's log from now on, instead of any other; None ends it."""
        if self._follower is not None:
            self._follower.cancel()
            self._follower = None
        if unit is not None:
            self._follower = asyncio.create_task(self._follow(machine, unit, lines))

    def cut(self) -> None:
        """Close the connection now, whatever is still to be sent."""
        self.alive = False
        self._writer.transport.abort()

    async def close(
        self, reason: str = "", *, again: bool = False, halted: bool = False, patience: float = 1.0
    ) -> None:
        """Say goodbye, if there is a reason to give, and close; who doesn't read is cut after `patience` s."""
        if reason:
            self.send(encode(Bye(reason=reason, again=again, halted=halted)))
        self.alive = False
        self.follow("", None, 0)
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(patience):
                await self._writer.wait_closed()
        self._writer.transport.abort()

    async def settled(self) -> None:
        """Wait for the commands that are under way: what a client began is done, even if it left meanwhile."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self, machine: str, unit: Unit, lines: int) -> None:
        waiting: list[str] = []
        try:
            async with asyncio.TaskGroup() as group:
                beat = group.create_task(self._send_log(machine, unit.name, waiting))
                async for line in unit.log(lines=lines, follow=True):
                    waiting.append(line[:LOG_LINE])
                    if len(waiting) > 2000:
                        del waiting[:1000]
                await asyncio.sleep(2 * LOG_BEAT)
                beat.cancel()
        except* LabError as errors:
            text = str(errors.exceptions[0])
            self.send(encode(LogLines(machine=machine, unit=unit.name, lines=(text,))))

    async def _send_log(self, machine: str, unit: str, waiting: list[str]) -> None:
        while self.alive:
            while waiting and self.alive:
                lines, waiting[:LOG_BLOCK] = tuple(waiting[:LOG_BLOCK]), []
                self.send(encode(LogLines(machine=machine, unit=unit, lines=lines)))
                with contextlib.suppress(ConnectionError):
                    await self._writer.drain()  # logs may wait for a slow client; what comes meanwhile is bounded
            await asyncio.sleep(LOG_BEAT)
