"""The canary over a pretended cluster: outcomes, epochs, and a check that can fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.watch_canary import PATIENCE, WAIT, World
from support.watch_etcd import refused, timed_out

from rwk_tui.watch.aftermath import Aftermath
from rwk_tui.watch.checker import Checker
from rwk_tui.watch.ledger import Ledger


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    made.start()
    yield made
    await made.stop()


async def test_every_acknowledged_write_is_found_again(world: World) -> None:
    await world.until("acknowledged", 10)
    verdict = await world.canary.verify()
    assert verdict.holds
    assert verdict.checked >= 10
    assert world.row.state == "flowing"
    assert len(set(world.cluster.store.values())) == len(world.cluster.store)


async def test_the_check_finds_a_deleted_and_a_changed_key(world: World) -> None:
    await world.until("acknowledged", 10)
    first, second = sorted(world.cluster.store)[:2]
    del world.cluster.store[first]
    world.cluster.store[second] = "something else"
    verdict = await world.canary.verify()
    assert (verdict.lost, verdict.missing) == (2, (first, second))
    assert not verdict.holds
    assert world.row.lost == 2
    again = await world.canary.verify()
    assert again.lost == 2
    loud = [event for event in world.hub.board.events if event.kind == "lost"]
    assert len(loud) == 1
    assert loud[0].level == "bad"


async def test_a_loss_of_which_the_etcd_that_runs_is_known_is_told_as_that(world: World) -> None:
    world.run_version("3.7.3", "3.5.1", "3.7.3")
    await world.until("acknowledged", 10)
    first, second = sorted(world.cluster.store)[:2]
    del world.cluster.store[first]
    verdict = await world.canary.verify()
    known = "known of etcd 3.5.1: etcd#13766"
    assert (verdict.lost, verdict.known, verdict.holds) == (1, known, False)
    assert (world.row.lost, world.row.known) == (1, known)
    (event,) = [event for event in world.hub.board.events if event.kind in ("lost", "known")]
    assert (event.kind, event.level) == ("known", "warning")
    assert event.text.startswith("1 of ") and event.text.endswith(f"acknowledged writes are lost: {first} …; {known}")

    world.run_version("3.7.3", "3.7.3", "3.7.3")
    assert (await world.canary.verify()).known == known, "it was lost when the old one ran"
    del world.cluster.store[second]
    verdict = await world.canary.verify()
    assert (verdict.lost, verdict.known, world.row.known) == (2, "", "")
    assert len(world.told("lost", "2 of ")) == 1, "what is lost now is lost by one that has no such bug"


async def test_a_loss_that_another_version_made_is_as_loud_as_ever(world: World) -> None:
    world.run_version("3.5.3", "3.5.3", "3.5.3")
    await world.until("acknowledged", 10)
    del world.cluster.store[min(world.cluster.store)]
    assert (await world.canary.verify()).known == world.row.known == ""
    assert len(world.told("lost")) == 1 and world.told("known") == []


async def test_refused_writes_have_failed_and_silent_ones_are_unknown(world: World) -> None:
    await world.until("acknowledged", 1)
    world.cluster.put_fails = refused()
    await world.until("failed", 3)
    before = world.row.unknown
    world.cluster.put_fails = timed_out()
    await world.until("unknown", before + 3)
    world.cluster.put_fails = None
    assert (await world.canary.verify()).holds


async def test_an_unknown_write_may_be_there_or_not(world: World) -> None:
    world.cluster.put_fails = timed_out()
    row = await world.until("unknown", 2)
    world.cluster.store["/rwk/canary/0001/0000000001"] = "done after all"
    assert (await world.canary.verify()).lost == 0
    assert row.acknowledged == 0


async def test_an_outage_is_told_with_its_duration_and_resolution(world: World) -> None:
    await world.until("acknowledged", 3)
    world.cluster.put_fails = timed_out()
    began = world.hub.now()
    assert await world.hub.wait(lambda board: world.row.state == "failing", WAIT) or world.row.state == "failing"
    await asyncio.sleep(max(0.0, began + 0.8 - world.hub.now()))
    assert world.canary.gap() is not None
    world.cluster.put_fails = None
    assert await world.hub.wait(lambda board: any(event.kind == "outage" for event in board.events), WAIT)
    event = next(event for event in world.hub.board.events if event.kind == "outage")
    assert event.duration_ms is not None
    assert event.duration_ms >= 700
    assert event.resolution_ms == 50
    assert [gap.ms >= 700 for gap in world.canary.gaps(began)] == [True]
    assert world.row.state == "flowing"


@pytest.mark.usefixtures("patient")
async def test_one_hanging_member_does_not_stop_the_writes_through_the_others(world: World) -> None:
    world.cluster.hung.add("core-02")
    row = await world.until("acknowledged", 20)
    assert row.unknown > 0
    assert world.canary.gaps() == []


async def test_another_cluster_opens_an_epoch_by_itself(world: World) -> None:
    await world.until("acknowledged", 3)
    world.cluster.store.clear()
    world.cluster.cluster_id = "beef"
    row = await world.until("epoch", 2)
    await world.until("acknowledged", 3)
    assert row.lost == 0
    assert (await world.canary.verify()).holds
    assert any("another etcd cluster" in event.text for event in world.hub.board.events if event.kind == "epoch")


async def test_the_same_cluster_set_up_again_opens_an_epoch_by_itself(world: World) -> None:
    await world.until("acknowledged", 5)
    world.cluster.store.clear()
    world.cluster.revision = 0
    await world.until("epoch", 2)
    await world.until("acknowledged", 3)
    assert (await world.canary.verify()).holds


async def test_a_cluster_that_goes_on_in_a_higher_term_with_writes_lost_is_not_excused(world: World) -> None:
    await world.until("acknowledged", 5)
    world.cluster.store.clear()
    world.cluster.revision, world.cluster.term = 0, 3
    count = world.row.acknowledged
    await world.until("acknowledged", count + 3)
    assert world.row.epoch == 1
    assert (await world.canary.verify()).lost >= 5


async def test_a_declared_epoch_counts_anew(world: World) -> None:
    await world.until("acknowledged", 3)
    world.cluster.store.clear()
    world.canary.new_epoch("the lab was reset")
    assert world.row.epoch == 2
    await world.until("acknowledged", 2)
    assert (await world.canary.verify()).holds


@pytest.mark.usefixtures("patient")
async def test_without_members_it_is_idle_and_the_pause_is_no_outage(world: World) -> None:
    await world.until("acknowledged", 3)
    targets, world.targets = world.targets, []
    assert world.row.state == "idle"
    await asyncio.sleep(PATIENCE + 0.5)
    world.targets = targets
    count = world.row.acknowledged
    await world.until("acknowledged", count + 2)
    assert world.canary.gaps() == []


@pytest.mark.usefixtures("patient")
async def test_paused_it_writes_nothing(world: World) -> None:
    await world.until("acknowledged", 3)
    world.canary.pause()
    assert (world.row.state, world.row.why) == ("stopped", "paused")
    await asyncio.sleep(0.1)
    count = world.row.acknowledged
    await asyncio.sleep(PATIENCE + 0.5)
    assert world.row.acknowledged == count
    world.canary.resume()
    await world.until("acknowledged", count + 2)
    assert world.canary.gaps() == []


async def test_a_check_that_can_not_be_made_says_so(world: World) -> None:
    await world.until("acknowledged", 3)
    world.cluster.hung = {"core-01", "core-02", "core-03"}
    verdict = await world.canary.verify()
    assert (verdict.done, verdict.holds, verdict.lost) == (False, False, 0)
    assert "not checked: no answer within 1 s" in verdict.words()


async def test_counts_survive_a_restart_of_the_daemon(world: World, tmp_path: Path) -> None:
    await world.until("acknowledged", 5)
    await world.stop()
    count = world.row.acknowledged
    again = World(tmp_path)
    again.cluster = world.cluster
    again.canary.open()
    assert again.row.acknowledged == count
    assert (await again.canary.verify()).holds
    del again.cluster.store[sorted(again.cluster.store)[0]]
    assert (await again.canary.verify()).lost == 1
    await again.stop()


async def test_a_ledger_that_can_not_be_written_stops_the_writes_and_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.until("acknowledged", 3)

    def full(fd: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    stored = len(world.cluster.store)
    monkeypatch.setattr("rwk_tui.watch.ledger.os.write", full)
    assert await world.hub.wait(lambda board: world.row.state == "stopped", WAIT) or world.row.state == "stopped"
    assert "No space left on device" in world.row.why
    assert len(world.cluster.store) <= stored + 1
    monkeypatch.undo()
    assert await world.hub.wait(lambda board: world.row.state == "flowing", WAIT) or world.row.state == "flowing"


async def test_old_keys_are_deleted_once_they_were_checked_and_never_while_one_is_missing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rwk_tui.watch.checker.KEPT", 5)
    monkeypatch.setattr("rwk_tui.watch.checker.KEPT_AT_MOST", 10)
    ledger = Ledger(world.path.with_name("another"))
    ledger.open()
    ledger.new_epoch("old", 0.5)
    ledger.acknowledged(ledger.intend())
    ledger.new_epoch("new", 1.0)
    for _ in range(20):
        seq = ledger.intend()
        world.cluster.store[ledger.key(seq)] = ledger.value(seq)
        ledger.acknowledged(seq)
    checker = Checker(world.hub, ledger, lambda: world.targets, world.client)
    held = world.cluster.store.pop(ledger.key(7))
    await checker.trim(5.0)
    assert len(ledger.epoch.acknowledged) == 20
    assert checker.lost == 1
    world.cluster.store[ledger.key(7)] = held
    ledger.owe("before")  # an older epoch's keys would be deleted with them
    await checker.trim(5.0)
    assert len(ledger.epoch.acknowledged) == 20
    ledger.settle(Aftermath(1))
    await checker.trim(5.0)
    assert ledger.epoch.acknowledged.keys() == set(range(17, 22))
    nonce = ledger.value(1).partition("-")[0]
    assert sorted(key for key, value in world.cluster.store.items() if value.startswith(nonce)) == [
        ledger.key(seq) for seq in range(17, 22)
    ]
    verdict = await checker.verify(5.0)
    assert (verdict.lost, verdict.checked, verdict.acknowledged) == (0, 5, 20)


@pytest.mark.usefixtures("patient")
async def test_a_full_disk_is_no_outage_of_etcd(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.until("acknowledged", 3)

    def full(fd: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("rwk_tui.watch.ledger.os.write", full)
        assert await world.hub.wait(lambda board: world.row.state == "stopped", WAIT)
        await asyncio.sleep(PATIENCE + 0.5)
        assert world.canary.gap() is None
    assert await world.hub.wait(lambda board: world.row.state == "flowing", WAIT)
    assert world.canary.gaps() == []
    assert [event for event in world.hub.board.events if event.kind == "outage"] == []
