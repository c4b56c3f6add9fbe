"""A gap of etcd's is found though other programs want every core; one that our own loop made is said to be that."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
from support.busy import busy_cores
from support.watch_real import RealWorld, real_world

from rwk_tui.board.wording import stood_still
from rwk_tui.story.checks import Memory, Outcome, wait_for
from rwk_tui.story.context import Context
from rwk_tui.story.schema import Check, Gap
from rwk_tui.watch.gaps import longest

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

STOPPED = 1500.0
"""ms for which etcd is kept from answering."""
BLOCKED = 1.0
"""Seconds for which our own loop does nothing."""


@pytest.fixture
async def world(subnet: int) -> AsyncIterator[RealWorld]:
    async with real_world(subnet) as made:
        yield made


async def judged(world: RealWorld, since: float, bounds: Gap) -> Outcome:
    """What a chapter's check of the gap says of the time since then."""
    await world.flowing()
    context = Context(world.lab, world.hub, world.watcher, world.faults, world.settings, world.ground.site)
    check = Check(verb="gap", what=bounds, text="the gap")
    return await wait_for(check, context, Memory(began=since, acted=since), 20.0, lambda _saw: None)


@pytest.mark.parametrize("how", ["frozen", "slow disk"])
async def test_a_gap_of_etcds_is_found_while_the_cores_are_busy(how: str, world: RealWorld) -> None:
    if how == "slow disk" and world.lab.lacks("slow disk"):
        pytest.skip(world.lab.lacks("slow disk"))
    canary = world.watcher.canary
    with busy_cores():
        await world.flowing()
        since = time.time()
        units = [world.lab.machines[name].unit("etcd") for name in ("core-01", "core-02")]
        for unit in units:
            await (unit.pause() if how == "frozen" else unit.slow_disk(2 * STOPPED))
        await world.holds(lambda: (gap := canary.gap()) is not None and gap.ms > STOPPED)
        for unit in units:
            await (unit.resume() if how == "frozen" else unit.slow_disk(0))
        await world.holds(lambda: canary.gap() is None)
        below = await judged(world, since, Gap(below_ms=500))
        above = await judged(world, since, Gap(above_ms=500))
    gap = longest(canary.gaps(since))
    assert gap is not None and gap.ms > STOPPED, world.report()
    assert not below.holds, below.saw
    assert above.holds, above.saw
    assert below.saw.startswith("longest gap ")


async def test_a_gap_of_our_own_is_said_to_be_that(world: RealWorld) -> None:
    since = time.time()
    time.sleep(BLOCKED)  # noqa: ASYNC251 - this is the standing still that is to be noticed
    await world.holds(lambda: world.watcher.canary.gap() is None)
    below = await judged(world, since, Gap(below_ms=500))
    above = await judged(world, since, Gap(above_ms=500))
    gap = longest(world.watcher.canary.gaps(since))
    assert gap is not None and gap.ms >= BLOCKED * 1000, world.report()
    assert below.holds, below.saw
    assert not above.holds, above.saw
    assert stood_still(gap.still_ms) in below.saw
    assert any(stood_still(gap.still_ms) in event.text for event in world.told("outage")), world.report()
