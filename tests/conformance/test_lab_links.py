"""What every backend promises about the network between machines."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from support.lab import PORT, PRIVATE_PORT, ask, cut_power, dial, eventually, hears, needs, serve, talk

from rwk_tui.lab.protocol import Lab, LabError, Unit

pytestmark = pytest.mark.process

UNREACHED = ("refused", "closed", "silent")


async def test_machines_reach_each_other_and_themselves(lab: Lab) -> None:
    one, two = lab.machines["core-01"], lab.machines["core-02"]
    await serve(one)
    assert await dial(two, one) == "core-01 hello"
    assert await dial(one, one) == "core-01 hello"
    assert await ask(one) == "core-01 hello"


async def test_a_private_port_is_refused_to_others(lab: Lab) -> None:
    one, two = lab.machines["core-01"], lab.machines["core-02"]
    await serve(one, PRIVATE_PORT, public=False)
    assert await dial(two, one, PRIVATE_PORT) == "refused"
    assert await ask(one, PRIVATE_PORT) == "core-01 hello"


async def test_nobody_answers_for_a_unit_that_does_not_run(lab: Lab) -> None:
    one, two = lab.machines["core-01"], lab.machines["core-02"]
    assert await dial(two, one) == "refused"
    await serve(one)
    await one.unit("talk").kill()
    assert await dial(two, one) == "refused"
    await serve(one)
    assert await dial(two, one) == "core-01 hello"
    await cut_power(lab, "core-01")
    assert await dial(two, one) in UNREACHED


async def test_two_etcds_find_room_on_one_machine(lab: Lab) -> None:
    one, two = lab.machines["core-01"], lab.machines["core-02"]
    for name, ports in (("etcd", (2379, 2380)), ("registry", (12379, 12380))):
        await serve(one, *ports, unit=name)
    for port in (2379, 2380, 12379, 12380):
        assert await dial(two, one, port) == "core-01 hello"


async def test_a_paused_unit_is_silent_not_refusing(lab: Lab) -> None:
    one, two = lab.machines["core-01"], lab.machines["core-02"]
    await serve(one)
    await one.unit("talk").pause()
    assert await dial(two, one) == "silent"


async def test_a_cut_link_lets_nothing_new_through(lab: Lab) -> None:
    one, two, three = lab.machines.values()
    await serve(one)
    link = lab.link("core-02", "core-01")
    await link.cut()
    assert [(cut.source, cut.target) for cut in lab.links if cut.is_cut] == [("core-02", "core-01")]
    assert await dial(two, one) in UNREACHED
    assert await dial(three, one) == "core-01 hello", "only that link is cut"
    assert await dial(one, one) == "core-01 hello", "a machine always reaches itself"
    assert await ask(one) == "core-01 hello", "the presenter is never cut"
    await link.heal()
    assert not any(healed.is_cut for healed in lab.links)
    assert await dial(two, one) == "core-01 hello"


async def test_cutting_both_directions_closes_what_is_open(lab: Lab) -> None:
    one, two, three = lab.machines.values()
    await serve(one)
    run, lines = await talk(two, one)
    other_run, others = await talk(three, one)
    await hears(lines)
    await hears(others)
    await lab.link("core-01", "core-02").cut()
    await lab.link("core-02", "core-01").cut()
    async with asyncio.timeout(5):
        while await hears(lines) not in ("broken", "closed"):
            pass
    assert (await hears(others)).startswith("core-01 ")
    await run.kill()
    await other_run.kill()


async def test_a_one_way_cut_holds_bytes_back_and_loses_none(lab: Lab) -> None:
    one, two = lab.machines["core-01"], lab.machines["core-02"]
    await serve(one)
    run, lines = await talk(two, one)
    assert await hears(lines) == "core-01 0"
    await lab.link("core-01", "core-02").cut()
    arrived = await _received(one.unit("talk"))

    async def more_arrives() -> bool:
        return await _received(one.unit("talk")) > arrived + 5

    await eventually(more_arrives, what="bytes in the direction that is open")
    seen = 0
    while line := await hears(lines, 0.5):
        seen = int(line.removeprefix("core-01 "))
    await lab.link("core-01", "core-02").heal()
    rest = aiter(run)
    expected = list(range(seen + 1, seen + 11))
    got = [int((await hears(rest)).removeprefix("core-01 ")) for _ in expected]
    assert got[0] in (seen + 1, seen + 2), "one line may have gone to the reader that gave up"
    assert got == list(range(got[0], got[0] + 10))
    await run.kill()


@pytest.mark.process
async def test_the_other_way_round_nothing_arrives(lab: Lab) -> None:
    one, two = lab.machines["core-01"], lab.machines["core-02"]
    await serve(one)
    run, lines = await talk(two, one)
    await hears(lines)
    await lab.link("core-02", "core-01").cut()
    await _until_quiet(lambda: _received(one.unit("talk")))
    await lab.link("core-02", "core-01").heal()
    before = await _received(one.unit("talk"))

    async def goes_on() -> bool:
        return await _received(one.unit("talk")) > before

    await eventually(goes_on)
    await run.kill()


@pytest.mark.process
async def test_a_delay_holds_back_and_heals(lab: Lab) -> None:
    needs(lab.lacks("delay"))
    one, two = lab.machines["core-01"], lab.machines["core-02"]
    await serve(one)
    link = lab.link("core-01", "core-02")
    await link.delay(600)
    assert link.delay_ms == 600
    delayed = await _timed(lambda: dial(two, one))
    assert delayed > 0.5
    await link.heal()
    assert link.delay_ms == 0

    async def is_not_delayed() -> bool:
        return await _timed(lambda: dial(two, one)) < delayed

    await eventually(is_not_delayed, what="a dial that nothing holds back")
    with pytest.raises(LabError):
        await link.delay(-1)


@pytest.mark.process
async def test_there_are_six_links(lab: Lab) -> None:
    assert len({(link.source, link.target) for link in lab.links}) == 6
    with pytest.raises(LabError):
        lab.link("core-01", "core-01")


async def _timed(dialling: Callable[[], Awaitable[str]]) -> float:
    started = time.monotonic()
    assert await dialling() == "core-01 hello"
    return time.monotonic() - started


async def _received(unit: Unit) -> int:
    return len([line async for line in unit.log(lines=10_000) if line.startswith("got") and line != "got hello"])


async def _until_quiet(count: Callable[[], Awaitable[int]], quiet: float = 0.5, deadline: float = 10) -> None:
    """Until the count stays for `quiet` seconds: at a line every 50 ms, nothing comes any more."""
    end = time.monotonic() + deadline
    last, since = await count(), time.monotonic()
    while time.monotonic() - since < quiet:
        assert time.monotonic() < end, "bytes go on arriving over a cut link"
        await asyncio.sleep(0.05)
        now = await count()
        if now != last:
            last, since = now, time.monotonic()


assert PORT != PRIVATE_PORT
