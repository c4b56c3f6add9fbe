"""Who may make or lose machines at the same time: several Vagrants trip over each other while they fetch a box, copy it
and set up networks, with VirtualBox until the machine is up, and with libvirt when they take networks away."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

_BRINGS_UP = re.compile(r"Bringing machine '[^']+' up with '([^']+)' provider")
_BOOTS = re.compile(r"(==> [\w.-]+: )?(Booting|Starting|Waiting for)\b")
_ALONE = "virtualbox"
_IN_TURN = ("", _ALONE, "libvirt")
_ENDS_IN_TURN = ("libvirt",)


class Turns:
    """One at a time, until the machine boots."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def take(self, provider: str, *, ending: bool = False) -> Turn:
        """Wait for the turn of a machine that exists with that provider, or with none (""); `ending`: to lose it."""
        turn = Turn(self._lock, provider)
        if provider in (_ENDS_IN_TURN if ending else _IN_TURN):
            await self._lock.acquire()
            turn.ours = True
        return turn


class Turn:
    """The turn of one machine."""

    def __init__(self, lock: asyncio.Lock, provider: str) -> None:
        self._lock = lock
        self._provider = provider
        self._loop = asyncio.get_running_loop()
        self.ours = False

    def hearing(self, tell: Callable[[str], None]) -> Callable[[str], None]:
        """What gives the turn back when the lines of `vagrant up` say that the machine boots; for any thread."""

        def hear(line: str) -> None:
            if found := _BRINGS_UP.match(line):
                self._provider = found[1]
            if _BOOTS.match(line) and self._provider != _ALONE:
                self._loop.call_soon_threadsafe(self.give_back)
            tell(line)

        return hear

    def give_back(self) -> None:
        """Let the next one begin; harmless when that was said before."""
        if self.ours:
            self.ours = False
            self._lock.release()
