"""What every backend promises about a port that any machine may serve for all."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from support.lab import BALANCED_PORT, PORT, ask, cut_power, dial, dial_at, eventually, hears, needs, serve, talk_at

from rwk_tui.lab.protocol import Lab, LabError, Line, Machine, Place

pytestmark = pytest.mark.process

UNREACHED = ("refused", "closed", "silent")
ENDED = ("broken", "closed")


@contextlib.asynccontextmanager
async def talking(place: Place, url: str) -> AsyncIterator[AsyncIterator[Line]]:
    """The lines of a command at that place which talks over one connection."""
    run, lines = await talk_at(place, url)
    try:
        yield lines
    finally:
        await run.kill()


def own(machine: Machine) -> str:
    """The URL that its own programs dial."""
    return machine.any_url(BALANCED_PORT)


def desks(lab: Lab) -> str:
    """The URL that the presenter dials."""
    host, port = lab.any_address(BALANCED_PORT)
    return f"http://{host}:{port}"


async def serve_all(lab: Lab) -> tuple[Machine, Machine, Machine]:
    one, two, three = lab.machines.values()
    await asyncio.gather(*(serve(machine, BALANCED_PORT, bound=True) for machine in (one, two, three)))
    return one, two, three


async def ends(lines: AsyncIterator[Line]) -> None:
    """Until that connection is broken or closed."""
    async with asyncio.timeout(5):
        while await hears(lines) not in ENDED:
            pass


async def test_a_unit_with_one_address_serves_its_machine_and_if_public_the_others(lab: Lab) -> None:
    one, two, _ = lab.machines.values()
    await serve(one, bound=True)
    assert await ask(one) == "core-01 hello"
    assert await dial(two, one) == "core-01 hello"
    assert await dial(one, one) == "core-01 hello"
    await lab.link("core-02", "core-01").cut()
    assert await dial(two, one) in UNREACHED
    await serve(two, public=False, bound=True)
    assert await ask(two) == "core-02 hello"
    assert await dial(one, two) == "refused"


async def test_a_unit_with_one_address_keeps_it_over_a_restart_of_its_machine(lab: Lab) -> None:
    one, two, _ = lab.machines.values()
    await serve(one, bound=True)
    await cut_power(lab, one.name)
    await one.start()

    async def served() -> bool:
        return await dial(two, one) == "core-01 hello"

    await eventually(served)


async def test_whoever_listens_serves_all(lab: Lab) -> None:
    _, two, _ = lab.machines.values()
    for place, url in ((lab.desk, desks(lab)), (two, own(two))):
        assert await dial_at(place, url) in UNREACHED, "nobody serves it yet"
    await serve(two, BALANCED_PORT, bound=True)
    assert await dial_at(lab.desk, desks(lab)) == "core-02 hello"
    for machine in lab.machines.values():
        assert await dial_at(machine, own(machine)) == "core-02 hello"


async def test_a_port_that_is_not_public_or_not_balanced_is_not_served_for_all(lab: Lab) -> None:
    one = lab.machines["core-01"]
    await serve(one, BALANCED_PORT, public=False, bound=True)
    assert await dial_at(lab.desk, desks(lab)) in UNREACHED
    for attempt in (lab.any_address, one.any_url, lambda port: lab.steer(port, ["core-01"])):
        with pytest.raises(LabError, match=str(PORT)):
            attempt(PORT)


async def test_connections_go_to_machines_that_are_ready(lab: Lab) -> None:
    one, _, _ = await serve_all(lab)
    for ready in (["core-02", "core-03"], ["core-03"], ["core-01"]):
        lab.steer(BALANCED_PORT, ready)
        for _ in range(3):
            assert (await dial_at(one, own(one))).removesuffix(" hello") in ready
            assert (await dial_at(lab.desk, desks(lab))).removesuffix(" hello") in ready
    lab.steer(BALANCED_PORT, [])
    assert (await dial_at(lab.desk, desks(lab))).endswith(" hello"), "where none is ready, any will do"


async def test_one_that_is_ready_but_gone_costs_nobody_an_answer(lab: Lab) -> None:
    one, two, _ = await serve_all(lab)
    lab.steer(BALANCED_PORT, ["core-02"])
    await two.unit("talk").kill()
    for _ in range(3):
        assert await dial_at(one, own(one)) in ("core-01 hello", "core-03 hello")


async def test_who_is_not_ready_any_more_loses_its_connections_and_others_keep_theirs(lab: Lab) -> None:
    one, two, _ = await serve_all(lab)
    lab.steer(BALANCED_PORT, ["core-01"])
    async with (
        talking(lab.desk, desks(lab)) as desk,
        talking(one, own(one)) as at_one,
        talking(two, one.url(BALANCED_PORT)) as direct,
    ):
        for lines in (desk, at_one, direct):
            assert await hears(lines) == "core-01 0"
        lab.steer(BALANCED_PORT, ["core-02", "core-01"])
        assert (await hears(desk)).startswith("core-01 "), "who is still ready keeps its clients"
        await one.unit("talk").pause()
        lab.steer(BALANCED_PORT, ["core-02"])
        await ends(desk)
        await ends(at_one)
        await one.unit("talk").resume()
        assert (await hears(direct)).startswith("core-01 "), "who dialled that very machine stays"
    async with talking(one, own(one)) as lines:
        assert await hears(lines) == "core-02 0"
        lab.steer(BALANCED_PORT, [])
        assert (await hears(lines)).startswith("core-02 "), "nobody is better, so nothing moves"


async def test_connections_end_with_the_unit_that_serves_them(lab: Lab) -> None:
    one, _, _ = await serve_all(lab)
    lab.steer(BALANCED_PORT, ["core-03"])
    async with talking(lab.desk, desks(lab)) as desk, talking(one, own(one)) as at_one:
        await hears(desk)
        await hears(at_one)
        await lab.machines["core-03"].unit("talk").kill()
        await ends(desk)
        await ends(at_one)


@pytest.mark.parametrize("way", ["there", "back"])
async def test_a_machine_finds_only_those_to_which_its_links_are_open(lab: Lab, way: str) -> None:
    one, two, three = await serve_all(lab)
    lab.steer(BALANCED_PORT, ["core-02", "core-03"])
    for other in (two, three):
        pair = (one.name, other.name) if way == "there" else (other.name, one.name)
        await lab.link(*pair).cut()
        found = {await dial_at(one, own(one)) for _ in range(3)}
        assert found == ({"core-03 hello"} if other is two else {"core-01 hello"})
    await one.unit("talk").stop()
    assert await dial_at(one, own(one)) in UNREACHED
    assert await dial_at(two, own(two)) in ("core-02 hello", "core-03 hello")
    assert await dial_at(lab.desk, desks(lab)) in ("core-02 hello", "core-03 hello"), "the presenter is never cut"
    for link in lab.links:
        await link.heal()
    assert await dial_at(one, own(one)) in ("core-02 hello", "core-03 hello")


async def test_cutting_both_directions_closes_what_went_between_the_two(lab: Lab) -> None:
    one, two, _ = await serve_all(lab)
    lab.steer(BALANCED_PORT, ["core-02"])
    async with (
        talking(one, own(one)) as at_one,
        talking(two, own(two)) as at_two,
        talking(lab.desk, desks(lab)) as desk,
    ):
        for lines in (at_one, at_two, desk):
            assert await hears(lines) == "core-02 0"
        await lab.link("core-01", "core-02").cut()
        await lab.link("core-02", "core-01").cut()
        await ends(at_one)
        for lines in (at_two, desk):
            assert (await hears(lines)).startswith("core-02 ")


async def test_a_delay_holds_back_what_a_machine_dials_at_its_balancer(lab: Lab) -> None:
    needs(lab.lacks("delay"))
    one, two, _ = await serve_all(lab)
    lab.steer(BALANCED_PORT, ["core-02"])
    loop = asyncio.get_running_loop()
    await lab.link("core-02", "core-01").delay(600)
    started = loop.time()
    assert await dial_at(one, own(one)) == "core-02 hello"
    delayed = loop.time() - started
    assert delayed > 0.5

    async def is_not_delayed() -> bool:
        begun = loop.time()
        assert await dial_at(two, own(two)) == "core-02 hello"
        return loop.time() - begun < delayed

    await eventually(is_not_delayed, what="a dial that nothing holds back")


async def test_a_machine_that_comes_back_dials_and_serves_again(lab: Lab) -> None:
    one, two, _ = await serve_all(lab)
    lab.steer(BALANCED_PORT, ["core-01"])
    await cut_power(lab, one.name)
    assert await dial_at(two, own(two)) in ("core-02 hello", "core-03 hello")
    await one.start()

    async def back() -> bool:
        return await dial_at(two, own(two)) == "core-01 hello"

    await eventually(back)
    assert await dial_at(one, own(one)) == "core-01 hello"
