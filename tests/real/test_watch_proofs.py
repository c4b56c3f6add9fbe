"""The proofs on a real cluster: a restore is counted to the write, and a lie on one member's disk is named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.watch_real import RealWorld, real_world

from rwk_tui.board.rows import MemberRow
from rwk_tui.cluster.backup import backup, restore
from rwk_tui.cluster.etcd import data_dir
from rwk_tui.cluster.reshape import wipe
from rwk_tui.cluster.survivor import alone
from rwk_tui.watch.aftermath import Aftermath
from rwk_tui.watch.verdict import read_back

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]


@pytest.fixture
async def world(subnet: int) -> AsyncIterator[RealWorld]:
    async with real_world(subnet) as made:
        yield made


async def counted(world: RealWorld) -> Aftermath:
    """Wait until what became of the old writes is counted."""
    found: list[Aftermath] = []

    def done() -> bool:
        found[:] = [one for one in (world.watcher.canary.aftermath,) if one is not None and not one.why]
        return bool(found)

    await world.holds(done, 30)
    return found[0]


async def test_a_restore_on_one_member_loses_exactly_what_was_written_after_the_backup(world: RealWorld) -> None:
    canary, ground = world.watcher.canary, world.ground
    first, *others = world.lab.machines.values()
    world.watcher.alert(60)
    await world.flowing(30)
    await ground.do("Back up", backup(first, ground.site, "before", lambda revision: canary.mark("before", revision)))
    await world.flowing(40)

    canary.pause()
    await ground.do("Wipe", wipe([first, *others], leader=world.quorum().leader))
    canary.new_epoch("the members' data was deleted")
    canary.resume()
    canary.restored("before")
    await ground.do("Restore", restore([first], ground.site, world.settings, "before", under_api=False))
    result = await counted(world)
    assert (result.name, result.epoch, result.why) == ("before", 1, "")
    # Counted once more, independently: by the revision at which the snapshot says that it ends.
    client = await ground.etcd(first.name)
    there = await read_back(client, "/rwk/canary/0001/", "/rwk/canary/00010", timeout=5.0)
    assert result.exact, result
    assert result.gone == result.after_backup == result.acknowledged - result.found
    assert result.gone >= 40
    assert 30 <= result.found <= len(there)
    assert result.missing_before == ()
    row = world.canary()
    assert (row.epoch, row.gone, row.gone_of, row.lost) == (2, result.gone, result.acknowledged, 0)
    (line,) = [event for event in world.told("epoch") if "acknowledged writes are back" in event.text]
    assert line.level == "warning"
    assert line.text.endswith(f"{result.gone} are gone, all written after the backup")
    await world.flowing()
    assert (await canary.verify()).holds
    assert canary.backward(0.0) == []


async def test_a_lone_survivor_keeps_what_it_has_and_that_is_counted(world: RealWorld) -> None:
    canary = world.watcher.canary
    first, *others = world.lab.machines.values()
    await world.flowing(30)
    await asyncio.gather(*(machine.destroy() for machine in others))
    await world.until(lambda _: world.quorum().state == "lost")
    canary.restored("")
    await world.ground.do("Go on alone", alone(first, world.ground.site))
    result = await counted(world)
    assert (result.name, result.epoch, result.after_backup, result.why) == ("", 1, None, "")
    assert result.found >= 30
    (line,) = [event for event in world.told("epoch") if "back" in event.text]
    assert line.text.startswith(f"a lone survivor goes on with its own data: {result.found} of {result.acknowledged} ")
    await world.flowing()
    assert (await canary.verify()).holds
    assert canary.backward(0.0) == []


async def test_a_value_that_one_member_has_wrong_on_its_disk_is_found_by_key_and_member(world: RealWorld) -> None:
    key, truth = "/rwk/fault/x", "the truth, of which 42 bytes are stored here"
    victim = next(row.machine for row in world.hub.board.rows(MemberRow) if row.role == "follower")
    client = await world.ground.etcd(victim)
    await client.put(key, truth)
    assert (await client.get(key)) is not None
    unit = world.lab.machines[victim].unit("etcd")
    await unit.stop()
    await world.until(lambda _: world.member(victim).health == "down")
    db = Path(data_dir(world.lab.machines[victim])) / "member/snap/db"
    stored = db.read_bytes()
    assert truth.encode() in stored
    db.write_bytes(stored.replace(truth.encode(), truth.replace("truth", "trash").encode()))
    await unit.start()
    await world.healthy()
    await world.flowing()

    hashes = await world.watcher.hashes()
    assert hashes.equal is False, hashes.words()
    differences = await world.watcher.differences()
    assert differences.lines() == (f"{key}: {victim} stores '{truth.replace('truth', 'trash')}', the others '{truth}'",)
    assert (differences.members, differences.why) == (3, "")
    assert differences.compared > 10
