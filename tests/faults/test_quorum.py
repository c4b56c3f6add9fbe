"""Two machines of three: which pairs are offered, what brings a majority back, and what is done only once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.faults_etcd import EtcdWorld
from support.watch_etcd import IDS, refused

from rwk_tui.board.rows import FaultRow, QuorumRow
from rwk_tui.faults import proof, quorum
from rwk_tui.faults.base import FaultRefused
from rwk_tui.lab.protocol import Machine, UnitStatus

PAIRS = ("core-01+core-02", "core-01+core-03", "core-02+core-03")
PAIR = "core-01+core-02"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[EtcdWorld]:
    made = EtcdWorld(tmp_path)
    await made.start()
    await made.until(lambda board: "core-01+core-03" in made.targets("lose-two"))
    yield made
    await made.stop()


@pytest.fixture
def forced(world: EtcdWorld, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who was told to go on alone; it then is a cluster of one."""
    told: list[str] = []

    def alone(machine: Machine, site: object) -> tuple[()]:
        told.append(machine.name)
        world.cluster.listed = tuple(one for one in world.cluster.listed if one.id == IDS[machine.name])
        world.etcd_lab.led_by(machine.name)
        return ()

    monkeypatch.setattr(quorum, "alone", alone)
    return told


def is_lost(world: EtcdWorld) -> bool:
    row = world.hub.board.get(QuorumRow, "quorum")
    return row is not None and row.state == "lost"


async def effect(world: EtcdWorld) -> str:
    await world.until(lambda board: any(row.effect for row in board.rows(FaultRow)))
    return world.hub.board.rows(FaultRow)[0].effect


async def test_each_pair_is_offered_and_the_leader_s_by_its_alias(world: EtcdWorld) -> None:
    assert world.targets("lose-two") == ("leader", *PAIRS)
    row = await world.faults.inject("lose-two", "leader")
    assert row.target == "core-02+core-03"


async def test_without_a_majority_there_is_none_to_lose(world: EtcdWorld) -> None:
    for name in ("core-01", "core-03"):
        world.cluster.statuses.pop(name)
        world.cluster.broken[name] = refused()
    world.etcd_lab.led_by("")
    await world.until(lambda _: world.targets("lose-two") == ())


async def test_of_two_members_none_would_be_left_and_nothing_is_offered(world: EtcdWorld) -> None:
    await world.machine("core-01").unit("etcd").stop()
    world.cluster.listed = tuple(one for one in world.cluster.listed if one.name != "core-01")
    await world.until(lambda _: world.targets("lose-two") == ())


async def test_two_that_lost_their_power_are_switched_on_together(world: EtcdWorld) -> None:
    await world.faults.inject("lose-two", PAIR)
    assert world.ran() == ["kill core-01", "kill core-02"]
    assert await effect(world) == "no quorum: 1 of 3 voters reachable"
    await world.faults.heal()
    assert world.ran()[2:] == ["start core-01", "start core-01/etcd", "start core-02", "start core-02/etcd"]
    world.etcd_lab.led_by("core-03")
    await world.faults.settled()
    assert [card.verdict for card in world.cards()] == ["holds"]


async def test_one_of_them_that_is_on_already_is_left_alone(world: EtcdWorld) -> None:
    await world.faults.inject("lose-two", PAIR)
    await world.machine("core-01").start()
    world.journal.clear()
    await world.faults.heal()
    assert world.ran() == ["start core-02", "start core-02/etcd"]


async def test_it_is_over_when_both_are_on_or_gone(world: EtcdWorld) -> None:
    await world.faults.inject("lose-two", PAIR)
    await effect(world)
    await world.machine("core-01").start()
    await world.until(lambda _: "core-01" in world.targets("power-cut"))
    assert len(world.faults.active) == 1
    await world.machine("core-02").start()
    await world.until(lambda board: not board.rows(FaultRow))


async def test_only_machines_that_carry_nothing_else_are_lost_for_good(world: EtcdWorld) -> None:
    assert world.targets("lose-two-forever") == PAIRS
    world.machine("core-02").units["kubelet"] = UnitStatus("running", pid=3)
    await world.until(lambda _: world.targets("lose-two-forever") == ("core-01+core-03",))


async def test_both_names_must_be_typed(world: EtcdWorld) -> None:
    with pytest.raises(FaultRefused, match=r"type core-01\+core-02 to confirm"):
        await world.faults.inject("lose-two-forever", PAIR, "core-01")
    assert world.ran() == []


async def test_the_survivor_goes_on_alone_and_two_join_it_one_after_the_other(
    world: EtcdWorld, forced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    restored: list[str] = []
    monkeypatch.setattr(world.watcher.canary, "restored", restored.append)
    monkeypatch.setattr(proof, "PATIENCE", 0.5)  # So nothing is counted that could be waited for.
    await world.faults.inject("lose-two-forever", PAIR, PAIR)
    assert world.ran() == ["destroy core-01", "destroy core-02"]
    assert await effect(world) == "no quorum: 1 of 3 voters reachable"
    world.journal.clear()
    await world.faults.heal()
    assert (forced, restored) == (["core-03"], [""])
    steps = [
        line
        for name in ("core-01", "core-02")
        for line in (
            f"start {name}",
            f"core-03: etcdctl --endpoints=http://10.0.0.3:2379 member add {name} "
            f"--peer-urls=http://10.0.0.{name[-1]}:2380 --learner",
            f"core-03: etcdctl --endpoints=http://10.0.0.3:2379 member promote {IDS[name]}",
        )
    ]
    done = [line for line in world.ran() if "etcd/" not in line and "rm -rf" not in line and "/etcd" not in line]
    assert done == steps
    await world.faults.settled()
    assert [card.verdict for card in world.cards()] == ["holds"]


async def test_what_broke_off_is_not_begun_anew(
    world: EtcdWorld, forced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    restored: list[str] = []
    monkeypatch.setattr(world.watcher.canary, "restored", restored.append)
    await world.faults.inject("lose-two-forever", PAIR, PAIR)
    await effect(world)
    survivor = world.machine("core-03")
    survivor.exactly["member promote b2"] = (1, "etcdserver: request timed out")
    assert await world.faults.heal() == ()
    assert "request timed out" in world.told("heal")[-1]
    del survivor.exactly["member promote b2"]
    world.journal.clear()
    await world.until(lambda _: not is_lost(world))
    assert len(await world.faults.heal()) == 1
    assert (forced, restored) == (["core-03"], [""]), "a second time would throw out who has joined"
    assert not any("core-01" in line for line in world.ran()), "it votes already"
    assert world.ran()[:3] == [
        "stop core-02/etcd",
        "core-03: etcdctl --endpoints=http://10.0.0.3:2379 member remove b2",
        "core-02: rm -rf /core-02/etcd",
    ]


async def test_without_a_survivor_it_stays(world: EtcdWorld, forced: list[str]) -> None:
    await world.faults.inject("lose-two-forever", PAIR, PAIR)
    await world.machine("core-03").unit("etcd").stop()
    assert await world.faults.heal() == ()
    assert "no member runs on any other machine" in world.told("heal")[-1]
    assert forced == []


async def test_a_machine_of_a_secured_cluster_gets_certificates_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = EtcdWorld(tmp_path, secured=True)
    await world.start()
    try:
        await world.until(lambda board: "core-01+core-03" in world.targets("lose-two-forever"))
        machine = world.machine("core-01")
        await machine.destroy()
        machine.now = replace(machine.now, power="up")
        await world.ground.site.look()
        world.journal.clear()
        await quorum._replace(world.ground, machine, world.machine("core-02"))
        puts = [line for line in world.ran() if line.startswith("put core-01/pki/etcd/")]
        assert "put core-01/pki/etcd/peer.key" in puts
        assert machine.files["pki/etcd/peer.key"][1] == 0o600
        added = next(line for line in world.ran() if "member add" in line)
        assert "--endpoints=https://10.0.0.2:2379" in added and "--peer-urls=https://10.0.0.1:2380" in added
        assert world.ran().index(puts[-1]) < world.ran().index(added)
        assert "ETCD_CERT_FILE" in machine.started_with[-1]
    finally:
        await world.stop()
