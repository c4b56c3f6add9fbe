"""The canary through backups and restores: what is gone is counted exactly, and never called lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.watch_canary import WAIT, World
from support.watch_etcd import refused, timed_out


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    made.start()
    yield made
    await made.stop()


async def test_a_restore_is_counted_to_the_write(world: World) -> None:
    await world.until("acknowledged", 10)
    kept = world.backup()
    await world.until("acknowledged", 15)
    world.canary.mark("before", kept[1])  # said late, as after a snapshot that took its time
    await world.until("acknowledged", 25)
    world.canary.restored("before")
    world.restore(kept)
    result = await world.aftermath()
    assert (result.epoch, result.name, result.exact, result.missing_before) == (1, "before", True, ())
    assert result.found == kept[1]
    assert result.gone == result.after_backup == result.acknowledged - kept[1]
    assert result.gone >= 15
    row = world.row
    assert (row.epoch, row.gone, row.gone_of, row.lost) == (2, result.gone, result.acknowledged, 0)
    (line,) = world.told("epoch", "are back")
    assert line == (
        f"restored from before: {kept[1]} of {result.acknowledged} acknowledged writes are back; "
        f"{result.gone} are gone, all written after the backup"
    )
    await world.until("acknowledged", 5)
    assert (await world.canary.verify()).holds
    assert world.told("violated") == world.told("lost") == []


async def test_a_restore_after_the_data_was_deleted_on_purpose_is_counted_in_the_epoch_that_began(world: World) -> None:
    await world.until("acknowledged", 10)
    kept = world.backup()
    world.canary.mark("before", kept[1])
    await world.until("acknowledged", 20)
    world.canary.pause()
    world.cluster.broken = dict.fromkeys(("core-01", "core-02", "core-03"), refused())
    world.canary.new_epoch("the members' data was deleted")
    world.canary.resume()
    world.canary.restored("before")
    assert world.canary.aftermath is None
    world.restore(kept, "cafe")  # the very same cluster, by its name
    world.cluster.broken.clear()
    result = await world.aftermath()
    assert (result.epoch, result.exact, world.row.epoch) == (1, True, 2)
    assert result.gone == result.acknowledged - kept[1]
    await world.until("acknowledged", 5)
    assert (await world.canary.verify()).holds


async def test_data_that_is_deleted_and_not_restored_is_not_counted(world: World) -> None:
    await world.until("acknowledged", 5)
    world.canary.new_epoch("a fresh lab")
    world.restore(({}, 0))
    await world.until("acknowledged", 10)
    await asyncio.sleep(0.7)
    assert world.canary.aftermath is None
    assert world.told("epoch", "back") == []


async def test_a_backup_that_does_not_hold_what_it_must_is_a_violation(world: World) -> None:
    await world.until("acknowledged", 10)
    kept = world.backup()
    world.canary.mark("before", kept[1])
    missing = sorted(kept[0])[3]
    del kept[0][missing]
    await world.until("acknowledged", 20)
    world.canary.restored("before")
    world.restore(kept)
    result = await world.aftermath()
    assert (result.exact, result.missing_before) == (False, (missing,))
    loud = [event for event in world.hub.board.events if event.kind in ("epoch", "violated") and event.level == "bad"]
    assert [event.kind for event in loud] == ["epoch", "violated"]
    assert loud[1].text == f"the backup before must hold {missing}, which is not there"
    assert world.row.lost == 0


async def test_what_a_backup_of_an_etcd_with_a_known_bug_lacks_is_told_as_that(world: World) -> None:
    world.run_version("3.5.1")
    await world.until("acknowledged", 10)
    kept = world.backup()
    world.canary.mark("before", kept[1])
    missing = sorted(kept[0])[3]
    del kept[0][missing]
    await world.until("acknowledged", 20)
    world.canary.restored("before")
    world.restore(kept)
    assert (await world.aftermath()).missing_before == (missing,)
    told = [(event.kind, event.level) for event in world.hub.board.events if event.level in ("bad", "warning")]
    assert told == [("epoch", "warning"), ("known", "warning")]
    text = f"the backup before must hold {missing}, which is not there; known of etcd 3.5.1: etcd#13766"
    assert world.told("known") == [text]


async def test_another_cluster_that_nobody_announced_is_counted_too(world: World) -> None:
    await world.until("acknowledged", 10)
    kept = world.backup()
    await world.until("acknowledged", 15)
    world.restore(kept)
    result = await world.aftermath()
    assert (result.name, result.after_backup, result.exact, result.found) == ("", None, None, kept[1])
    (line,) = world.told("epoch", "back")
    assert line.startswith(f"another etcd cluster answers: {kept[1]} of ")


async def test_history_that_went_back_under_the_same_name_is_counted_too(world: World) -> None:
    await world.until("acknowledged", 20)
    world.restore(({}, 0), "cafe")
    result = await world.aftermath()
    assert (result.found, result.gone) == (0, result.acknowledged)
    assert result.acknowledged >= 20
    assert world.told("violated") == []


async def test_a_lone_survivor_is_counted_though_nothing_tells_its_history_from_the_old_one(world: World) -> None:
    await world.until("acknowledged", 10)
    first, last = sorted(world.cluster.store)[0], sorted(world.cluster.store)[-1]
    world.cluster.broken = dict.fromkeys(("core-01", "core-02"), refused())
    world.cluster.put_fails = timed_out()
    world.canary.restored("")
    del world.cluster.store[last]
    world.cluster.put_fails, world.cluster.term = None, 9
    result = await world.aftermath()
    assert first in world.cluster.store
    assert (result.name, result.after_backup, result.gone) == ("", None, 1)
    (line,) = world.told("epoch", "back")
    assert line.startswith("a lone survivor goes on with its own data: ")
    assert (await world.canary.verify()).holds


async def test_the_second_restore_of_the_same_backup_loses_all_that_came_after_the_first(world: World) -> None:
    await world.until("acknowledged", 10)
    kept = world.backup()
    world.canary.mark("before", kept[1])
    world.canary.restored("before")
    world.restore(kept, "bee1")
    await world.aftermath()
    await world.until("acknowledged", 8)
    world.canary.restored("before")
    assert world.canary.aftermath is None
    world.restore(kept, "bee2")
    result = await world.aftermath()
    assert (result.epoch, result.found, result.exact) == (2, 0, True)
    assert result.gone == result.after_backup == result.acknowledged >= 8


async def test_acknowledgements_that_come_late_belong_to_the_old_data(world: World) -> None:
    """Writes to the old members that are acknowledged only after the backup is noted, and after the epoch is over."""
    await world.until("acknowledged", 5)
    client = world.cluster.connect("10.0.0.1", 2379)
    early = world.canary._succession.send("core-01")
    done = await client.put(world.canary._ledger.key(early.seq), world.canary._ledger.value(early.seq))
    kept = world.backup()
    world.canary.mark("before", kept[1])
    late = world.canary._succession.send("core-01")
    gone = await client.put(world.canary._ledger.key(late.seq), world.canary._ledger.value(late.seq))
    await world.until("acknowledged", 10)
    world.canary.pause()
    world.canary.new_epoch("the members' data was deleted")
    await world.canary._succession.acknowledged(early, done, client)
    await world.canary._succession.acknowledged(late, gone, client)
    world.canary.restored("before")
    world.restore(kept)
    world.canary.resume()
    result = await world.aftermath()
    assert result.exact
    assert result.found == kept[1]


async def test_a_write_that_was_sent_before_the_restore_and_landed_after_it_counts_for_nobody(world: World) -> None:
    await world.until("acknowledged", 10)
    kept = world.backup()
    world.canary.mark("before", kept[1])
    await world.until("acknowledged", 15)
    world.canary.pause()
    sent = world.canary._succession.send("core-01")
    key, value = world.canary._ledger.key(sent.seq), world.canary._ledger.value(sent.seq)
    world.canary.restored("before")
    world.restore(kept)
    client = world.cluster.connect("10.0.0.1", 2379)
    await world.canary._succession.acknowledged(sent, await client.put(key, value), client)
    assert world.row.epoch == 1
    world.canary.resume()
    result = await world.aftermath()
    assert (result.exact, result.found) == (True, kept[1])


async def test_writes_to_the_next_cluster_that_were_sent_in_the_old_epoch_are_not_the_old_ones(world: World) -> None:
    """Two are under way when the lone survivor answers; whose history goes on, so that nothing tells them apart."""
    await world.until("acknowledged", 10)
    world.canary.pause()
    await asyncio.sleep(0.1)
    count = world.canary.acknowledged
    world.canary.restored("")
    client = world.cluster.connect("10.0.0.1", 2379)
    for sent in [world.canary._succession.send("core-01") for _ in range(2)]:
        key, value = world.canary._ledger.key(sent.seq, 1), world.canary._ledger.value(sent.seq, 1)
        await world.canary._succession.acknowledged(sent, await client.put(key, value), client)
    result = await world.aftermath()
    assert (result.acknowledged, result.found, world.row.epoch) == (count, count, 2)


async def test_a_restore_that_never_came_to_anything_is_forgotten_in_a_fresh_lab(world: World) -> None:
    await world.until("acknowledged", 10)
    world.canary.pause()
    await asyncio.sleep(0.1)
    world.canary.new_epoch("the members' data was deleted")
    world.canary.restored("before")
    world.canary.new_epoch("a fresh lab")
    world.restore(({}, 0))
    world.canary.resume()
    await world.until("acknowledged", 10)
    await asyncio.sleep(0.7)
    assert (world.canary.aftermath, world.row.epoch) == (None, 3)


async def test_it_survives_a_restart_of_the_daemon_at_every_stage(world: World, tmp_path: Path) -> None:
    await world.until("acknowledged", 10)
    kept = world.backup()
    world.canary.mark("before", kept[1])
    await world.until("acknowledged", 20)
    await world.stop()

    second = World(tmp_path)
    second.cluster = world.cluster
    second.start()
    await second.until("acknowledged", world.row.acknowledged + 5)
    second.canary.pause()
    second.canary.restored("before")
    await second.stop()

    third = World(tmp_path)
    third.cluster = world.cluster
    third.restore(kept)
    third.start()
    result = await third.aftermath()
    assert (result.exact, result.found) == (True, kept[1])
    assert result.gone >= 15
    await third.stop()

    fourth = World(tmp_path)
    fourth.canary.open()
    assert fourth.canary.aftermath == result
    assert (fourth.row.gone, fourth.row.gone_of) == (result.gone, result.acknowledged)
    await fourth.stop()


async def test_a_cluster_that_was_set_up_again_while_nobody_watched_is_noticed(world: World, tmp_path: Path) -> None:
    await world.until("acknowledged", 20)
    await world.stop()
    again = World(tmp_path)
    again.cluster = world.cluster
    again.restore(({}, 0), "cafe")
    again.start()
    result = await again.aftermath()
    assert (result.epoch, result.found, result.gone) == (1, 0, world.row.acknowledged)
    assert again.canary.backward(0.0) == []
    await again.stop()


async def test_what_nobody_can_read_is_counted_as_soon_as_somebody_can(world: World) -> None:
    await world.until("acknowledged", 10)
    kept = world.backup()
    world.canary.mark("before", kept[1])
    world.canary.restored("before")
    world.restore(kept)
    world.cluster.reads_fail = timed_out()
    async with asyncio.timeout(WAIT):
        while world.canary.aftermath is None:  # noqa: ASYNC110 - it is worked out on demand
            await asyncio.sleep(0.02)
    assert world.canary.aftermath.why == "no answer within 1 s"
    assert world.row.gone_of == 0
    world.cluster.reads_fail = None
    assert (await world.aftermath()).exact


async def test_what_could_not_be_counted_before_the_next_epoch_is_said(world: World) -> None:
    await world.until("acknowledged", 10)
    world.cluster.reads_fail = timed_out()
    world.canary.restored("nothing")
    world.restore(({}, 0))
    await world.until("epoch", 2)
    await world.until("acknowledged", 2)
    world.canary.new_epoch("the lab was reset")
    (line,) = world.told("epoch", "was not counted")
    assert line.startswith("restored from nothing: what became of ")
    assert world.canary.aftermath is None


async def test_a_revision_that_did_not_grow_is_evidence(world: World) -> None:
    await world.until("acknowledged", 10)
    since = world.hub.now()
    world.cluster.revision = 2  # the same history, by its newest key
    await world.until("acknowledged", 13)
    lines = world.canary.backward(since)
    assert lines
    assert "got revision 3, though write " in lines[0]
    assert world.row.epoch == 1
    assert len(world.told("violated")) == 1
    assert world.canary.backward(world.hub.now()) == []


async def test_a_revision_that_did_not_grow_may_be_known_of_the_etcd_that_runs(world: World) -> None:
    world.run_version("3.5.1")
    await world.until("acknowledged", 10)
    world.cluster.revision = 2
    await world.until("acknowledged", 13)
    assert world.canary.backward(0.0), "it is noted all the same"
    assert world.told("violated") == []
    (text,) = world.told("known")
    assert text.startswith("etcd's revision went back: write ") and text.endswith("; known of etcd 3.5.1: etcd#13766")


async def test_one_member_that_counts_otherwise_is_evidence_and_opens_no_epoch(world: World) -> None:
    """Two members that disagree on the revision, as after a crash of an etcd that did not sync."""
    await world.until("acknowledged", 10)
    world.cluster.lags = {"core-02": 4}
    await world.until("acknowledged", 30)
    assert world.row.epoch == 1
    assert world.canary.backward(0.0)
    assert all("through core-02" in line for line in world.canary.backward(0.0))
    assert (await world.canary.verify()).holds


async def test_writes_under_way_together_are_no_evidence(world: World) -> None:
    world.cluster.jitter = 0.2
    await world.until("acknowledged", 40)
    assert world.canary.backward(0.0) == []
    assert world.row.epoch == 1


async def test_a_change_of_leader_is_no_evidence(world: World) -> None:
    await world.until("acknowledged", 10)
    for term in (3, 4):
        world.cluster.term = term
        await world.until("acknowledged", 10 * term)
    world.cluster.term = 3  # one that has not heard of it yet
    await world.until("acknowledged", 50)
    assert world.canary.backward(0.0) == []
    assert (world.row.epoch, world.canary.aftermath) == (1, None)


async def test_an_outage_that_ends_with_a_restore_is_an_outage(world: World) -> None:
    await world.until("acknowledged", 10)
    kept = world.backup()
    since = world.hub.now()
    world.cluster.put_fails = timed_out()
    assert await world.hub.wait(lambda _: world.hub.now() - since > 0.8, WAIT)
    world.canary.restored("before")
    world.restore(kept)
    world.cluster.put_fails = None
    await world.until("epoch", 2)
    assert [gap.ms > 700 for gap in world.canary.gaps(since)] == [True]
