"""One action of power a machine at a time; taking its power waits for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from rwk_tui.lab.protocol import LabError


class Turns:
    """Whose turn it is to switch one machine."""

    def __init__(self, machine: str) -> None:
        self._machine = machine
        self._lock = asyncio.Lock()
        self._soft: asyncio.Task[None] | None = None
        self._cutting = 0

    @property
    def busy(self) -> bool:
        """Whether somebody switches it now."""
        return self._lock.locked()

    async def idle(self) -> None:
        """Until nobody switches it or waits to."""
        async with self._lock:
            return

    async def take(self, verb: str, work: Callable[[], Coroutine[Any, Any, None]], *, at_once: bool = False) -> None:
        """Do `work` when it is its turn; `at_once` breaks off what others do or wait to do, and they get a LabError."""
        if not at_once:
            async with self._lock:
                await self._softly(verb, work)
            return
        self._cutting += 1
        try:
            if self._soft is not None:
                self._soft.cancel()
            async with self._lock:
                await work()
        finally:
            self._cutting -= 1

    async def _softly(self, verb: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        broken_off = LabError(f"to {verb} {self._machine} was broken off: its power was cut meanwhile")
        if self._cutting:
            raise broken_off
        task = self._soft = asyncio.create_task(work(), name=f"{verb}-{self._machine}")
        try:
            await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if task.cancelled() and current is not None and not current.cancelling():
                raise broken_off from None
            raise
        finally:
            self._soft = None
