"""The watcher over a pretended lab and cluster: rows, their age, and what is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.watch_etcd import FakeCluster, member, refused, status, timed_out
from support.watch_lab import FakeLab

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Event
from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import CanaryRow, LinkRow, MachineRow, MemberRow, QuorumRow, UnitRow
from rwk_tui.lab.protocol import LabError, MachineStatus, UnitStatus
from rwk_tui.settings import Settings
from rwk_tui.watch.watcher import Watcher

WAIT = 20.0
ALL = ("core-01", "core-02", "core-03")


class World:
    """A running watcher with what it watches."""

    def __init__(self, tmp_path: Path) -> None:
        self.lab = FakeLab()
        self.cluster = FakeCluster()
        self.hub = Hub()
        self.settings = Settings(state=tmp_path, engine_cache=tmp_path, election_ms=200)
        self.watcher = Watcher(
            self.lab, self.hub, self.settings, ledger=tmp_path / "ledger", connect=self.cluster.connect
        )
        for name in ALL:
            self.lab.fakes[name].units["etcd"] = UnitStatus("running", pid=1)

    async def start(self) -> None:
        await self.watcher.start()
        self.watcher.alert(60)

    async def sees(self, *checks: tuple[str, str]) -> None:
        """Wait until the members are in the given health."""
        assert await self.hub.wait(lambda board: all(health(board, name) == what for name, what in checks), WAIT), [
            (row.name, row.health, row.why) for row in self.hub.board.rows(MemberRow)
        ]

    async def quorum(self, state: str) -> QuorumRow:
        assert await self.hub.wait(lambda board: quorum(board).state == state, WAIT), quorum(self.hub.board)
        return quorum(self.hub.board)

    async def told(self, kind: str, words: str) -> Event:
        def find(board: Board) -> list[Event]:
            return [event for event in board.events if event.kind == kind and words in event.text]

        assert await self.hub.wait(lambda board: bool(find(board)), WAIT), self.texts()
        assert len(find(self.hub.board)) == 1, self.texts()
        return find(self.hub.board)[0]

    def texts(self, kind: str = "") -> list[str]:
        return [event.text for event in self.hub.board.events if kind in ("", event.kind)]

    def member(self, name: str) -> MemberRow:
        return next(row for row in self.hub.board.rows(MemberRow) if row.name == name)


def health(board: Board, name: str) -> str:
    return next((row.health for row in board.rows(MemberRow) if row.name == name), "")


def quorum(board: Board) -> QuorumRow:
    return board.get(QuorumRow, "quorum") or QuorumRow(seen_at=0, state="none")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    made.cluster.lead("core-01", 2, "core-02", "core-03")
    await made.start()
    yield made
    await made.watcher.stop()


async def test_a_healthy_cluster_is_told_in_one_line(world: World) -> None:
    row = await world.quorum("healthy")
    assert (row.leader, row.voters, row.needed, row.reachable, row.term) == ("core-01", 3, 2, 3, 2)
    assert world.member("core-01").role == "leader"
    assert world.member("core-02").role == "follower"
    assert await world.hub.wait(lambda board: bool(world.texts("leader")), WAIT)
    said = [event.text for event in world.hub.board.events if event.kind != "outage"]  # of this computer's own
    assert said == ["core-01 leads etcd in term 2"]
    assert world.hub.board.get(LinkRow, "link/core-01/core-02") is not None


async def test_the_disk_below_the_lab_is_asked_while_writes_are_late(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[float] = []
    monkeypatch.setattr("rwk_tui.watch.stalls.os.fsync", lambda _file: synced.append(world.hub.now()))
    assert await world.hub.wait(lambda _: world.watcher.canary.acknowledged > 3, WAIT)
    world.cluster.put_fails = timed_out()
    assert await world.hub.wait(lambda _: bool(synced), WAIT)


async def test_an_election_is_told_once_with_its_duration(world: World) -> None:
    await world.quorum("healthy")
    world.cluster.lead("core-02", 3, "core-03")
    event = await world.told("election", "core-02 elected in term 3")
    assert event.duration_ms is not None
    assert event.resolution_ms is not None
    row = await world.quorum("degraded")
    assert (row.leader, row.why) == ("core-02", "2 of 3 voters reachable")
    assert world.member("core-01").role == "unknown"


async def test_a_new_leader_that_is_reported_before_its_term_is_told_once_with_the_right_term(world: World) -> None:
    await world.quorum("healthy")
    world.cluster.lead("core-02", 2, "core-03")
    assert await world.hub.wait(lambda board: quorum(board).leader == "core-02", WAIT)
    assert world.texts("election") == []
    world.cluster.lead("core-02", 3, "core-03")
    await world.told("election", "core-02 elected in term 3")
    assert len(world.texts("election")) == 1


async def test_an_election_is_measured_from_the_moment_of_the_fault(world: World) -> None:
    await world.quorum("healthy")
    world.watcher.expected.disturb("core-01", world.hub.now() - 1.5)
    world.cluster.lead("core-02", 3, "core-03")
    event = await world.told("election", "core-02 elected")
    assert event.duration_ms is not None
    assert 1500 <= event.duration_ms < 2500


async def test_leadership_that_moves_in_good_order_is_no_election(world: World) -> None:
    await world.quorum("healthy")
    world.cluster.lead("core-02", 3, "core-01", "core-03")
    event = await world.told("election", "leadership passed from core-01 to core-02")
    assert event.duration_ms is None


async def test_a_member_that_does_not_answer_keeps_its_values_and_others_stay_fresh(world: World) -> None:
    await world.quorum("healthy")
    world.cluster.hung.add("core-03")
    await world.sees(("core-01", "healthy"), ("core-02", "healthy"), ("core-03", "down"))
    row = world.member("core-03")
    assert (row.fresh, row.why, row.version) == (False, "no answer within 1 s", "3.7.3")
    assert world.member("core-01").fresh
    seen = row.seen_at
    world.cluster.hung.clear()
    await world.sees(("core-03", "healthy"))
    assert world.member("core-03").seen_at > seen


async def test_a_paused_unit_says_why_its_member_is_down(world: World) -> None:
    await world.quorum("healthy")
    world.cluster.hung.add("core-03")
    world.lab.fakes["core-03"].units["etcd"] = UnitStatus("paused", pid=1)
    assert await world.hub.wait(lambda board: world.member("core-03").why == "etcd is paused", WAIT)
    await world.told("unit", "etcd is paused on core-03")


async def test_no_quorum_is_said_in_words_and_measured(world: World) -> None:
    await world.quorum("healthy")
    world.cluster.statuses["core-01"] = status("core-01", "")
    world.cluster.broken = {"core-02": refused(), "core-03": timed_out()}
    row = await world.quorum("lost")
    assert row.why == "no quorum: 1 of 3 voters reachable"
    assert row.leader == ""
    assert health(world.hub.board, "core-01") == "no leader"
    await world.told("quorum", "quorum lost: 1 of 3 voters reachable")
    world.cluster.broken.clear()
    world.cluster.lead("core-02", 5, "core-01", "core-03")
    event = await world.told("quorum", "quorum regained")
    assert event.duration_ms is not None


async def test_a_cut_off_leader_that_still_claims_to_lead_is_not_shown_as_leader(world: World) -> None:
    await world.quorum("healthy")
    world.cluster.statuses["core-02"] = status("core-02", "core-02", 3)
    world.cluster.statuses["core-03"] = status("core-03", "core-02", 3)
    await world.sees(("core-01", "no leader"), ("core-02", "healthy"), ("core-03", "healthy"))
    row = world.member("core-01")
    assert (row.role, row.fresh, row.why) == ("unknown", True, "claims to lead, but no majority follows")
    assert (await world.quorum("degraded")).leader == "core-02"


async def test_three_members_that_all_answer_but_can_not_meet_have_no_quorum(world: World) -> None:
    await world.quorum("healthy")
    for wire in world.lab.wires:
        await wire.cut()
    for name in ALL:
        world.cluster.statuses[name] = status(name, "")
    assert (await world.quorum("lost")).why == "no quorum: 1 of 3 voters reachable"


async def test_a_cluster_without_a_leader_for_long_has_lost_its_quorum(world: World) -> None:
    await world.quorum("healthy")
    for name in ALL:
        world.cluster.statuses[name] = status(name, "")
    row = await world.quorum("degraded")
    assert "an election is due" in row.why
    assert "no leader" in (await world.quorum("lost")).why


async def test_a_learner_comes_and_is_promoted_and_a_member_goes(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.cluster.lead("core-01", 2)
    await world.start()
    try:
        await world.quorum("healthy")
        world.cluster.listed = (member("core-01"), member("core-02", learner=True, started=False))
        await world.told("member", "core-02 was added to the etcd cluster as a learner, not started yet")
        assert world.member("core-02").health == "unstarted"
        world.cluster.broken.pop("core-02")
        world.cluster.statuses["core-02"] = status("core-02", "core-01", 2, learner=True)
        world.cluster.listed = (member("core-01"), member("core-02", learner=True))
        await world.told("member", "core-02 joined the etcd cluster as a learner")
        row = await world.quorum("healthy")
        assert (row.voters, row.learners) == (1, 1)
        world.cluster.statuses["core-02"] = status("core-02", "core-01", 2)
        world.cluster.listed = (member("core-01"), member("core-02"))
        await world.told("member", "core-02 was promoted")
        assert await world.hub.wait(lambda board: quorum(board).voters == 2, WAIT)
        world.cluster.listed = (member("core-01"),)
        await world.told("member", "core-02 left the etcd cluster")
        assert [row.name for row in world.hub.board.rows(MemberRow)] == ["core-01"]
    finally:
        await world.watcher.stop()


async def test_a_voter_that_has_not_started_costs_a_lone_member_its_quorum(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.cluster.lead("core-01", 2)
    await world.start()
    try:
        await world.quorum("healthy")
        world.cluster.listed = (member("core-01"), member("core-02", started=False))
        assert (await world.quorum("lost")).why == "no quorum: 1 of 2 voters reachable"
    finally:
        await world.watcher.stop()


async def test_the_list_of_a_cut_off_member_is_not_believed(world: World) -> None:
    await world.quorum("healthy")
    world.cluster.statuses = {"core-01": status("core-01", "")}
    world.cluster.broken = {"core-02": refused(), "core-03": refused()}
    await world.quorum("lost")
    world.cluster.listed = (member("core-01"),)
    world.watcher.refresh()
    assert not await world.hub.wait(lambda board: quorum(board).voters == 1, 0.6)


async def test_a_power_cut_is_one_event_and_not_one_a_unit(world: World) -> None:
    await world.quorum("healthy")
    machine = world.lab.fakes["core-03"]
    machine.units["etcd"] = UnitStatus("stopped")
    machine.now = MachineStatus("off", world.hub.now(), "")
    world.cluster.broken["core-03"] = refused()
    await world.told("machine", "core-03 lost its power")
    await world.sees(("core-03", "down"))
    assert world.member("core-03").why == "core-03 is off"
    assert world.texts("unit") == []


async def test_what_the_presenter_announced_is_not_told_twice(world: World) -> None:
    await world.quorum("healthy")
    world.watcher.expected.announce("machine/core-03", "off")
    world.lab.fakes["core-03"].now = MachineStatus("off", world.hub.now(), "")
    assert await world.hub.wait(lambda board: board.rows(MachineRow)[2].power == "off", WAIT)
    world.lab.fakes["core-03"].now = MachineStatus("up", world.hub.now(), "")
    await world.told("machine", "core-03 is up")
    assert len(world.texts("machine")) == 1


async def test_a_machine_that_can_not_be_asked_keeps_its_row_stale(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.quorum("healthy")

    async def no_answer() -> MachineStatus:
        raise LabError("ssh does not answer")

    monkeypatch.setattr(world.lab.fakes["core-02"], "status", no_answer)
    assert await world.hub.wait(lambda board: not board.rows(MachineRow)[1].fresh, WAIT)
    row = world.hub.board.rows(MachineRow)[1]
    assert (row.power, row.why) == ("up", "ssh does not answer")
    assert world.hub.board.rows(UnitRow)[1].fresh is False
    assert world.hub.board.rows(MachineRow)[0].fresh


async def test_a_unit_that_fails_and_comes_back_is_told(world: World) -> None:
    await world.quorum("healthy")
    world.lab.fakes["core-03"].units["etcd"] = UnitStatus("failed", exit="killed by SIGKILL")
    await world.told("unit", "etcd failed on core-03: killed by SIGKILL")
    world.lab.fakes["core-03"].units["etcd"] = UnitStatus("running", pid=2)
    await world.told("unit", "etcd started on core-03")


async def test_alarms_show_on_their_member(world: World) -> None:
    await world.quorum("healthy")
    from rwk_tui.watch.answers import Alarm

    for name in ALL:
        known = world.cluster.statuses[name]
        world.cluster.statuses[name] = replace(known, alarms=(Alarm("b2", "NOSPACE"),))
    await world.told("alarm", "core-02 raised the alarm NOSPACE")
    assert world.member("core-01").alarms == ()


async def test_a_lab_whose_disks_are_gone_forgets_its_cluster(world: World) -> None:
    await world.quorum("healthy")
    for name in ALL:
        world.lab.fakes[name].units.clear()
    world.cluster.broken = {name: refused() for name in ALL}
    await world.quorum("none")
    assert world.hub.board.rows(MemberRow) == []
    assert await world.hub.wait(lambda board: canary(board).state == "idle", WAIT)


def canary(board: Board) -> CanaryRow:
    return board.get(CanaryRow, "canary/etcd") or CanaryRow(seen_at=0, name="etcd", state="idle")


async def test_what_differs_is_read_from_each_member_that_is_healthy(world: World) -> None:
    await world.quorum("healthy")
    world.cluster.store["/rwk/fault/x"] = "truth"
    world.cluster.stores["core-03"] = world.cluster.store | {"/rwk/fault/x": "lie"}
    result = await world.watcher.differences()
    assert "/rwk/fault/x: core-03 stores 'lie', the others 'truth'" in result.lines()
    assert result.members == 3
    world.cluster.hung.add("core-03")
    await world.sees(("core-03", "down"))
    assert (await world.watcher.differences()).members == 2
    assert world.watcher.elections == []


@pytest.mark.parametrize(
    ("versions", "known"),
    [
        (("3.7.3", "3.7.3", "3.7.3"), ""),
        (("3.5.3", "3.5.3", "3.5.3"), ""),
        (("3.4.23", "3.4.23", "3.4.23"), ""),
        (("3.5.1", "3.5.1", "3.5.1"), "known of etcd 3.5.1: etcd#13766"),
        (("3.7.3", "3.5.2", "3.7.3"), "known of etcd 3.5.2: etcd#13766"),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
async def test_members_of_every_version_are_compared_and_only_a_known_bug_explains_a_difference(
    world: World, versions: tuple[str, ...], known: str
) -> None:
    for name, version in zip(ALL, versions, strict=True):
        world.cluster.run_version(version, name)
    await world.hub.wait(lambda board: [row.version for row in board.rows(MemberRow)] == list(versions), WAIT)
    world.watcher.canary.pause()
    equal = await world.watcher.hashes()
    assert (equal.equal, equal.known) == (True, ""), equal
    world.cluster.stores["core-03"] = world.cluster.store | {"/x": "only here"}
    differ = await world.watcher.hashes()
    assert (differ.equal, differ.known, differ.words()) == (False, known, "hashkv DIFFERS on 3 members")


async def test_an_effect_is_not_told_before_the_election_that_belongs_to_it(world: World) -> None:
    await world.quorum("healthy")
    since = world.hub.now()
    world.cluster.lead("core-02", 2, "core-03")  # the leader is reported before its term
    assert await world.hub.wait(lambda board: quorum(board).leader == "core-02", WAIT)
    effect = asyncio.create_task(world.watcher.measure(since, WAIT))
    done, _ = await asyncio.wait([effect], timeout=1.5)
    assert not done
    world.cluster.lead("core-02", 3, "core-03")
    assert (await effect).new_leader == "core-02"


async def test_an_effect_is_not_told_with_the_first_write_that_comes_through(world: World) -> None:
    """Writes flow a moment before a probe sees the new leader."""
    await world.quorum("healthy")
    since = world.hub.now()
    effect = asyncio.create_task(world.watcher.measure(since, WAIT))
    assert await world.hub.wait(lambda _: world.watcher.canary.last_acknowledged > since, WAIT)
    world.cluster.put_fails = refused()
    assert await world.hub.wait(lambda _: world.hub.now() - since > 1.2, 3.0)
    world.cluster.put_fails = None
    assert await world.hub.wait(lambda _: world.watcher.canary.gap() is None, WAIT)
    await asyncio.sleep(0.1)
    world.cluster.lead("core-02", 3, "core-03")
    assert (await effect).new_leader == "core-02"


async def test_a_machine_that_can_not_be_asked_keeps_its_last_row_and_says_why(world: World) -> None:
    def row(board: Board) -> MachineRow:
        found = board.get(MachineRow, "machine/core-02")
        assert found is not None
        return found

    assert await world.hub.wait(lambda board: board.get(MachineRow, "machine/core-02") is not None, WAIT)
    machine = world.lab.fakes["core-02"]
    machine.now = replace(machine.now, seen=False, why="no answer over SSH for 4 s")
    assert await world.hub.wait(lambda board: row(board).why == "no answer over SSH for 4 s", WAIT)
    before = row(world.hub.board)
    assert (before.fresh, before.power) == (False, "up")
    machine.now = replace(machine.now, power="gone", seen=True, why="")
    assert await world.hub.wait(lambda board: row(board).power == "gone" and row(board).fresh, WAIT)
    assert row(world.hub.board).seen_at > before.seen_at
