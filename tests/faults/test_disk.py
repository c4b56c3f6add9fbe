"""Faults that make a member's data worthless: whom they hit, in which order, what is seen, and how it joins anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.faults_etcd import EtcdWorld
from support.watch_etcd import refused

from rwk_tui.board.rows import FaultRow, QuorumRow
from rwk_tui.board.targets import confirmation
from rwk_tui.faults import disk_corruption, sights
from rwk_tui.faults.base import FaultRefused
from rwk_tui.faults.kinds import KINDS
from rwk_tui.faults.members import helper, until_led_by_others
from rwk_tui.lab.protocol import LabError
from rwk_tui.watch.answers import KeyValue
from rwk_tui.watch.differences import Difference, Differences
from rwk_tui.watch.hashes import HashCheck

TARGET = "core-03/etcd"
JOIN = [
    "core-02: etcdctl --endpoints=http://10.0.0.2:2379 member remove c3",
    "core-03: rm -rf /core-03/etcd",
    "core-02: etcdctl --endpoints=http://10.0.0.2:2379 member add core-03 --peer-urls=http://10.0.0.3:2380 --learner",
    "start core-03/etcd",
    "core-02: etcdctl --endpoints=http://10.0.0.2:2379 member promote c3",
]
DATA_FAULTS = ("damaged-db", "damaged-wal", "silent-corruption", "lost-directory", "old-directory")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[EtcdWorld]:
    made = EtcdWorld(tmp_path)
    await made.start()
    await made.until(lambda board: len(made.targets("damaged-db")) == 4)
    yield made
    await made.stop()


async def strike(world: EtcdWorld, fault: str, target: str = TARGET) -> FaultRow:
    return await world.faults.inject(fault, target, confirmation(target))


async def shown(world: EtcdWorld) -> str:
    """What the probes see of the fault."""
    await world.until(lambda board: any(row.effect for row in board.rows(FaultRow)))
    return world.hub.board.rows(FaultRow)[0].effect


@pytest.mark.parametrize("fault", DATA_FAULTS)
async def test_only_members_that_the_others_can_do_without_are_offered(world: EtcdWorld, fault: str) -> None:
    assert world.targets(fault) == ("leader", "core-01/etcd", "core-02/etcd", "core-03/etcd")
    world.cluster.statuses.pop("core-01")
    world.cluster.broken["core-01"] = refused()
    await world.until(lambda _: world.targets(fault) == ())
    with pytest.raises(FaultRefused, match="can't be hit by that now"):
        await strike(world, fault)


@pytest.mark.parametrize("fault", DATA_FAULTS)
async def test_the_machine_s_name_must_be_typed(world: EtcdWorld, fault: str) -> None:
    with pytest.raises(FaultRefused, match="type core-03 to confirm"):
        await world.faults.inject(fault, TARGET, "core-01")
    assert world.ran() == []


async def test_a_damaged_database_is_seen_by_its_last_words_and_the_member_joins_anew(world: EtcdWorld) -> None:
    world.machine("core-03").doom = "invalid database"
    await strike(world, "damaged-db")
    assert world.ran() == [
        "stop core-03/etcd",
        "core-03: dd if=/dev/zero of=/core-03/etcd/member/snap/db bs=64k count=2 conv=notrunc",
        "start core-03/etcd",
    ]
    assert await shown(world) == "etcd ended with exit code 1: invalid database"
    assert world.faults.active != ()

    world.machine("core-03").doom = ""
    world.journal.clear()
    await world.faults.heal()
    assert world.ran() == ["stop core-03/etcd", *JOIN]
    spec = world.machine("core-03").units["etcd"].spec
    assert spec is not None and ("ETCD_INITIAL_CLUSTER_STATE", "existing") in spec.environment
    await world.faults.settled()
    (card,) = world.cards()
    assert (card.fault, card.verdict) == ("damaged-db", "holds")
    assert world.member("core-03").role == "follower"


async def test_a_leader_is_hit_by_its_alias_and_another_one_helps_it_back(world: EtcdWorld) -> None:
    world.machine("core-02").doom = "invalid database"
    row = await world.faults.inject("damaged-db", "leader", "core-02")
    assert row.target == "core-02/etcd"
    await shown(world)
    world.machine("core-02").doom = ""
    world.journal.clear()
    await world.faults.heal()
    (removed,) = [line for line in world.ran() if "member remove b2" in line]
    assert not removed.startswith("core-02")


async def test_the_leader_helps_unless_it_is_the_one_or_is_hit_itself(world: EtcdWorld) -> None:
    assert helper(world.ground, "core-03").name == "core-02"
    assert helper(world.ground, "").name == "core-02"
    assert helper(world.ground, "core-02").name in ("core-01", "core-03")
    await world.faults.inject("delay", "core-02")
    assert helper(world.ground, "core-03").name == "core-01"
    await world.faults.inject("delay", "core-01")
    assert helper(world.ground, "core-03").name == "core-02", "better one that is hit than none"


async def test_where_nobody_else_leads_it_is_not_gone_on(world: EtcdWorld) -> None:
    world.etcd_lab.led_by("core-03")
    await world.until(lambda board: world.leader(board) == "core-03")
    with pytest.raises(LabError, match="no member but that of core-03 leads"):
        await until_led_by_others(world.ground, "core-03")


async def test_a_byte_of_a_written_entry_is_overwritten_where_grep_finds_it(world: EtcdWorld) -> None:
    machine = world.machine("core-03")
    machine.doom = "walpb: crc mismatch"
    machine.answers["grep"] = (0, "/core-03/etcd/member/wal/0-0.wal:2218:written once, f1-9")
    await strike(world, "damaged-wal")
    put, stop, search, overwrite, start = world.ran()
    assert put.startswith("core-03: etcdctl --endpoints=http://10.0.0.3:2379 put /rwk/fault/f1/log written once, f1-")
    assert (stop, start) == ("stop core-03/etcd", "start core-03/etcd")
    assert search.startswith("core-03: grep -raboF written once, f1-")
    assert search.endswith(" /core-03/etcd/member/wal")
    file = "/core-03/etcd/member/wal/0-0.wal"
    assert overwrite == f"core-03: dd if=/dev/zero of={file} bs=1 count=1 seek=2218 conv=notrunc"
    assert await shown(world) == "etcd ended with exit code 1: walpb: crc mismatch"
    machine.doom = ""
    world.journal.clear()
    await world.faults.heal()
    assert world.ran()[1:6] == JOIN
    assert world.ran()[-1].endswith(" del --prefix /rwk/fault/f1/")


@pytest.mark.parametrize("found", ["", "grep: it matches", "/core-03/etcd/member/wal/0-0.wal:x:y"])
async def test_what_is_not_found_is_not_overwritten_and_the_member_goes_on(world: EtcdWorld, found: str) -> None:
    world.machine("core-03").answers["grep"] = (0, found)
    with pytest.raises(FaultRefused, match="what was written is not in the log of core-03"):
        await strike(world, "damaged-wal")
    assert world.faults.active == ()
    assert world.ran()[-1] == "start core-03/etcd"
    assert not any("dd " in line for line in world.ran())


@pytest.mark.parametrize(
    ("fault", "command", "doom"),
    [
        ("lost-directory", "rm", "member c3 has already been bootstrapped"),
        ("old-directory", "cp", "the member has been permanently removed from the cluster"),
        ("damaged-db", "dd", "invalid database"),
    ],
)
async def test_where_it_can_t_be_done_the_member_is_started_again(
    world: EtcdWorld, fault: str, command: str, doom: str
) -> None:
    world.machine("core-03").answers[command] = (1, "no space left on device")
    with pytest.raises(FaultRefused, match="no space left on device"):
        await strike(world, fault)
    assert world.ran()[-1] == "start core-03/etcd"
    assert world.faults.active == ()


async def test_a_lost_directory_is_deleted_while_the_member_is_stopped(world: EtcdWorld) -> None:
    world.machine("core-03").doom = "member c3 has already been bootstrapped"
    await strike(world, "lost-directory")
    assert world.ran() == ["stop core-03/etcd", "core-03: rm -rf /core-03/etcd", "start core-03/etcd"]
    assert await shown(world) == "etcd ended with exit code 1: member c3 has already been bootstrapped"


@pytest.mark.parametrize("fault", ["damaged-db", "lost-directory", "old-directory"])
async def test_where_etcd_goes_on_all_the_same_there_is_no_fault(
    world: EtcdWorld, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rwk_tui.faults.disk.ENDS_WITHIN", 0.1)
    with pytest.raises(FaultRefused, match="core-03/etcd: etcd goes on all the same"):
        await strike(world, fault)
    assert world.faults.active == ()


async def test_an_old_directory_comes_back_after_its_member_was_removed(world: EtcdWorld) -> None:
    machine = world.machine("core-03")
    machine.doom = "the member has been permanently removed from the cluster"
    await strike(world, "old-directory")
    assert world.ran() == [
        "stop core-03/etcd",
        "core-03: cp -a /core-03/etcd /core-03/etcd.old",
        "core-02: etcdctl --endpoints=http://10.0.0.2:2379 member remove c3",
        "core-03: rm -rf /core-03/etcd",
        "core-03: mv /core-03/etcd.old /core-03/etcd",
        "start core-03/etcd",
    ]
    assert "permanently removed" in await shown(world)
    await world.until(lambda board: sights.member(board, "core-03") is None)
    machine.doom = ""
    world.journal.clear()
    await world.faults.heal()
    assert world.ran() == ["stop core-03/etcd", *JOIN[1:]], "it is not on the list any more"


async def test_a_copy_is_not_left_behind_when_it_breaks_off(world: EtcdWorld) -> None:
    world.machine("core-02").exactly["member remove"] = (1, "etcdserver: re-configuration failed")
    with pytest.raises(FaultRefused, match="re-configuration failed"):
        await strike(world, "old-directory")
    assert world.ran()[-2:] == ["core-03: rm -rf /core-03/etcd.old", "start core-03/etcd"]


async def test_without_a_quorum_it_stays_and_nothing_is_deleted(world: EtcdWorld) -> None:
    world.machine("core-03").doom = "invalid database"
    await strike(world, "damaged-db")
    await shown(world)
    world.cluster.statuses.pop("core-01")
    world.cluster.broken["core-01"] = refused()
    world.etcd_lab.led_by("")
    await world.until(lambda board: (row := board.get(QuorumRow, "quorum")) is not None and row.state == "lost")
    world.journal.clear()
    assert await world.faults.heal() == ()
    assert world.ran() == []
    assert "etcd has no quorum now" in world.told("heal")[-1]
    assert len(world.faults.active) == 1


async def test_a_machine_that_is_off_is_healed_later_and_one_that_is_gone_never(world: EtcdWorld) -> None:
    machine = world.machine("core-03")
    machine.doom = "invalid database"
    await strike(world, "damaged-db")
    machine.now = replace(machine.now, power="off")
    assert await world.faults.heal() == ()
    assert "core-03 is off, switch it on first" in world.told("heal")[-1]
    machine.now = replace(machine.now, power="gone")
    (healed,) = await world.faults.heal()
    assert "core-03 was destroyed meanwhile" in world.told("heal")[-1]
    assert healed.fault == "damaged-db"


async def test_a_member_that_joined_by_other_means_is_no_fault_any_more(world: EtcdWorld) -> None:
    machine = world.machine("core-03")
    machine.doom = "invalid database"
    await strike(world, "damaged-db")
    await shown(world)
    machine.doom = ""
    await machine.unit("etcd").start()
    await world.until(lambda board: not board.rows(FaultRow))
    assert world.told("heal") == ["no longer so: the database of core-03 was damaged"]


class Told:
    """What comparing the members finds."""

    def __init__(self, world: EtcdWorld, monkeypatch: pytest.MonkeyPatch) -> None:
        self.equal: bool | None = False
        self.found: tuple[Difference, ...] = ()
        monkeypatch.setattr(world.watcher, "hashes", self.hashes)
        monkeypatch.setattr(world.watcher, "differences", self.differences)

    async def hashes(self) -> HashCheck:
        return HashCheck(self.equal, 3, why="the members are compacted differently")

    async def differences(self) -> Differences:
        return Differences(self.found, 3)

    def lie(self, key: str) -> None:
        stored = {"core-01": KeyValue(key, "100"), "core-02": KeyValue(key, "100"), "core-03": KeyValue(key, "900")}
        self.found = (*self.found, Difference(key, stored))


@pytest.mark.parametrize("equal", [False, None], ids=["differ", "not compared"])
async def test_a_falsified_value_is_named_with_its_member_before_anything_is_healed(
    world: EtcdWorld, monkeypatch: pytest.MonkeyPatch, equal: bool | None
) -> None:
    told = Told(world, monkeypatch)
    told.equal = equal
    await strike(world, "silent-corruption")
    put, stop, change, start = world.ran()
    assert put.startswith(
        "core-03: etcdctl --endpoints=http://10.0.0.3:2379 put /rwk/fault/f1/balance the balance is 100"
    )
    assert (stop, start) == ("stop core-03/etcd", "start core-03/etcd")
    assert change.startswith("core-03: sed -i.before s/the balance is 100 (f1-")
    assert change.endswith("/g /core-03/etcd/member/snap/db")
    await world.until(lambda board: world.member("core-03").health == "healthy")
    assert world.hub.board.rows(FaultRow)[0].effect == "", "nothing is claimed that was not found"

    told.lie("/registry/other")
    told.lie("/rwk/fault/f1/balance")
    words = await shown(world)
    line = "/rwk/fault/f1/balance: core-03 stores '900', the others '100'"
    assert words.endswith(line)
    assert words.startswith("hashkv DIFFERS on 3 members" if equal is False else "the members differ")
    assert len(world.told("evidence")) == 2 and line in world.told("evidence")
    assert len(world.faults.active) == 1, "a healthy member does not end it"


async def test_a_lie_that_did_not_stick_is_no_fault(world: EtcdWorld) -> None:
    world.etcd_lab.deaf.add("sed")
    with pytest.raises(FaultRefused, match="core-03 still tells 'the balance is 100 .f1-"):
        await strike(world, "silent-corruption")
    assert world.faults.active == ()


@pytest.mark.parametrize(
    ("version", "variable"),
    [
        ("3.7.3", ("ETCD_FEATURE_GATES", "InitialCorruptCheck=true")),
        ("3.5.24", ("ETCD_EXPERIMENTAL_INITIAL_CORRUPT_CHECK", "true")),
    ],
)
async def test_it_checks_itself_and_refuses_before_it_joins_anew(
    world: EtcdWorld, monkeypatch: pytest.MonkeyPatch, version: str, variable: tuple[str, str]
) -> None:
    Told(world, monkeypatch).lie("/rwk/fault/f1/balance")
    await strike(world, "silent-corruption")
    world.cluster.statuses["core-03"] = replace(world.cluster.statuses["core-03"], version=version)
    await world.until(lambda _: world.member("core-03").version == version)
    machine = world.machine("core-03")
    world.journal.clear()
    machine.started_with.clear()
    await world.faults.heal()
    checked, joined = machine.started_with
    assert variable in checked.items()
    assert variable[0] not in joined
    notes = [line.text for line in world.hub.board.output if line.stream == "note"]
    assert "it refuses to start: found data inconsistency with peers" in notes
    assert world.ran()[:2] == ["restart core-03/etcd", "stop core-03/etcd"]
    assert world.ran()[2:7] == JOIN


async def test_the_check_is_for_one_start_only_whatever_comes_after(
    world: EtcdWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    Told(world, monkeypatch).lie("/rwk/fault/f1/balance")
    await strike(world, "silent-corruption")
    world.machine("core-02").exactly["member remove"] = (1, "etcdserver: request timed out")
    assert await world.faults.heal() == ()
    spec = world.machine("core-03").units["etcd"].spec
    assert spec is not None and "ETCD_FEATURE_GATES" not in dict(spec.environment)


def test_the_first_version_with_feature_gates() -> None:
    assert disk_corruption._check("3.6.0")[0] == "ETCD_FEATURE_GATES"
    assert disk_corruption._check("")[0] == "ETCD_FEATURE_GATES"
    assert disk_corruption._check("3.5.9")[0] == "ETCD_EXPERIMENTAL_INITIAL_CORRUPT_CHECK"


@pytest.mark.parametrize("fault", DATA_FAULTS)
def test_they_say_that_something_is_destroyed(fault: str) -> None:
    assert KINDS[fault].confirm and KINDS[fault].healable and not KINDS[fault].loses
