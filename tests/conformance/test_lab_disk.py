"""What every backend promises about disks that are slow, and about what it can't do."""

from __future__ import annotations

from typing import get_args

import pytest
from support.lab import SLOW_MS, cut_power, needs, syncs, unit_status, unslowed, write_down

from rwk_tui.lab.protocol import Ability, Lab, LabError, MachineDown

pytestmark = pytest.mark.process


@pytest.fixture
def slowing(lab: Lab) -> Lab:
    """A lab that can slow a disk."""
    needs(lab.lacks("slow disk"))
    return lab


async def test_what_it_lacks_is_one_line(lab: Lab) -> None:
    for ability in get_args(Ability):
        assert "\n" not in lab.lacks(ability)
        assert lab.lacks(ability) == lab.lacks(ability)


async def test_packets_are_lost_or_it_says_why_they_can_not_be(lab: Lab) -> None:
    link = lab.link("core-01", "core-02")
    why = lab.lacks("packet loss")
    if why:
        with pytest.raises(LabError) as refused:
            await link.lose(0.1)
        assert str(refused.value) == why
        assert link.loss == 0
    else:
        await link.lose(0.1)
        assert link.loss == 0.1
        await link.heal()
        assert link.loss == 0


async def test_a_lab_that_can_not_slow_a_disk_refuses_to(lab: Lab) -> None:
    scribe = await write_down(lab.machines["core-01"])
    if why := lab.lacks("slow disk"):
        with pytest.raises(LabError) as refused:
            await scribe.slow_disk(SLOW_MS)
        assert str(refused.value) == why
    await unslowed(scribe)


async def test_each_sync_is_held_back_until_it_is_no_more(slowing: Lab) -> None:
    scribe = await write_down(slowing.machines["core-01"])
    other = await write_down(slowing.machines["core-02"])
    before = await scribe.status()
    await scribe.slow_disk(SLOW_MS)
    assert min(await syncs(scribe)) >= SLOW_MS, "fsync as well as fdatasync"
    await unslowed(other)  # only that unit's disk
    await scribe.slow_disk(2 * SLOW_MS)
    assert min(await syncs(scribe)) >= 2 * SLOW_MS, "the new delay"
    await scribe.slow_disk(0)
    await unslowed(scribe)
    assert await scribe.status() == before, "it went on all the time"


async def test_a_slow_unit_runs_and_is_the_only_one_there(slowing: Lab) -> None:
    scribe = await write_down(slowing.machines["core-01"])
    await scribe.slow_disk(SLOW_MS)
    for _ in range(200):  # ten looks into each sync, most of which it spends held back
        assert (await scribe.status()).state == "running"
        assert list((await slowing.machines["core-01"].status()).units) == ["scribe"]
    await scribe.pause()
    assert (await unit_status(slowing, "core-01", "scribe")).state == "paused"
    await scribe.slow_disk(0)
    assert (await scribe.status()).state == "paused", "what is frozen stays frozen"
    await scribe.slow_disk(SLOW_MS)
    assert (await scribe.status()).state == "paused"
    await scribe.resume()
    assert (await scribe.status()).state == "running"
    assert min(await syncs(scribe)) >= SLOW_MS


async def test_a_slow_disk_ends_with_the_process(slowing: Lab) -> None:
    machine = slowing.machines["core-01"]
    scribe = await write_down(machine)
    await scribe.slow_disk(SLOW_MS)
    await scribe.restart()
    await unslowed(scribe)
    await scribe.slow_disk(SLOW_MS)
    await cut_power(slowing, machine.name)
    with pytest.raises(MachineDown):
        await scribe.slow_disk(SLOW_MS)
    await scribe.slow_disk(0)
    await machine.start()
    await unslowed(scribe)


async def test_what_does_not_run_or_is_no_time_is_refused(slowing: Lab) -> None:
    scribe = await write_down(slowing.machines["core-01"])
    with pytest.raises(LabError):
        await scribe.slow_disk(-1)
    await scribe.stop()
    with pytest.raises(LabError):
        await scribe.slow_disk(SLOW_MS)
    await scribe.slow_disk(0)
