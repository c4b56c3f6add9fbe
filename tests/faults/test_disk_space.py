"""The space quota: used up on one member, seen by a refused write, and mended in the one order that helps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.faults_etcd import EtcdWorld
from support.watch_etcd import FakeClient

from rwk_tui.board.rows import FaultRow
from rwk_tui.cluster.spec_changes import with_variable
from rwk_tui.faults import disk_space
from rwk_tui.faults.base import FaultRefused
from rwk_tui.faults.disk_space import QUOTA, ROOM, VALUE
from rwk_tui.watch.answers import Alarm, Written
from rwk_tui.watch.refusals import EtcdError

TARGET = "core-03/etcd"
FULL = EtcdError("etcd's space quota is used up", definite=True)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[EtcdWorld]:
    made = EtcdWorld(tmp_path)
    await made.start()
    await made.until(lambda board: len(made.targets("no-space")) == 4)
    for name, status in made.cluster.statuses.items():
        made.cluster.statuses[name] = replace(status, db_size=25_000, revision=77)
    yield made
    await made.stop()


def alarm(world: EtcdWorld, *alarms: Alarm) -> None:
    """Let every member tell of these alarms."""
    for name, status in world.cluster.statuses.items():
        world.cluster.statuses[name] = replace(status, alarms=alarms)


def etcdctl(machine: str, *words: str) -> str:
    return f"{machine}: etcdctl --endpoints=http://10.0.0.{machine[-1]}:2379 {' '.join(words)}"


async def fill(world: EtcdWorld) -> None:
    """Inject it, and see it."""
    world.cluster.put_fails = FULL
    await world.faults.inject("no-space", TARGET)
    alarm(world, Alarm("c3", "NOSPACE"))
    await world.until(lambda board: any(row.effect for row in board.rows(FaultRow)))


def notes(world: EtcdWorld) -> list[str]:
    return [line.text for line in world.hub.board.output if line.stream == "note"]


async def test_a_small_quota_is_filled_until_a_write_is_refused(
    world: EtcdWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, room = FakeClient.put, [3]

    async def fewer(client: FakeClient, key: str, value: str, *, timeout: float = 5.0) -> Written:
        if key.startswith("/rwk/fault/"):
            room[0] -= 1
            if room[0] < 0:
                raise FULL
        return await put(client, key, value, timeout=timeout)

    monkeypatch.setattr(FakeClient, "put", fewer)
    await world.faults.inject("no-space", TARGET)
    assert world.ran() == ["restart core-03/etcd"]
    assert world.machine("core-03").started_with[-1][QUOTA] == str(25_000 + ROOM)
    written = [key for key in world.cluster.store if key.startswith("/rwk/fault/")]
    assert written == ["/rwk/fault/f1/0", "/rwk/fault/f1/1", "/rwk/fault/f1/2"]
    assert len(world.cluster.store[written[0]]) == VALUE
    assert notes(world)[-1] == "value 4 is refused: etcd's space quota is used up"


async def test_it_is_seen_by_the_alarm_together_with_a_refused_write(world: EtcdWorld) -> None:
    world.cluster.put_fails = FULL
    await world.faults.inject("no-space", TARGET)
    assert await disk_space.NoSpace().shows(world.case(TARGET)) is None, "no alarm is seen"
    world.cluster.put_fails = None
    alarm(world, Alarm("c3", "NOSPACE"))
    await world.until(lambda _: world.member("core-03").alarms == ("NOSPACE",))
    assert await disk_space.NoSpace().shows(world.case(TARGET)) is None, "writes are accepted"
    world.cluster.put_fails = FULL
    await world.until(lambda board: bool(board.rows(FaultRow)[0].effect))
    words = "core-03 raised the alarm NOSPACE; a write is refused: etcd's space quota is used up"
    assert world.hub.board.rows(FaultRow)[0].effect == words


async def test_room_is_made_first_and_the_alarm_disarmed_after_it(world: EtcdWorld) -> None:
    await fill(world)
    world.cluster.put_fails = None
    world.journal.clear()
    await world.faults.heal()
    assert world.ran() == [
        etcdctl("core-03", "del", "--prefix", "/rwk/fault/f1/"),
        etcdctl("core-03", "compact", "77"),
        etcdctl("core-03", "defrag"),
        etcdctl("core-01", "defrag"),
        etcdctl("core-02", "defrag"),
        "restart core-03/etcd",
        etcdctl("core-03", "alarm", "disarm"),
    ]
    assert QUOTA not in world.machine("core-03").started_with[-1]
    await world.faults.settled()
    assert [card.verdict for card in world.cards()] == ["holds"]


async def test_an_alarm_that_is_raised_once_more_is_disarmed_once_more(
    world: EtcdWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_space, "SETTLED", 0.01)
    await fill(world)
    world.etcd_lab.deaf.add("alarm")
    assert await world.faults.heal() == ()
    assert "the alarm is raised again and again" in world.told("heal")[-1]
    assert world.ran()[-disk_space.TRIES :] == [etcdctl("core-03", "alarm", "disarm")] * disk_space.TRIES
    world.etcd_lab.deaf.clear()
    assert len(await world.faults.heal()) == 1


async def test_what_is_compacted_already_holds_nothing_up_and_anything_else_does(world: EtcdWorld) -> None:
    await fill(world)
    world.cluster.put_fails = None
    machine = world.machine("core-03")
    machine.exactly["defrag"] = (1, "context deadline exceeded")
    assert await world.faults.heal() == ()
    assert "context deadline exceeded" in world.told("heal")[-1]
    del machine.exactly["defrag"]
    machine.exactly["compact"] = (1, "Error: etcdserver: request timed out")
    assert await world.faults.heal() == ()
    assert "request timed out" in world.told("heal")[-1]
    machine.exactly["compact"] = (1, "Error: etcdserver: mvcc: required revision has been compacted")
    assert len(await world.faults.heal()) == 1
    assert world.ran()[-1] == etcdctl("core-03", "alarm", "disarm")


async def test_a_member_that_does_not_run_is_mended_later(world: EtcdWorld) -> None:
    await fill(world)
    machine = world.machine("core-03")
    await machine.unit("etcd").stop()
    world.journal.clear()
    assert await world.faults.heal() == ()
    assert world.ran() == []
    assert "etcd does not run on core-03, start it first" in world.told("heal")[-1]


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (None, "2 values were written and none was refused"),
        (EtcdError("etcd gave up waiting for a majority", definite=False), "etcd gave up waiting for a majority"),
    ],
)
async def test_where_it_can_t_be_filled_everything_is_as_it_was(
    world: EtcdWorld, monkeypatch: pytest.MonkeyPatch, refusal: EtcdError | None, words: str
) -> None:
    monkeypatch.setattr(disk_space, "MOST", 2)
    world.cluster.put_fails = refusal
    with pytest.raises(FaultRefused, match=words):
        await world.faults.inject("no-space", TARGET)
    assert world.ran()[-2:] == ["restart core-03/etcd", etcdctl("core-03", "alarm", "disarm")]
    assert QUOTA not in world.machine("core-03").started_with[-1]
    assert world.faults.active == ()


async def test_it_is_not_well_while_anybody_s_alarm_is_on_or_the_quota_is_still_there(world: EtcdWorld) -> None:
    kind, board = disk_space.NoSpace(), world.hub.board
    assert kind.holds(board, TARGET)
    alarm(world, Alarm("a1", "NOSPACE"))
    await world.until(lambda _: world.member("core-01").alarms == ("NOSPACE",))
    assert not kind.holds(board, TARGET)
    alarm(world)
    await world.until(lambda _: world.member("core-01").alarms == ())
    assert kind.holds(board, TARGET)
    spec = world.machine("core-03").units["etcd"].spec
    assert spec is not None
    await world.machine("core-03").unit("etcd").configure(with_variable(QUOTA, "7")(spec))
    await world.until(lambda board: not kind.holds(board, TARGET))


async def test_one_alarm_at_a_time_is_enough(world: EtcdWorld) -> None:
    alarm(world, Alarm("a1", "NOSPACE"))
    await world.until(lambda _: world.targets("no-space") == ())
