"""Stays in contact with a source for as long as a screen is open, whatever becomes of the source."""

from __future__ import annotations

import asyncio
from typing import Protocol

from rwk_tui.cockpit.source import Connect, Source, one_line
from rwk_tui.daemon.protocol import AnyCommand, FromDaemon

RETRY = 1.0
"""Seconds between attempts to reach a lost daemon."""


class Listener(Protocol):
    """Who hears what comes, and how the contact stands. An app is one."""

    def hear(self, message: FromDaemon) -> None:
        """A message came."""

    def contact_made(self) -> None:
        """A source was opened."""

    def contact_lost(self, reason: str) -> None:
        """The source ended or broke, or could not be opened again."""

    def not_started(self, reason: str) -> None:
        """Nothing could be opened where a lab was to be started."""

    def pause(self) -> float | None:
        """Seconds until the next attempt, None to wait until it is asked for."""


class Stream:
    """Opens one source after the other, and lets the listener hear each."""

    def __init__(self, connect: Connect, listener: Listener) -> None:
        self.source: Source | None = None
        self.over = False
        """Set it, and no source is opened any more."""
        self._connect = connect
        self._listener = listener
        self._again = asyncio.Event()

    async def follow(self, *, start: bool) -> None:
        """Go on until it is over; with `start`, the first attempt starts a daemon where there is none."""
        while not self.over:
            self._again.clear()
            await self._hear(start)
            start = await self._wait()

    def try_again(self) -> None:
        """Try now, and start a daemon if there is none."""
        self._again.set()

    async def call(self, command: AnyCommand) -> bool:
        """Send a command; False if there is nobody to send it to. Raises whatever the source raises."""
        if self.source is None:
            return False
        await self.source.call(command)
        return True

    async def _hear(self, start: bool) -> None:
        try:
            self.source = await self._connect(start)
        except Exception as error:  # noqa: BLE001 - whatever it is, the screen stays and says it
            tell = self._listener.not_started if start else self._listener.contact_lost
            tell(one_line(error))
            return
        self._listener.contact_made()
        reason = "the connection ended"
        try:
            async for message in self.source:
                self._listener.hear(message)
        except Exception as error:  # noqa: BLE001 - whatever breaks the stream, the screen stays and says it
            reason = one_line(error)
        self._listener.contact_lost(reason)
        source, self.source = self.source, None
        try:
            await source.close()
        except OSError:
            pass  # It is broken already.

    async def _wait(self) -> bool:
        """Wait until the next attempt is due; True if the presenter asked for it."""
        if self.over:
            return False
        try:
            async with asyncio.timeout(self._listener.pause()):
                await self._again.wait()
            return True
        except TimeoutError:
            return False
