"""Faults of the network on a real three-member cluster: each is seen in what etcd does, healed, and proved."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from support.faults_real import Struck, strike
from support.watch_real import RealWorld, real_world

from rwk_tui.board.rows import FaultKindRow, LinkRow
from rwk_tui.faults.catalogue import FaultRefused

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

SLOW = 300.0
"""ms that a read through a delayed member takes at least: to another one and back, 200 each, less what is taken off
because the computer stood still meanwhile."""


@pytest.fixture
async def world(subnet: int) -> AsyncIterator[RealWorld]:
    async with real_world(subnet) as made:
        yield made


def others(leader: str) -> list[str]:
    return [name for name in ("core-01", "core-02", "core-03") if name != leader]


async def well(world: RealWorld, struck: Struck) -> None:
    """Every link is open again and nothing is held back, the members agree, and the canary writes."""
    await world.healthy()
    for row in world.hub.board.rows(LinkRow):
        assert (row.state, row.delay_ms, row.jitter_ms, row.loss) == ("open", 0.0, 0.0, 0.0), row
    assert [one.ms for one in struck.card.outages if one.ms > 15_000] == []
    await world.flowing()


def elected_another(world: RealWorld, old: str) -> bool:
    return world.quorum().leader not in ("", old)


async def test_a_leader_that_is_cut_off_is_replaced(world: RealWorld) -> None:
    old = world.quorum().leader
    struck = await strike(
        world.hub, world.faults, "partition", "leader", lasts_until=lambda _: elected_another(world, old)
    )
    assert re.match(rf"all links of {old} are cut; (a read through )?{old} ", struck.effect), struck.effect
    assert struck.card.elected not in ("", old)
    await well(world, struck)


async def test_a_mute_leader_is_replaced_though_it_hears_everyone(world: RealWorld) -> None:
    old = world.quorum().leader
    one, two = others(old)
    struck = await strike(
        world.hub, world.faults, "one-way", "leader", lasts_until=lambda _: elected_another(world, old)
    )
    assert struck.target == f"{old}>{one}+{two}"
    assert struck.effect.startswith(f"nothing from {old} gets through; ")
    await well(world, struck)


async def test_a_mute_follower_goes_on_following_and_answers_nothing(world: RealWorld) -> None:
    leader = world.quorum().leader
    victim = others(leader)[0]
    struck = await strike(world.hub, world.faults, "one-way", f"{victim}>{'+'.join(others(victim))}")
    assert struck.effect == f"nothing from {victim} gets through; a read through {victim} is not answered within 1 s"
    assert struck.card.elected == "", "it disturbs nobody"
    await well(world, struck)


async def test_a_deaf_follower_knows_no_leader_and_disturbs_nobody(world: RealWorld) -> None:
    leader = world.quorum().leader
    victim = others(leader)[0]
    struck = await strike(
        world.hub,
        world.faults,
        "one-way",
        f"{'+'.join(others(victim))}>{victim}",
        lasts_until=lambda _: world.member(victim).health == "no leader",
    )
    assert struck.effect.startswith(f"nothing gets through to {victim}; ")
    assert (struck.card.elected, world.quorum().leader) == ("", leader), "it asks before it disturbs"
    await well(world, struck)


async def test_a_majority_goes_on_without_the_leader_s_camp(world: RealWorld) -> None:
    old = world.quorum().leader
    one, two = others(old)
    struck = await strike(world.hub, world.faults, "split", "leader", lasts_until=lambda _: elected_another(world, old))
    assert struck.target == f"{old}|{one}+{two}"
    assert struck.effect.startswith("the camps are apart; ")
    await well(world, struck)


async def test_where_each_is_alone_nobody_acknowledges_anything(world: RealWorld) -> None:
    struck = await strike(world.hub, world.faults, "split", "core-01|core-02|core-03")
    assert struck.effect == "no machine reaches any other; no quorum: 1 of 3 voters reachable"
    (outage,) = struck.card.outages
    assert outage.ms > 1000
    await well(world, struck)


@pytest.mark.parametrize("who", ["leader", "follower"])
async def test_a_slow_network_shows_in_what_a_read_takes(world: RealWorld, who: str) -> None:
    leader = world.quorum().leader
    struck = await strike(world.hub, world.faults, "delay", leader if who == "leader" else others(leader)[0])
    took = re.fullmatch(rf"a read through {struck.target} took (\d+) ms", struck.effect)
    assert took is not None and SLOW <= float(took[1]) < 5 * SLOW, struck.effect
    assert (struck.card.elected, world.quorum().leader) == ("", leader), "slow is not dead"
    await well(world, struck)


@pytest.mark.parametrize("who", ["leader", "follower"])
async def test_an_uneven_network_shows_in_how_reads_differ(world: RealWorld, who: str) -> None:
    leader = world.quorum().leader
    struck = await strike(world.hub, world.faults, "jitter", leader if who == "leader" else others(leader)[0])
    took = re.fullmatch(rf"8 reads through {struck.target} took (\d+) to (\d+) ms", struck.effect)
    assert took is not None and float(took[2]) - float(took[1]) >= 40, struck.effect
    assert (struck.card.elected, world.quorum().leader) == ("", leader), "uneven is not dead"
    await well(world, struck)


@pytest.mark.parametrize("who", ["leader", "follower"])
async def test_connections_that_break_are_counted_by_the_member_itself(world: RealWorld, who: str) -> None:
    leader = world.quorum().leader
    struck = await strike(world.hub, world.faults, "resets", leader if who == "leader" else others(leader)[0])
    assert re.fullmatch(rf"{struck.target} lost its peers [1-9]\d* times in \d\.\d s", struck.effect), struck.effect
    await well(world, struck)


@pytest.mark.parametrize("who", ["leader", "follower"])
async def test_a_member_whose_links_flap_is_silent_and_answers_in_turn(world: RealWorld, who: str) -> None:
    leader = world.quorum().leader
    struck = await strike(world.hub, world.faults, "flapping", leader if who == "leader" else others(leader)[0])
    silent = re.fullmatch(rf"reads through {struck.target} were not answered for (\d\.\d) s, .*", struck.effect)
    assert silent is not None and 1.0 <= float(silent[1]) <= 4.0, struck.effect
    await well(world, struck)


async def test_packets_are_not_lost_where_links_carry_streams_and_the_chooser_says_why(world: RealWorld) -> None:
    row = world.hub.board.get(FaultKindRow, "fault-kind/loss")
    assert row is not None
    assert (row.targets, row.why) == ((), world.lab.lacks("packet loss"))
    assert row.why
    with pytest.raises(FaultRefused, match="lose packets: "):
        await world.faults.inject("loss", "core-01")
