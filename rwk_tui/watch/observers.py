"""The tasks that observe, which a fault of our own must not silence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from rwk_tui.board.hub import Hub


class Observers:
    """Runs each observer for ever; what it stumbles over is told once, and it begins again after a second."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._tasks: list[asyncio.Task[None]] = []

    def spawn(self, what: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin to observe `what`."""
        self._tasks.append(asyncio.create_task(self._guard(what, work), name=f"watch {what}"))

    async def stop(self) -> None:
        """End all of them."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _guard(self, what: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `work` for ever; a fault of our own in one observer is told and must not silence it."""
        told = ""
        while True:
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - whatever it is, the other observers go on
                line = f"the observer of {what} stumbled: {type(error).__name__}: {error}"
                if line != told:
                    self._hub.tell("watch", line, level="bad", subject="watch")
                told = line
            await asyncio.sleep(1.0)
