"""The stream by itself: how often a source is opened, and when no more."""

from __future__ import annotations

import asyncio

from support.cockpit_app import FakeSource

from rwk_tui.cockpit.stream import Stream
from rwk_tui.daemon.protocol import FromDaemon


class Ear:
    """Notes what it is told; `over_after` makes it over with that many sources."""

    def __init__(self, over_after: int) -> None:
        self.stream = Stream(self.connect, self)
        self.starts: list[bool] = []
        self.told: list[str] = []
        self._over_after = over_after

    async def connect(self, start: bool) -> FakeSource:
        self.starts.append(start)
        if len(self.starts) == 2:
            raise OSError("nobody listens")
        source = FakeSource()
        source.end()
        return source

    def hear(self, message: FromDaemon) -> None: ...

    def contact_made(self) -> None:
        self.told.append("made")

    def contact_lost(self, reason: str) -> None:
        self.told.append(reason)
        self.stream.over = len(self.starts) >= self._over_after

    def not_started(self, reason: str) -> None:
        self.told.append(f"not started: {reason}")

    def pause(self) -> float:
        return 0.0


async def test_one_source_after_the_other_until_it_is_over() -> None:
    ear = Ear(3)
    async with asyncio.timeout(5):
        await ear.stream.follow(start=True)
    assert ear.starts == [True, False, False]
    assert ear.told == ["made", "the connection ended", "nobody listens", "made", "the connection ended"]
    assert ear.stream.source is None


async def test_there_is_nobody_to_call_between_two() -> None:
    assert await Ear(1).stream.call(object()) is False  # type: ignore[arg-type]
