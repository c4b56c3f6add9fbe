"""What every backend promises about links that work badly: jitter, resets, and cuts in one direction only."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

import pytest
from support.lab import ask, dial, eventually, hears, needs, serve, talk

from rwk_tui.lab.protocol import Lab, LabError

pytestmark = pytest.mark.process

UNREACHED = ("refused", "closed", "silent")
OVER = ("broken", "closed")


async def test_what_jitters_is_late_by_different_times_and_in_order(lab: Lab) -> None:
    needs(lab.lacks("delay"))
    one, two = lab.machines["core-01"], lab.machines["core-02"]
    await serve(one)
    link = lab.link("core-01", "core-02")
    await link.delay(200, 200)
    assert (link.delay_ms, link.jitter_ms) == (200, 200)
    run, lines = await talk(two, one)
    heard = [(await hears(lines), time.monotonic()) for _ in range(40)]
    assert [text for text, _ in heard] == [f"core-01 {number}" for number in range(40)]
    # They are said every 50 ms, and what overtakes nothing comes in bunches then.
    gaps = [later - earlier for (_, earlier), (_, later) in pairwise(heard)]
    assert min(gaps) < 0.025, gaps
    assert max(gaps) > 0.075, gaps
    await link.heal()
    assert (link.delay_ms, link.jitter_ms) == (0, 0)
    await run.kill()


async def test_a_jitter_that_is_no_time_or_more_than_the_delay_is_refused(lab: Lab) -> None:
    link = lab.link("core-01", "core-02")
    for delay, jitter in ((10, -1), (10, 11), (0, 5)):
        with pytest.raises(LabError):
            await link.delay(delay, jitter)
    assert (link.delay_ms, link.jitter_ms) == (0, 0)


@pytest.mark.parametrize(("source", "target"), [("core-01", "core-02"), ("core-02", "core-01")])
async def test_a_reset_breaks_what_is_open_between_two_whoever_dialled(lab: Lab, source: str, target: str) -> None:
    one, two, three = lab.machines.values()
    for machine in (one, two, three):
        await serve(machine)
    talks = [await talk(two, one), await talk(one, two)]
    beside = [await talk(three, one), await talk(two, three)]
    for _, lines in talks + beside:
        assert await hears(lines)
    link = lab.link(source, target)
    await link.reset()
    for _, lines in talks:
        async with asyncio.timeout(5):
            while await hears(lines) not in OVER:
                pass
    for _, lines in beside:
        for _ in range(5):
            assert await hears(lines) not in ("", *OVER)
    assert not link.is_cut
    assert await dial(two, one) == "core-01 hello", "new ones are let through"
    assert await dial(one, two) == "core-02 hello"
    for run, _ in talks + beside:
        await run.kill()


async def test_who_serves_notices_a_reset_too(lab: Lab) -> None:
    one, two = lab.machines["core-01"], lab.machines["core-02"]
    await serve(one)
    run, lines = await talk(two, one)
    await hears(lines)
    await lab.link("core-02", "core-01").reset()

    async def noticed() -> bool:
        log = [line async for line in one.unit("talk").log(lines=1000)]
        return any("ConnectionResetError" in line for line in log)

    await eventually(noticed, what="the reset in the log of who serves")
    await run.kill()


async def test_a_machine_that_is_mute_hears_and_one_that_is_deaf_speaks(lab: Lab) -> None:
    """Cutting the links away from a machine is not the same as cutting those to it."""
    one, two, three = lab.machines.values()
    for machine in (one, two):
        await serve(machine)
    await lab.link("core-01", "core-02").cut()
    assert await dial(one, two) in UNREACHED, "what it says does not get out"
    assert await dial(two, one) == "silent", "it hears, and its answer does not get out"
    assert await _heard(lab, "core-01") == 1
    assert await _heard(lab, "core-02") == 0
    for machine in (one, two):
        assert await dial(three, machine) == f"{machine.name} hello"
        assert await ask(machine) == f"{machine.name} hello"
    await lab.link("core-01", "core-02").heal()
    assert await dial(one, two) == "core-02 hello"
    assert await dial(two, one) == "core-01 hello"


async def _heard(lab: Lab, machine: str) -> int:
    """How often a server heard another machine say hello; it heard its own once, when it began."""
    log = [line async for line in lab.machines[machine].unit("talk").log(lines=1000)]
    return log.count("got hello") - 1
