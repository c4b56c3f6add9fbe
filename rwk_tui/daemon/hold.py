"""What every front end without a screen does: hold a lab, follow its board, and let go of it in order."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Frame
from rwk_tui.board.rows import LabRow
from rwk_tui.daemon.client import DaemonClient, DaemonError
from rwk_tui.daemon.protocol import AnyCommand, Bye, Quit, Reset
from rwk_tui.settings import Settings

SILENCE = 20.0
"""Seconds without a frame after which the daemon counts as stuck."""
HALT_WITHIN = 40.0
"""Seconds that halting the lab may take."""


class Follower:
    """A client's board, kept by the frames; use as an asynchronous context."""

    def __init__(self, client: DaemonClient) -> None:
        self.client = client
        self.board = Board()
        self._seq = -1
        self._bye = ""
        self.halted = False
        """Whether the daemon said at its end that nothing of the lab runs any more."""
        self._moved = asyncio.Condition()
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Follower:
        self._reading = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def until(self, holds: Callable[[Board], bool]) -> None:
        """Wait until `holds` is true of the board. Raises DaemonError if the daemon goes first."""
        async with self._moved:
            await self._moved.wait_for(lambda: bool(self._bye) or (self._seq >= 0 and holds(self.board)))
        if self._bye:
            raise DaemonError(self._bye)

    async def do(self, command: AnyCommand) -> None:
        """Give a command and wait until the board shows what it set in motion. Raises CommandRefused, DaemonError."""
        reply = await self.client.ask(command)
        await self.until(lambda _: self._seq >= reply.seq)

    async def ended(self) -> str:
        """Wait until the daemon has said goodbye, and return the reason."""
        async with self._moved:
            await self._moved.wait_for(lambda: bool(self._bye))
        return self._bye

    def lab(self) -> LabRow | None:
        """The lab's row, once there is one."""
        return self.board.get(LabRow, "lab")

    async def _follow(self) -> None:
        messages = aiter(self.client)
        while not self._bye:
            bye = ""
            try:
                async with asyncio.timeout(SILENCE):
                    message = await anext(messages)
                if isinstance(message, Frame):
                    self.board.apply(message)
                    self._seq = message.seq
                elif isinstance(message, Bye):
                    bye, self.halted = message.reason, message.halted
            except TimeoutError:
                bye = f"the daemon has been silent for {SILENCE:g} s"
            except StopAsyncIteration:
                bye = "the connection was closed"
            async with self._moved:
                self._bye = bye
                self._moved.notify_all()


@contextlib.asynccontextmanager
async def held_lab(settings: Settings) -> AsyncIterator[Follower]:
    """A lab of our own with three empty machines, halted on the way out. Raises DaemonError.

    A lab that somebody else holds is left alone; what an earlier run left on disk is reset.
    """
    client = await DaemonClient.connect(settings, attend="headless", start=True)
    try:
        if not client.started:
            raise DaemonError(
                f"a lab already runs in {settings.state} (pid {client.welcome.pid}): end it with `rwk-tui down`, or "
                "choose another directory with --state"
            )
        async with Follower(client) as follower:
            try:
                await follower.until(lambda _: _state(follower) in ("ready", "choose"))
                if _state(follower) == "choose":
                    await follower.do(Reset())
                    await follower.until(lambda _: _state(follower) == "ready")
                yield follower
            finally:
                await _quit(follower)
    finally:
        await client.close()


def _state(follower: Follower) -> str:
    row = follower.lab()
    return row.state if row else ""


async def _quit(follower: Follower) -> None:
    # If the daemon is gone, or too slow, there is nothing more to do from here: our going ends it too.
    with contextlib.suppress(DaemonError, TimeoutError):
        async with asyncio.timeout(HALT_WITHIN):
            await follower.client.ask(Quit())
            await follower.ended()
    await follower.client.gone(5.0)


def run_interruptible(work: Coroutine[Any, Any, int]) -> int:
    """Run `work` to its exit code; a signal cancels it (once for an orderly end, twice for at once): 128 + signal."""
    return asyncio.run(_interruptible(work))


async def _interruptible(work: Coroutine[Any, Any, int]) -> int:
    task = asyncio.ensure_future(work)
    came: list[int] = []

    def cancel(number: int) -> None:
        came.append(number)
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, cancel, number)
    try:
        return await task
    except asyncio.CancelledError:
        return 128 + came[0] if came else 1
