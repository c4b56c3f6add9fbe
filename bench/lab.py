"""A driver of the running lab for benches: a client of the daemon with the board that its frames build."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Event, Frame
from rwk_tui.board.rows import FaultRow, LabRow, MemberRow, QuorumRow
from rwk_tui.daemon.client import DaemonClient
from rwk_tui.daemon.protocol import AnyCommand, Bye, Open, Quit, Reset
from rwk_tui.settings import Settings, load_settings


class Driver:
    """A client that keeps a board and every event it was told."""

    def __init__(self, client: DaemonClient) -> None:
        self.client = client
        self.board = Board()
        self.events: list[Event] = []
        self.changed = asyncio.Event()
        self.reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self.client:
            if isinstance(message, Bye):
                raise SystemExit(f"the daemon ended: {message.reason}")
            if isinstance(message, Frame):
                self.board.apply(message)
                self.events.extend(message.events)
                self.changed.set()

    async def call(self, command: AnyCommand) -> None:
        """Send a command and wait until it is taken."""
        await self.client.call(command)

    async def until(
        self, holds: Callable[[], bool], deadline: float, what: str, seen: Callable[[], str] | None = None
    ) -> float:
        """Seconds until it holds; SystemExit with what is seen when the deadline (s) ran out: `seen`, else etcd."""
        started = time.monotonic()
        while not holds():
            self.changed.clear()
            try:
                async with asyncio.timeout(max(0.001, deadline - (time.monotonic() - started))):
                    await self.changed.wait()
            except TimeoutError:
                saw = seen() if seen is not None else f"{self.quorum} {self.board.rows(MemberRow)}"
                story = f"{self.board.story.busy!r} {self.board.story.error!r}"
                raise SystemExit(f"waited {deadline:g} s for {what}; saw {saw} {story}") from None
        return time.monotonic() - started

    async def open(self, chapter: str, step: int = 0, within: float = 120.0) -> None:
        """Open a chapter and wait until the lab stands at that step. SystemExit where it can't be built."""
        await self.call(Open(chapter=chapter, step=step))

        def there() -> bool:
            story = self.board.story
            return bool(story.error) or (story.chapter == chapter and not story.busy and story.step == step)

        await self.until(there, within, f"{chapter} at step {step + 1}")
        if self.board.story.error:
            raise SystemExit(f"{chapter} at step {step + 1} can't be built: {self.board.story.error}")

    @property
    def quorum(self) -> QuorumRow | None:
        """The cluster as a whole."""
        return self.board.get(QuorumRow, "quorum")

    @property
    def leader(self) -> str:
        """The leader's machine, "" if there is none."""
        return self.quorum.leader if self.quorum else ""

    def whole(self) -> bool:
        """Whether three members are healthy and no fault is active."""
        members = self.board.rows(MemberRow)
        healthy = [m for m in members if m.health == "healthy" and m.fresh]
        return len(members) == len(healthy) == 3 and bool(self.leader) and not self.board.rows(FaultRow)


def bench_settings(state: Path, subnet: str, *, fast: bool = False) -> Settings:
    """Settings of a lab of its own."""
    return load_settings(flags={"state": str(state), "subnet": subnet, "fast": str(fast).lower()})


@contextlib.asynccontextmanager
async def opened(settings: Settings, chapter: str, *, step: int = 0, within: float = 120.0) -> AsyncIterator[Driver]:
    """A lab of its own, opened at a chapter's step (from 0); it ends with the block."""
    driver = Driver(await DaemonClient.connect(settings, role="driver", attend="headless", start=True))
    try:
        await driver.until(lambda: lab_state_of(driver) in ("ready", "choose"), 60, "the lab")
        if lab_state_of(driver) == "choose":
            await driver.call(Reset())
        await driver.open(chapter, step, within)
        yield driver
    finally:
        with contextlib.suppress(Exception):
            await driver.call(Quit())
        driver.reader.cancel()
        await driver.client.close()


def lab_state_of(driver: Driver) -> str:
    """What the lab's row says, "" before there is one."""
    row = driver.board.get(LabRow, "lab")
    return row.state if row is not None else ""


@contextlib.asynccontextmanager
async def three_members(settings: Settings) -> AsyncIterator[Driver]:
    """A lab with three healthy members, opened at a chapter that begins with them; it ends with the block."""
    async with opened(settings, "04-machine-failure") as driver:
        await driver.until(driver.whole, 90, "three members")
        yield driver
