"""One collection kept in step: list it, watch it, and begin again by itself whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Generic, Protocol, TypeVar

from rwk_tui.watch.kube.kinds import Kind, key
from rwk_tui.watch.kube.protocol import Kube
from rwk_tui.watch.kube.refusals import KubeError
from rwk_tui.watch.kube.wire import T, Wire

Taken = TypeVar("Taken", bound=Wire, contravariant=True)

FIRST, LONGEST = 0.25, 2.0
"""Seconds until the next try after the first failure, and at most."""
SECONDS = 60.0
"""How long one watch lasts: a dead connection that nobody notices is at most that old."""
BATCH = 100
"""Objects of a list that are taken in before others get their turn."""


class Shelf(Protocol[Taken]):
    """Where an informer puts what it learns."""

    def take(self, items: Sequence[Taken]) -> None:
        """These objects are there, or are different now."""

    def lose(self, item: Taken) -> None:
        """That object is gone."""

    def only(self, keys: set[str]) -> None:
        """A whole list came: whatever is not in it is gone."""


class Informer(Generic[T]):
    """Keeps one shelf in step with one collection; `changed` is called whenever that changed or could change.

    After a watch that ended as agreed the next one goes on where it ended. After anything else the collection is
    listed anew: the API server may have come back with an older database, in which versions are other versions.
    """

    def __init__(
        self,
        kind: Kind[T],
        shelf: Shelf[T],
        connect: Callable[[], Awaitable[Kube]],
        changed: Callable[[], None],
        *,
        slack: float = 1.0,
        seconds: float = SECONDS,
    ) -> None:
        self.words = kind.words
        self.in_step = False
        self.why = "not listed yet"
        self._kind = kind
        self._shelf = shelf
        self._connect = connect
        self._changed = changed
        self._slack = slack
        self._seconds = seconds
        self._delay = FIRST
        self._nudge = asyncio.Event()
        self._attempt: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Keep the shelf in step, for ever."""
        while True:
            self._nudge.clear()
            self._attempt = asyncio.create_task(self._follow(), name=f"follow {self._kind.words}")
            nudged = asyncio.create_task(self._nudge.wait())
            try:
                await asyncio.wait((self._attempt, nudged), return_when=asyncio.FIRST_COMPLETED)
                if self._attempt.done():
                    await self._failed(self._attempt)
            finally:
                for task in (self._attempt, nudged):
                    task.cancel()
                await asyncio.gather(self._attempt, nudged, return_exceptions=True)

    def renew(self) -> None:
        """Drop what is under way, however well it seems, and list anew at once."""
        self._delay = FIRST
        if self.in_step:
            self.in_step, self.why = False, f"the {self._kind.words} are listed anew"
        self._nudge.set()

    async def _failed(self, attempt: asyncio.Task[None]) -> None:
        """Say why, and wait for the next try unless it is sure to help at once. Raises what is no KubeError."""
        error = attempt.exception()
        was_in_step, self.in_step = self.in_step, False
        if not isinstance(error, KubeError):
            self.why = f"the watch of {self._kind.words} stumbled"
            raise error or RuntimeError("a watch ended")
        delay = 0.0 if error.gone and was_in_step else self._delay
        what = "watch" if was_in_step else "list"
        again = f", tried again in {delay:g} s" if delay else ", listed anew"
        self.why = f"the {what} of {self._kind.words} broke off: {error}{again}"
        self._changed()
        if delay:
            self._delay = min(LONGEST, self._delay * 2)
            try:
                async with asyncio.timeout(delay):
                    await self._nudge.wait()
            except TimeoutError:
                pass

    async def _follow(self) -> None:
        """List, then watch; ends by KubeError only."""
        kube = await self._connect()
        version = await self._list(kube)
        self.in_step, self.why, self._delay = True, "", FIRST
        self._changed()
        while True:
            version = await self._watch(kube, version)

    async def _list(self, kube: Kube) -> str:
        found: set[str] = set()
        version = ""
        async with aclosing(kube.pages(self._kind, timeout=10.0 * self._slack)) as pages:
            async for page in pages:
                version = page.version
                for start in range(0, len(page.items), BATCH):
                    batch = page.items[start : start + BATCH]
                    found.update(map(key, batch))
                    self._shelf.take(batch)
                    self._changed()
                    await asyncio.sleep(0)
        self._shelf.only(found)
        return version

    async def _watch(self, kube: Kube, version: str) -> str:
        """Watch from `version` until the watch ends as agreed; returns how far it came."""
        loop = asyncio.get_running_loop()
        agreed = loop.time() + self._seconds * 0.9
        watch = kube.watch(self._kind, version, seconds=self._seconds, timeout=5.0 * self._slack)
        async with aclosing(watch) as batches:
            async for batch in batches:
                put: list[T] = []
                for change in batch:
                    version = change.version
                    if change.item is None:
                        continue
                    if change.what == "put":
                        put.append(change.item)
                    else:
                        self._shelf.take(put)
                        put = []
                        self._shelf.lose(change.item)
                if put:
                    self._shelf.take(put)
                self._changed()
                await asyncio.sleep(0)
        if loop.time() < agreed:
            raise KubeError("the API server ended it", trouble="broken")
        return version
