"""Faults of the network over a pretended lab: which links are hit, what shows it, and what is left after healing."""

from __future__ import annotations

import asyncio
import time

import pytest
from support.faults_world import FaultsWorld
from support.watch_etcd import refused, status

from rwk_tui.board.rows import FaultRow
from rwk_tui.faults.catalogue import FaultRefused
from rwk_tui.faults.kinds import KINDS
from rwk_tui.faults.reads import read_ms
from rwk_tui.faults.sights import link_is_cut, member
from rwk_tui.lab.protocol import UnitStatus

BOTH_WAYS = {("core-01", "core-02"), ("core-02", "core-01"), ("core-01", "core-03"), ("core-03", "core-01")}
MUTE = "core-01>core-02+core-03"
APART = "core-01|core-02|core-03"


async def test_a_partition_cuts_both_directions_and_only_that_machine(world: FaultsWorld) -> None:
    await world.faults.inject("partition", "core-01")
    assert world.cut() == BOTH_WAYS
    await world.faults.heal()
    assert world.cut() == set()


async def test_healing_one_partition_keeps_the_other(world: FaultsWorld) -> None:
    first = await world.faults.inject("partition", "core-01")
    await world.faults.inject("partition", "core-03")
    await world.faults.heal(first.id)
    assert all("core-03" in ends for ends in world.cut())
    assert len(world.cut()) == 4


async def test_faults_of_different_kinds_lie_on_one_link_and_heal_in_any_order(world: FaultsWorld) -> None:
    slow = await world.faults.inject("delay", "core-01")
    cut = await world.faults.inject("partition", "core-01")
    uneven = await world.faults.inject("jitter", "core-02")
    link = world.lab.link("core-01", "core-02")
    assert (link.is_cut, link.delay_ms, link.jitter_ms) == (True, 200.0, 80.0)
    await world.faults.heal(slow.id)
    assert (link.is_cut, link.delay_ms, link.jitter_ms) == (True, 100.0, 80.0)
    await world.faults.heal(cut.id)
    assert (link.is_cut, link.delay_ms, link.jitter_ms) == (False, 100.0, 80.0)
    await world.faults.heal(uneven.id)
    assert (link.is_cut, link.delay_ms, link.jitter_ms) == (False, 0.0, 0.0)


async def test_one_direction_is_cut_and_the_leader_becomes_mute(world: FaultsWorld) -> None:
    row = await world.faults.inject("one-way", "leader")
    assert row.target == "core-02>core-01+core-03"
    assert row.text == "what core-02 sends is lost"
    assert world.cut() == {("core-02", "core-01"), ("core-02", "core-03")}
    deaf = await world.faults.inject("one-way", "core-02+core-03>core-01")
    assert deaf.text == "core-01 hears nobody"
    await world.faults.heal(row.id)
    assert world.cut() == {("core-02", "core-01"), ("core-03", "core-01")}


async def test_where_each_is_alone_every_link_is_cut(world: FaultsWorld) -> None:
    await world.faults.inject("split", APART)
    assert len(world.cut()) == 6
    await world.until(lambda _: world.targets("split") == ())
    await world.faults.heal()
    assert world.cut() == set()


async def test_what_is_offered(world: FaultsWorld) -> None:
    assert world.targets("split")[0] == "leader"
    assert set(world.targets("split")[1:]) == {
        "core-01|core-02+core-03",
        "core-02|core-01+core-03",
        "core-03|core-01+core-02",
        APART,
    }
    assert MUTE in world.targets("one-way")
    assert len(world.targets("one-way")) == 7
    assert world.targets("resets") == ("leader", "core-01", "core-02", "core-03")


async def test_packets_are_only_lost_where_there_are_any(world: FaultsWorld) -> None:
    world.lab.missing["packet loss"] = "links carry streams here, and no packets"
    with pytest.raises(FaultRefused, match="lose packets: links carry streams here"):
        await world.faults.inject("loss", "core-01")


@pytest.mark.parametrize(
    ("fault", "title"), [("delay", "slow its network down"), ("jitter", "make its network uneven")]
)
async def test_nothing_is_held_back_where_that_can_not_be_done(world: FaultsWorld, fault: str, title: str) -> None:
    world.lab.missing["delay"] = "the kernel of core-01 has no netem"
    with pytest.raises(FaultRefused, match=f"{title}: the kernel of core-01"):
        await world.faults.inject(fault, "core-01")


async def test_who_is_alone_shows_by_knowing_no_leader(world: FaultsWorld) -> None:
    await world.faults.inject("partition", "core-01")
    world.cluster.statuses["core-01"] = status("core-01", "")
    await world.until(lambda board: bool(board.rows(FaultRow)[0].effect))
    (row,) = world.hub.board.rows(FaultRow)
    assert row.effect == "all links of core-01 are cut; core-01 knows no leader"


async def test_a_mute_follower_shows_by_what_it_cant_ask(world: FaultsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = True

    async def answers(case: object, machine: str, within: float) -> bool:
        assert machine == "core-01"
        return heard

    monkeypatch.setattr("rwk_tui.faults.network.answers", answers)
    case = world.case(MUTE)
    await KINDS["one-way"].inject(case)
    assert await KINDS["one-way"].shows(case) is None, "no probe has seen the links yet"
    world.watcher.refresh()
    await world.until(lambda board: link_is_cut(board, "core-01", "core-02"))
    assert await KINDS["one-way"].shows(case) is None, "it still gets its answers"
    heard = False
    sight = await KINDS["one-way"].shows(case)
    assert sight is not None
    assert sight.words == "nothing from core-01 gets through; a read through core-01 is not answered within 1 s"


async def test_a_read_took_not_as_long_as_this_computer_stood_still_in_it(
    world: FaultsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = world.case("core-01")
    client, ours = await world.ground.etcd("core-01"), [True, False]

    async def block(*_given: object, **_named: object) -> None:
        if ours.pop(0):
            time.sleep(0.5)  # noqa: ASYNC251 - this is the standing still that is to be noticed
        else:
            await asyncio.sleep(0.5)

    monkeypatch.setattr(client, "get", block)
    assert await read_ms(case, "core-01", 5.0) < 250
    assert await read_ms(case, "core-01", 5.0) > 250


async def test_a_delay_shows_once_a_read_takes_that_long(world: FaultsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    took = iter([30.0, 431.2])

    async def read(case: object, machine: str, within: float) -> float:
        return next(took)

    monkeypatch.setattr("rwk_tui.faults.network_quality.read_ms", read)
    assert await KINDS["delay"].shows(world.case("core-01")) is None
    sight = await KINDS["delay"].shows(world.case("core-01"))
    assert sight is not None and sight.words == "a read through core-01 took 431 ms"


@pytest.mark.parametrize(
    ("took", "words"),
    [
        ([121.0, 340.0, 200.0, 200.0], "8 reads through core-01 took 121 to 340 ms"),
        ([200.0, 210.0, 205.0, 201.0], None),
        ([1.0, 60.0, 2.0, 2.0], None),
    ],
)
async def test_jitter_shows_by_uneven_reads(
    world: FaultsWorld, monkeypatch: pytest.MonkeyPatch, took: list[float], words: str | None
) -> None:
    times = iter(took * 2)

    async def read(case: object, machine: str, within: float) -> float:
        return next(times)

    monkeypatch.setattr("rwk_tui.faults.network_quality.read_ms", read)
    sight = await KINDS["jitter"].shows(world.case("core-01"))
    assert (sight.words if sight else None) == words


async def test_where_the_member_is_down_the_links_say_how_they_are(world: FaultsWorld) -> None:
    world.lab.fakes["core-01"].units["etcd"] = UnitStatus("failed")
    world.cluster.broken["core-01"] = refused()
    world.cluster.statuses.pop("core-01")
    await world.until(lambda board: (row := member(board, "core-01")) is not None and row.health == "down")
    await world.faults.inject("jitter", "core-01")
    await world.faults.inject("delay", "core-01")
    await world.until(lambda board: all(row.effect for row in board.rows(FaultRow)))
    slow, uneven = sorted(world.hub.board.rows(FaultRow), key=lambda row: row.fault)
    assert slow.effect == "what core-01 sends and hears comes 200 ms late"
    assert uneven.effect == "what core-01 sends and hears comes 100 ± 80 ms late"
    sight = await KINDS["resets"].shows(world.case("core-01"))
    assert sight is not None and sight.words.startswith("the member of core-01 is down")


async def test_connections_are_reset_again_and_again_until_healed(
    world: FaultsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rwk_tui.faults.network_breaks.EVERY", 0.02)
    await world.faults.inject("resets", "core-01")
    mine, other = world.lab.link("core-01", "core-02"), world.lab.link("core-02", "core-03")
    await world.until(lambda _: world.hub.now() > 0 and mine.done.count("reset core-01>core-02") > 3)
    await world.faults.heal()
    resets = len(mine.done)
    await asyncio.sleep(0.1)
    assert len(mine.done) == resets
    assert other.done == []


async def test_links_flap_by_the_clock_and_what_else_was_cut_stays_so(
    world: FaultsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rwk_tui.faults.network_wishes.PERIOD", 0.1)
    await world.faults.inject("partition", "core-02")
    await world.faults.inject("flapping", "core-01")
    link, both = world.lab.link("core-01", "core-03"), world.lab.link("core-01", "core-02")
    for cut in (True, False, True, False):
        await world.until(lambda _, cut=cut: link.is_cut is cut)  # type: ignore[misc]
        assert both.is_cut
    await world.faults.heal()
    assert not link.is_cut
    assert both.is_cut
