"""A source that tests feed by hand, and a cockpit that listens to it with a clock that stands still."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from support.cockpit_frames import NOW, Scene
from support.settling import settled

from rwk_tui.cockpit.app import Cockpit
from rwk_tui.cockpit.keymap import USUAL, KeyMap
from rwk_tui.cockpit.palettes import Palette
from rwk_tui.daemon.protocol import AnyCommand, FromDaemon
from rwk_tui.settings import Settings


class FakeSource:
    """Says what it was told to say, and remembers the commands."""

    def __init__(self, *messages: FromDaemon) -> None:
        self.calls: list[AnyCommand] = []
        self.refuse = ""
        self.closed = False
        self._queue: asyncio.Queue[FromDaemon | Exception | None] = asyncio.Queue()
        self.say(*messages)

    def say(self, *messages: FromDaemon) -> None:
        """Put messages on the stream."""
        for message in messages:
            self._queue.put_nowait(message)

    def end(self, error: Exception | None = None) -> None:
        """End the stream, or break it."""
        self._queue.put_nowait(error)

    def __aiter__(self) -> AsyncIterator[FromDaemon]:
        return self._listen()

    async def _listen(self) -> AsyncIterator[FromDaemon]:
        while (message := await self._queue.get()) is not None:
            if isinstance(message, Exception):
                raise message
            yield message

    async def call(self, command: AnyCommand) -> None:
        if self.refuse:
            raise RuntimeError(self.refuse)
        self.calls.append(command)

    async def close(self) -> None:
        self.closed = True


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def cockpit(
    scene: Scene | None = None,
    *,
    source: FakeSource | None = None,
    theme: str = "dark",
    clock: Clock | None = None,
    palette: Palette | None = None,
    keys: KeyMap = USUAL,
    greets: bool = False,
    viewer: bool = False,
) -> Cockpit:
    """A cockpit that shows a scene."""
    source = source or FakeSource()
    if scene is not None:
        source.say(scene.frame())
    fixed = source

    async def connect(start: bool) -> FakeSource:
        assert not (viewer and start), "a view never starts a lab"
        return fixed

    settings = Settings(state=Path("/nonexistent"), engine_cache=Path("/nonexistent"), theme=theme)
    return Cockpit(settings, connect, clock=clock or Clock(), palette=palette, keys=keys, greets=greets, viewer=viewer)


async def wait_for(pilot: Any, holds: Callable[[], bool], deadline: float = 30.0) -> None:
    """Let the app work until `holds`, and then to the end of what it has begun; fails after `deadline` seconds."""
    until = time.monotonic() + deadline
    while not holds():
        assert time.monotonic() < until, f"did not come true within {deadline} s"
        await asyncio.sleep(0.01)
        await settled()
    await settled()
