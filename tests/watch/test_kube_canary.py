"""The API canary over a pretended Kubernetes: outages, losses that count, and those that are excused."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from support.watch_canary import PATIENCE
from support.watch_kube import FakeKubernetes

from rwk_tui.board.frames import Event
from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import CanaryRow
from rwk_tui.watch.kube.canary import NAME, ApiCanary
from rwk_tui.watch.kube.protocol import Kube
from rwk_tui.watch.kube.refusals import no_answer, no_listener
from rwk_tui.watch.kube.tally import Tally
from rwk_tui.watch.pace import Pace
from rwk_tui.watch.stalls import Stalls

WAIT = 20.0


class World:
    """A canary that writes to a pretended Kubernetes; a test says whether there is one, and the etcd canary's epoch."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.pace = Pace()
        self.kubernetes = FakeKubernetes()
        self.exists = True
        self.era = 1
        client = self.kubernetes.connect("any", 6443, None)  # type: ignore[arg-type]
        stalls = Stalls(self.hub.now)
        self.canary = ApiCanary(self.hub, self.pace, stalls, lambda: client, lambda: self.exists, lambda: self.era)

    @property
    def row(self) -> CanaryRow:
        self.canary.publish()
        row = self.hub.board.get(CanaryRow, "canary/api")
        assert row is not None
        return row

    @property
    def stored(self) -> int:
        return int(self.kubernetes.maps[NAME]["number"])

    async def more(self, count: int = 3) -> CanaryRow:
        goal = self.row.acknowledged + count
        async with asyncio.timeout(WAIT):
            while self.row.acknowledged < goal:  # noqa: ASYNC110 - the row is made on demand
                await asyncio.sleep(0.02)
        return self.row

    async def told(self, kind: str) -> Event:
        def find() -> list[Event]:
            return [event for event in self.hub.board.events if event.kind == kind]

        assert await self.hub.wait(lambda _: bool(find()), WAIT)
        assert len(find()) == 1
        return find()[0]

    def silent_about(self, kind: str) -> bool:
        return not [event for event in self.hub.board.events if event.kind == kind]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    made.pace.alert(60)
    task = asyncio.create_task(made.canary.run())
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await made.canary.close()


@pytest.mark.usefixtures("patient")
async def test_it_makes_its_map_and_writes_growing_numbers(world: World) -> None:
    row = await world.more(5)
    assert (row.state, row.epoch, row.lost, row.failed) == ("flowing", 1, 0, 0)
    before = world.stored
    await world.more(3)
    assert world.stored > before
    assert world.canary.gaps() == []


async def test_numbers_go_on_after_those_of_an_earlier_run(world: World) -> None:
    world.kubernetes.maps[NAME] = {"number": "41"}
    await world.more(1)
    assert world.stored >= 42


@pytest.mark.usefixtures("patient")
async def test_before_there_is_a_kubernetes_it_is_idle_and_that_is_no_outage(world: World) -> None:
    await world.more()
    world.exists = False
    assert (world.row.state, world.row.why) == ("idle", "no API server yet")
    await asyncio.sleep(PATIENCE + 0.5)
    world.exists = True
    await world.more()
    assert world.canary.gaps() == []
    assert world.silent_about("outage")


async def test_an_outage_is_told_with_its_duration_and_resolution(world: World) -> None:
    await world.more()
    world.kubernetes.down["any"] = no_listener()
    began = time.monotonic()
    await asyncio.sleep(0.7)
    row = world.row
    assert (row.state, row.why) == ("failing", "writes are not acknowledged")
    assert row.gap_ms >= 500
    assert world.canary.gap() is not None
    world.kubernetes.down.clear()
    event = await world.told("outage")
    took = (time.monotonic() - began) * 1000
    assert event.text.startswith("API writes stopped for ")
    assert event.duration_ms is not None
    assert 650 <= event.duration_ms < took + 500
    assert event.resolution_ms == 50
    assert (await world.more()).lost == 0


async def test_a_write_that_hangs_does_not_make_the_gap_any_coarser(world: World) -> None:
    await world.more()
    world.kubernetes.hung.add("any")
    await asyncio.sleep(0.6)
    world.kubernetes.hung.clear()
    event = await world.told("outage")
    assert event.resolution_ms == 50
    assert world.row.unknown > 0


async def test_a_store_that_went_back_is_a_loss_and_counted_once(world: World) -> None:
    await world.more(3)
    world.kubernetes.writes_fail = no_answer(1.0)
    before = world.kubernetes.backup()
    world.kubernetes.writes_fail = None
    await world.more(10)
    world.kubernetes.down["any"] = no_listener()
    await asyncio.sleep(0.2)
    world.kubernetes.restore(before)
    world.kubernetes.down.clear()
    event = await world.told("lost")
    assert event.level == "bad"
    assert event.text.endswith("acknowledged API writes are lost: the store went back")
    assert world.row.lost >= 9
    lost = world.row.lost
    world.kubernetes.down["any"] = no_listener()
    await asyncio.sleep(0.2)
    world.kubernetes.down.clear()
    await world.more()
    assert world.row.lost == lost
    assert world.row.epoch == 1


async def test_a_map_that_is_gone_is_a_loss(world: World) -> None:
    await world.more(5)
    world.kubernetes.maps.clear()
    await world.told("lost")
    await world.more()


async def test_a_declared_epoch_excuses_it(world: World) -> None:
    await world.more(5)
    before = world.kubernetes.backup()
    await world.more(5)
    world.kubernetes.down["any"] = no_listener()
    await asyncio.sleep(0.15)
    world.kubernetes.restore(before)
    world.canary.new_epoch("etcd was restored from a backup")
    world.kubernetes.down.clear()
    await world.more()
    assert (world.row.epoch, world.row.lost) == (2, 0)
    assert world.silent_about("lost")
    assert "etcd was restored from a backup" in (await world.told("epoch")).text


async def test_an_epoch_of_the_etcd_canary_excuses_it_too(world: World) -> None:
    await world.more(5)
    world.era = 2
    world.kubernetes.maps.clear()
    await world.more(1)
    assert (world.row.epoch, world.row.lost) == (2, 0)
    assert world.silent_about("lost")


async def test_set_up_anew_it_counts_anew(world: World) -> None:
    await world.more(5)
    world.exists = False
    world.canary.forget()
    assert world.hub.board.get(CanaryRow, "canary/api") is None
    world.kubernetes.maps.clear()
    world.exists = True
    await world.more(2)
    assert (world.row.epoch, world.row.lost) == (2, 0)


@pytest.mark.usefixtures("patient")
async def test_a_look_that_began_before_an_epoch_judges_nothing_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of several writes that look at once after a reset, the slow ones hold marks of the epoch that is over."""
    await world.more(10)
    first, stored = asyncio.Event(), ApiCanary._stored
    looks = 0

    async def slowly(canary: ApiCanary, kube: Kube) -> int:
        nonlocal looks
        looks += 1
        if looks == 1:
            found = await stored(canary, kube)
            await first.wait()  # until another write has looked, and begun the epoch
            return found
        found = await stored(canary, kube)
        first.set()
        return found

    monkeypatch.setattr(ApiCanary, "_stored", slowly)
    world.kubernetes.maps.clear()
    world.canary.forget()
    await world.told("epoch")
    row = await world.more(10)
    assert (row.lost, looks > 1) == (0, True)
    assert world.silent_about("lost")


async def test_paused_it_writes_nothing_and_that_is_no_outage(world: World) -> None:
    await world.more()
    world.canary.pause()
    await asyncio.sleep(0.1)
    assert (world.row.state, world.row.why) == ("stopped", "paused")
    before = world.stored
    await asyncio.sleep(PATIENCE + 0.5)
    assert world.stored == before
    world.canary.resume()
    await world.more()
    assert world.canary.gaps() == []


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        self.at += 1.0
        return self.at


def test_a_smaller_number_is_a_loss_only_if_it_can_not_rightly_be_there() -> None:
    tally = Tally(Clock())
    one, two, three = tally.intend(), tally.intend(), tally.intend()
    tally.acknowledged(two)
    tally.acknowledged(one)
    assert tally.lost(one, tally.mark) == 0  # it overlapped with the other, and may have landed after it
    assert tally.lost(three, tally.mark) == 0  # still under way
    four = tally.intend()
    tally.acknowledged(four)
    assert tally.lost(two, tally.mark) == 1
    assert tally.lost(0, tally.mark) == 3
    tally.unknown(three)
    assert tally.lost(three, tally.mark) == 0  # nobody knows when it lands
    assert tally.lost(four, tally.mark) == 0
    tally.settle(two)
    assert (tally.lost(0, tally.mark), tally.count) == (0, 3)
    assert tally.intend() == 5


def test_what_was_acknowledged_after_the_question_is_not_missed_in_its_answer() -> None:
    tally = Tally(Clock())
    one = tally.intend()
    tally.acknowledged(one)
    asked = tally.mark  # the store is asked now, and its answer takes a while
    two = tally.intend()
    tally.acknowledged(two)
    assert tally.lost(one, asked) == 0
    assert tally.lost(0, asked) == 1  # what was acknowledged before it was asked must be there
    assert tally.lost(one, tally.mark) == 1


def test_what_is_remembered_stays_bounded_and_an_old_number_is_a_loss() -> None:
    tally = Tally(Clock())
    for _ in range(10_000):
        tally.acknowledged(tally.intend())
    assert len(tally._sent) <= 4001
    assert len(tally._acknowledged) <= 4001
    assert tally.lost(5, tally.mark) > 0
    assert tally.lost(10_000, tally.mark) == 0
