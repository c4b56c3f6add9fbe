"""When this computer stood still, by an injected clock, and a canary whose own loop did."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from support.watch_canary import World
from support.watch_etcd import timed_out

from rwk_tui.watch.gaps import longest
from rwk_tui.watch.stalls import BEAT, SLOW, Stalls

WAIT = 20.0


class Clock:
    """Stands at what a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@contextlib.asynccontextmanager
async def running(*works: asyncio.Task[None]) -> AsyncIterator[None]:
    try:
        yield
    finally:
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)


async def until(holds: Callable[[], bool], seen: Callable[[], object]) -> None:
    """Wait until that holds; fails with what was seen last."""
    end = time.monotonic() + WAIT
    while not holds():
        assert time.monotonic() < end, seen()
        await asyncio.sleep(0.005)


def test_only_what_lies_in_between_counts(clock: Clock) -> None:
    stalls = Stalls(clock)
    stalls.note(100.0, 101.0, 0.03)
    stalls.note(103.0, 104.0, 0.03)
    assert stalls.within(99.0, 105.0) == pytest.approx(2.0)
    assert stalls.within(100.5, 103.25) == pytest.approx(0.75)
    assert stalls.within(101.0, 103.0) == 0.0


def test_what_two_ways_of_looking_found_counts_once(clock: Clock) -> None:
    stalls = Stalls(clock)
    stalls.note(101.0, 103.0, 0.1)
    stalls.note(100.0, 102.0, 0.03)
    stalls.note(100.5, 101.5, 0.03)
    assert stalls.within(99.0, 105.0) == pytest.approx(3.0)


def test_what_was_hardly_late_is_no_stall(clock: Clock) -> None:
    stalls = Stalls(clock)
    stalls.note(100.0, 100.02, 0.03)
    assert stalls.within(99.0, 105.0) == 0.0


async def test_a_late_beat_is_a_stall_before_it_came_and_after(clock: Clock) -> None:
    stalls = Stalls(clock)
    async with running(asyncio.create_task(stalls.watch_loop())):
        await asyncio.sleep(0)
        clock.now += BEAT + 0.6
        # The beat itself has not been heard yet: this is how an acknowledgement finds it that came with it.
        assert stalls.within(100.0, clock.now) == pytest.approx(0.6)
        until_now = clock.now
        clock.now = 200.0
        await until(lambda: stalls.within(100.0, 200.0) > 90.0, lambda: stalls.within(100.0, 200.0))
        assert stalls.within(100.0, until_now) == pytest.approx(0.6)


async def test_nothing_stands_still_any_more_for_one_that_no_longer_looks(clock: Clock) -> None:
    stalls = Stalls(clock)
    async with running(asyncio.create_task(stalls.watch_loop())):
        await asyncio.sleep(0)
    clock.now += 50.0
    assert stalls.within(100.0, clock.now) == 0.0


@pytest.mark.parametrize(("took", "counts"), [(0.7, 0.7), (SLOW / 2, 0.0)])
async def test_a_slow_sync_of_our_own_is_a_stall(
    took: float, counts: float, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []

    def slow(_file: int) -> None:
        clock.now += took
        seen.append(stalls.within(100.0, clock.now))  # while it lasts

    stalls = Stalls(clock)
    monkeypatch.setattr("rwk_tui.watch.stalls.os.fsync", slow)
    async with running(asyncio.create_task(stalls.watch_disk(tmp_path, lambda: not seen))):
        await until(lambda: bool(seen) and not stalls._syncing, lambda: seen)
        assert seen == [pytest.approx(counts)]
        await until(lambda: stalls.within(100.0, 200.0) == pytest.approx(counts), lambda: stalls.within(100.0, 200.0))


async def test_the_disk_is_asked_only_while_that_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, synced = [False, False, False, True], []
    monkeypatch.setattr("rwk_tui.watch.stalls.os.fsync", lambda _file: synced.append(len(asked)))
    stalls = Stalls(time.time)
    async with running(asyncio.create_task(stalls.watch_disk(tmp_path, lambda: bool(asked) and asked.pop(0)))):
        await until(lambda: not asked and bool(synced), lambda: (asked, synced))
    assert synced == [0], "only the fourth time, when there was none left"


async def test_a_loop_that_stood_still_is_told_of_the_gap_it_made(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.start()
    async with running(asyncio.create_task(world.stalls.watch_loop())):
        await world.until("acknowledged", 5)
        began = time.time()
        time.sleep(0.8)  # noqa: ASYNC251 - this is the blocking call that is to be noticed
        blocked = time.time() - began
        await until(lambda: bool(world.told("outage")), lambda: world.row)
        gap = longest(world.canary.gaps(began))
        assert gap is not None
        assert gap.still > blocked - BEAT - 0.01
        assert "this computer stood still for 0." in world.told("outage")[0]
    await world.stop()


async def test_a_gap_that_etcd_made_is_told_without_an_excuse(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.start()
    async with running(asyncio.create_task(world.stalls.watch_loop())):
        await world.until("acknowledged", 5)
        began = time.time()
        world.cluster.put_fails = timed_out()
        await until(lambda: (gap := world.canary.gap()) is not None and gap.ms > 1500, lambda: world.row)
        world.cluster.put_fails = None
        await until(lambda: bool(world.told("outage")), lambda: world.row)
        gap = longest(world.canary.gaps(began))
        assert gap is not None and gap.own_ms > 1000, gap
    await world.stop()
