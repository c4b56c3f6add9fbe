"""Operations: what they show, what they do, and what they do when they are refused."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.story_fakes import StageLab

from rwk_tui.cluster import reshape
from rwk_tui.cluster.members import Member, find, list_from_any, read_members
from rwk_tui.cluster.ops import LINES_KEPT, MachineOp, OpResult, Retry, RunOp, Tell, Together, UnitOp, commands_of
from rwk_tui.cluster.version import etcd_version, read_version
from rwk_tui.lab.protocol import LabError, Machine
from rwk_tui.settings import Settings

SETTINGS = Settings(state=Path("/nowhere"), engine_cache=Path("/nowhere"))
LIST = '{"members":[{"ID":10501334649042878790,"name":"core-01","peerURLs":["http://10.0.0.1:2380"],"clientURLs":["c"]},{"ID":17,"peerURLs":["http://10.0.0.2:2380"],"isLearner":true}]}'


@dataclass
class Answering:
    """An operation that gives one answer after the other."""

    answers: list[OpResult]
    asked: int = 0
    machine: str = "core-01"

    async def resolve(self) -> None:
        return None

    def command(self) -> str:
        return "do it"

    async def run(self, tell: Tell) -> OpResult:
        self.asked += 1
        answer = self.answers[min(self.asked, len(self.answers)) - 1]
        tell("err" if answer.exit_code else "out", answer.stderr or answer.stdout)
        return answer


@dataclass
class Ear:
    heard: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, stream: str, text: str) -> None:
        self.heard.append((stream, text))


async def test_a_definite_refusal_is_asked_again_and_only_the_end_is_told() -> None:
    op = Answering([OpResult(1, "", "Error: unhealthy cluster"), OpResult(0, "done")])
    ear = Ear()
    result = await Retry(op, ("unhealthy cluster",), 5.0, pause=0.0).run(ear)
    assert (result.exit_code, op.asked) == (0, 2)
    assert [stream for stream, _ in ear.heard] == ["note", "note", "out"]


async def test_any_other_failure_is_not_done_twice() -> None:
    op = Answering([OpResult(1, "", "Error: context deadline exceeded")])
    assert (await Retry(op, ("unhealthy cluster",), 5.0, pause=0.0).run(Ear())).exit_code == 1
    assert op.asked == 1


async def test_retrying_ends_with_its_deadline() -> None:
    op = Answering([OpResult(1, "", "unhealthy cluster")])
    assert (await Retry(op, ("unhealthy cluster",), 0.05, pause=0.01).run(Ear())).exit_code == 1
    assert op.asked > 1


async def test_a_cancelled_command_is_killed() -> None:
    machine = StageLab().stage["core-01"]
    machine.gates["sleep"] = asyncio.Event()
    task = asyncio.create_task(RunOp(machine, ("sleep", "9")).run(Ear()))
    for _ in range(3):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert machine.runs[0].killed


async def test_things_done_together_all_end_and_the_worst_counts() -> None:
    lab = StageLab()
    lab.stage["core-02"].answers["x"] = (3, "no")
    op = Together(tuple(RunOp(machine, ("x",)) for machine in lab.stage.values()))
    assert (await op.run(Ear())).exit_code == 3
    assert commands_of(op) == ("x", "x", "x")
    lab.stage["core-01"].fails = "broken"
    together = Together(tuple(MachineOp(machine, "stop") for machine in lab.stage.values()))
    with pytest.raises(LabError, match="broken"):
        await together.run(Ear())
    assert lab.stage["core-03"].done == ["stop core-03"]


@pytest.mark.parametrize("verb", ["start", "stop", "restart", "kill", "pause", "resume"])
async def test_every_verb_of_a_unit_does_what_it_shows(verb: str) -> None:
    machine = StageLab().stage["core-01"]
    await machine.unit("etcd").stop()
    op = UnitOp(machine, "etcd", verb)  # type: ignore[arg-type]
    await op.run(Ear())
    assert op.command() == f"{verb} etcd"
    assert machine.done[-1] == f"{verb} core-01/etcd"


@pytest.mark.parametrize("verb", ["start", "stop", "kill", "destroy"])
async def test_every_verb_of_a_machine_does_what_it_shows(verb: str) -> None:
    machine = StageLab().stage["core-01"]
    op = MachineOp(machine, verb)  # type: ignore[arg-type]
    await op.run(Ear())
    assert op.command() == machine.done[-1] == f"{verb} core-01"


def test_ids_are_decimal_in_json_and_hexadecimal_for_us() -> None:
    members = read_members(LIST)
    assert members[0] == Member("91bc3c398fb3c146", "core-01", ("http://10.0.0.1:2380",), ("c",))
    assert members[1] == Member("11", "", ("http://10.0.0.2:2380",), (), True)
    assert find(members, StageLab().stage["core-02"]) is members[1]
    assert find(members, StageLab().stage["core-03"]) is None
    with pytest.raises(LabError):
        read_members("not json")


async def test_the_list_comes_from_any_member_that_lives() -> None:
    lab = StageLab()
    lab.stage["core-01"].answers["etcdctl"] = (1, "Error: context deadline exceeded")
    lab.stage["core-02"].answers["etcdctl"] = (0, LIST)
    assert len(await list_from_any(lab.stage.values())) == 2
    lab.stage["core-02"].answers["etcdctl"] = (1, "Error: gone")
    lab.stage["core-03"].answers["etcdctl"] = (1, "Error: gone")
    with pytest.raises(LabError, match="no member answers: core-01 can't tell"):
        await list_from_any(lab.stage.values())


def knowledge(members: Sequence[Member], guess: str = "") -> reshape.Knowledge:
    async def live(_via: Machine) -> Sequence[Member]:
        return members

    return reshape.Knowledge(lambda _name: guess, lambda: {"core-01": "http://10.0.0.1:2380"}, live)


async def test_a_member_id_is_guessed_for_the_preview_and_looked_up_before_it_counts() -> None:
    lab = StageLab()
    one, two = lab.stage["core-01"], lab.stage["core-02"]
    blind = reshape.remove(two, one, knowledge(read_members(LIST)), deadline=1)
    assert blind.command() == "etcdctl --endpoints=http://10.0.0.1:2379 member remove <ID of core-02>"
    op = reshape.promote(two, one, knowledge(read_members(LIST), "old"), deadline=1)
    assert op.command().endswith("member promote old")
    await op.resolve()
    assert op.command().endswith("member promote 11")
    await op.run(Ear())
    assert one.ran[-1][-3:] == ("member", "promote", "11")


async def test_a_member_that_is_not_listed_is_said_to_be_so() -> None:
    lab = StageLab()
    op = reshape.remove(lab.stage["core-03"], lab.stage["core-01"], knowledge(read_members(LIST)), deadline=1)
    with pytest.raises(LabError, match="core-03 is not in the member list"):
        await op.run(Ear())


async def test_joining_takes_the_members_from_the_live_list() -> None:
    lab = StageLab()
    two = lab.stage["core-02"]
    op = reshape.join(two, lab.stage["core-01"], SETTINGS, knowledge(read_members(LIST)))
    assert op.command() == "start etcd"
    await op.run(Ear())
    assert two.done == ["start core-02/etcd"]
    specs = op._spec()  # type: ignore[attr-defined]
    told = dict(specs.environment)
    assert told["ETCD_INITIAL_CLUSTER"] == "core-01=http://10.0.0.1:2380,core-02=http://10.0.0.2:2380"
    assert told["ETCD_INITIAL_CLUSTER_STATE"] == "existing"


async def test_publishing_updates_the_list_before_it_restarts() -> None:
    lab = StageLab()
    one = lab.stage["core-01"]
    update, restart = reshape.publish(one, SETTINGS, knowledge(read_members(LIST), "8e9e"), deadline=1)
    assert update.command() == (
        "etcdctl --endpoints=http://localhost:2379 member update 8e9e --peer-urls=http://10.0.0.1:2380"
    )
    assert restart.command() == "restart etcd"


async def test_wiping_stops_before_it_deletes() -> None:
    lab = StageLab()
    ops = reshape.wipe(list(lab.stage.values()))
    for op in ops:
        await op.run(Ear())
    for machine in lab.stage.values():
        assert machine.done == [f"stop {machine.name}/etcd"]
        assert machine.ran == [("rm", "-rf", "/nowhere/etcd")]


async def test_wiping_stops_the_leader_last_and_one_after_another_where_none_is_known() -> None:
    machines = list(StageLab().stage.values())
    followers, leading, _ = reshape.wipe(machines, leader="core-02")
    assert followers.command() == "stop etcd\nstop etcd"
    assert leading.machine == "core-02"
    assert [op.machine for op in reshape.wipe(machines)[:3]] == ["core-01", "core-02", "core-03"]


async def test_a_result_keeps_the_end_of_an_endless_output() -> None:
    machine = StageLab().stage["core-01"]
    machine.answers["yes"] = (0, "\n".join(str(number) for number in range(LINES_KEPT + 100)))
    result = await RunOp(machine, ("yes",)).run(Ear())
    assert len(result.stdout.splitlines()) == LINES_KEPT
    assert result.stdout.endswith(f"\n{LINES_KEPT + 99}")


async def test_versions() -> None:
    machine = StageLab().stage["core-01"]
    assert await etcd_version(machine) == (3, 7, 3)
    machine.answers["etcd"] = (1, "no")
    with pytest.raises(LabError):
        await etcd_version(machine)
    assert read_version("etcd >= 3.6") == (3, 6)
    with pytest.raises(LabError):
        read_version("none")
