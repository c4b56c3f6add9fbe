"""Checks look at the living cluster until they hold, and say what they saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from support.story_fakes import FakeGap, FakeVerdict, Stage, stage

from rwk_tui.board.rows import CanaryRow
from rwk_tui.cluster.ops import OpResult
from rwk_tui.lab.protocol import UnitStatus
from rwk_tui.story.checks import Memory, Outcome, wait_for
from rwk_tui.story.load import _check
from rwk_tui.watch.aftermath import Aftermath
from rwk_tui.watch.answers import Hash, KeyValue, Member, Page, Status, Written
from rwk_tui.watch.refusals import EtcdError

CHAPTER = "title: a\ngoal: b\nsteps:\n  - title: One\n"


@dataclass
class Model:
    """Members as the fake clients tell them: who leads, who is down, what each stores."""

    members: tuple[Member, ...]
    leader: str = "core-01"
    down: set[str] = field(default_factory=set)
    quorum: bool = True
    values: dict[str, str] = field(default_factory=dict)
    hashes: dict[str, int] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


@dataclass
class FakeEtcd:
    """One member of the model."""

    model: Model
    name: str

    def _alive(self) -> None:
        if self.name in self.model.down:
            raise EtcdError(f"{self.name} refused the connection", definite=True)

    async def status(self, *, timeout: float = 1.0) -> Status:
        self._alive()
        version = self.model.versions.get(self.name, "3.7.3")
        return Status(self.name, self.model.leader if self.model.quorum else "", 2, "c", version=version, revision=7)

    async def members(self, *, timeout: float = 1.0) -> tuple[Member, ...]:
        self._alive()
        return self.model.members

    async def get(self, key: str, *, serializable: bool = False, timeout: float = 5.0) -> KeyValue | None:
        self._alive()
        if not self.model.quorum and not serializable:
            raise EtcdError("no quorum", definite=True)
        return KeyValue(key, self.model.values[key]) if key in self.model.values else None

    async def hashkv(self, revision: int = 0, *, timeout: float = 5.0) -> Hash:
        return Hash(self.name, self.model.hashes.get(self.name, 1), revision, 0)

    async def put(self, key: str, value: str, *, timeout: float = 5.0) -> Written:
        raise NotImplementedError

    async def delete(self, key: str, end: str = "", *, timeout: float = 5.0) -> int:
        raise NotImplementedError

    async def page(
        self,
        first: str,
        end: str,
        *,
        limit: int = 0,
        revision: int = 0,
        serializable: bool = False,
        timeout: float = 5.0,
    ) -> Page:
        raise NotImplementedError

    async def close(self) -> None:
        return None


def voter(name: str, *, learner: bool = False) -> Member:
    return Member(name, name, (f"http://10.0.0.{name[-1]}:2380",), (), learner)


THREE = Model((voter("core-01"), voter("core-02"), voter("core-03")), values={"good": "1"})
TWO = Model((voter("core-01"), voter("core-02")), down={"core-02", "core-03"}, quorum=False, values={"good": "1"})
LEARNING = Model((voter("core-01"), voter("core-02"), voter("core-03", learner=True)))

Look = Callable[..., Any]


async def ask(directory: Path, given: dict[str, Any], model: Model = THREE, memory: Memory | None = None) -> Outcome:
    demo = stage(directory, CHAPTER)
    return await ask_on(demo, given, model, memory)


async def ask_on(demo: Stage, given: dict[str, Any], model: Model, memory: Memory | None = None) -> Outcome:
    names = {machine.address: name for name, machine in demo.lab.stage.items()}
    context = replace(demo.context, connect=lambda host, _port, _access=None: FakeEtcd(model, names[host]))
    return await wait_for(_check(given, ()), context, memory or Memory(began=0.0), 0.15, lambda _saw: None)


HOLDS: list[tuple[dict[str, Any], Model, bool, str]] = [
    ({"members": {"voters": ["core-03", "core-01", "core-02"], "healthy": 3}}, THREE, True, "3 healthy"),
    ({"members": {"voters": ["core-01"]}}, THREE, False, "voters core-01 core-02 core-03"),
    ({"members": {"learners": ["core-03"], "voters": ["core-01", "core-02"]}}, LEARNING, True, "learners core-03"),
    ({"members": {"learners": []}}, LEARNING, False, "learners core-03"),
    ({"members": {"healthy": 2}}, THREE, False, "3 healthy"),
    ({"leader": "any"}, THREE, True, "core-01"),
    ({"leader": "core-02"}, THREE, False, "core-01"),
    ({"leader": {"other_than": "core-01"}}, THREE, False, "core-01"),
    ({"leader": {"other_than": "core-02"}}, THREE, True, "core-01"),
    ({"leader": "none"}, TWO, True, "no leader"),
    ({"leader": "any"}, TWO, False, "no leader"),
    ({"quorum": "healthy"}, THREE, True, "healthy: 3 of 3"),
    ({"quorum": "degraded"}, replace(THREE, down={"core-03"}), True, "degraded: 2 of 3 voters, 2 needed"),
    ({"quorum": "lost"}, TWO, True, "lost: 0 of 2 voters, 2 needed"),
    ({"quorum": "healthy"}, LEARNING, True, "2 of 2"),
    ({"serving": ["core-01", "core-02"]}, THREE, True, "serving"),
    ({"serving": "core-02"}, TWO, False, "not serving: core-02"),
    ({"key": {"name": "good", "value": "1", "via": "core-02"}}, THREE, True, "1"),
    ({"key": {"name": "good", "value": "2", "via": "core-02"}}, THREE, False, "1"),
    ({"key": {"name": "bad", "value": None, "via": "core-02"}}, THREE, True, "no such key"),
    ({"key": {"name": "good", "value": None, "via": "core-02"}}, THREE, False, "1"),
    ({"key": {"name": "good", "via": "core-01", "answers": False}}, TWO, True, "no quorum"),
    ({"key": {"name": "good", "via": "core-01", "answers": False}}, THREE, False, "it answers: 1"),
    ({"key": {"name": "good", "value": "1", "via": "core-01", "read": "serializable"}}, TWO, True, "1"),
    ({"key": {"name": "good", "value": "1", "via": "core-01"}}, TWO, False, "no quorum"),
    ({"hashes": ["core-01", "core-02"]}, THREE, True, "at 7"),
    ({"hashes": ["core-01", "core-02"]}, replace(THREE, hashes={"core-02": 9}), False, "core-02 9"),
    ({"machine": {"on": ["core-01", "core-02"], "power": "up"}}, THREE, True, "core-01 up, core-02 up"),
    ({"machine": {"on": "core-01", "power": "gone"}}, THREE, False, "core-01 up"),
    ({"unit": {"on": "core-01", "state": "stopped"}}, THREE, True, "stopped"),
    ({"unit": {"on": "core-01", "state": "running"}}, THREE, False, "stopped"),
    ({"lost": 0}, THREE, True, "0 of 10 acknowledged"),
    ({"writes": "flowing"}, THREE, False, "no canary"),
    ({"gap": {"below_ms": 100}}, THREE, False, "not flowing"),
]


@pytest.mark.parametrize(("given", "model", "holds", "saw"), HOLDS, ids=lambda value: str(value)[:40])
async def test_what_a_check_makes_of_a_cluster(
    given: dict[str, Any], model: Model, holds: bool, saw: str, tmp_path: Path
) -> None:
    outcome = await ask(tmp_path, given, model)
    assert outcome.holds is holds, outcome.saw
    assert saw in outcome.saw


@pytest.mark.parametrize(("since", "restarted"), [(99.0, False), (101.0, True)])
async def test_a_unit_that_runs_may_have_been_restarted(since: float, restarted: bool, tmp_path: Path) -> None:
    demo = stage(tmp_path, CHAPTER)
    demo.lab.stage["core-02"].units["etcd"] = UnitStatus("running", since=since)
    for expected in (True, False):
        given = {"unit": {"on": "core-02", "state": "running", "restarted": expected}}
        outcome = await ask_on(demo, given, THREE, Memory(began=100.0))
        assert outcome.holds is (expected is restarted)
        assert outcome.saw == f"running {'since this step began' if restarted else 'from before this step'}"
    stopped = {"unit": {"on": "core-02", "state": "stopped", "restarted": restarted}}
    assert not (await ask_on(demo, stopped, THREE, Memory(began=100.0))).holds


async def test_the_aftermath_of_a_restore_is_the_canarys(tmp_path: Path) -> None:
    demo = stage(tmp_path, CHAPTER)
    assert not (await ask_on(demo, {"aftermath": "before"}, THREE)).holds
    demo.watcher.canary.aftermath = Aftermath(1, "before", 9, 6, 3, 3, exact=True)
    outcome = await ask_on(demo, {"aftermath": "before"}, THREE)
    assert (outcome.holds, "3 are gone" in outcome.saw) == (True, True)
    shown = await ask_on(demo, {"new-certificates": "core-01"}, THREE)
    assert (shown.holds, shown.saw) == (False, "nobody has made certificates for etcd yet")


@pytest.mark.parametrize(
    ("given", "holds"),
    [
        ({"output": "good"}, True),
        ({"output": ["good", "10.0.0.1"]}, True),
        ({"output": "${core-01.address}"}, True),
        ({"output": "bad"}, False),
        ({"output": {"contains": "good", "lacks": "10.0.0.1"}}, False),
    ],
)
async def test_output_is_that_of_the_last_command(given: dict[str, Any], holds: bool, tmp_path: Path) -> None:
    memory = Memory(began=0.0, last=OpResult(0, "good", "from 10.0.0.1"))
    assert (await ask(tmp_path, given, memory=memory)).holds is holds


def canary(state: str, acknowledged: int, seen_at: float = 100.0) -> CanaryRow:
    return CanaryRow(seen_at=seen_at, name="etcd", state=state, acknowledged=acknowledged)  # type: ignore[arg-type]


async def test_writes_flow_only_when_more_are_acknowledged(tmp_path: Path) -> None:
    demo = stage(tmp_path, CHAPTER)
    demo.context.hub.publish(canary("flowing", 5))
    assert not (await ask_on(demo, {"writes": "flowing"}, THREE)).holds
    assert (await ask_on(demo, {"writes": "flowing"}, THREE, Memory(began=0.0, acknowledged=4))).holds
    demo.context.hub.publish(canary("failing", 9))
    assert (await ask_on(demo, {"writes": "stopped"}, THREE)).holds


@pytest.mark.parametrize(
    ("given", "gaps", "holds"),
    [
        ({"gap": {"above_ms": 1000}}, [FakeGap(400), FakeGap(8200)], True),
        ({"gap": {"above_ms": 1000}}, [FakeGap(400)], False),
        ({"gap": {"below_ms": 500}}, [], True),
        ({"gap": {"below_ms": 500}}, [FakeGap(501)], False),
        ({"gap": {"below_ms": 500}}, [FakeGap(763, still_ms=600)], True),
        ({"gap": {"below_ms": 500}}, [FakeGap(1400, still_ms=600)], False),
        ({"gap": {"below_ms": 500}}, [FakeGap(900, still_ms=800), FakeGap(501)], False),
        ({"gap": {"above_ms": 1000}}, [FakeGap(1500, still_ms=600)], False),
        ({"gap": {"above_ms": 1000}}, [FakeGap(1700, still_ms=600)], True),
    ],
)
async def test_the_longest_gap_counts(given: dict[str, Any], gaps: list[FakeGap], holds: bool, tmp_path: Path) -> None:
    assert (await look_at_gaps(tmp_path, given, gaps)).holds is holds


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        (FakeGap(501), "longest gap 501 ms ± 50 ms"),
        (
            FakeGap(763, still_ms=600),
            "longest gap 763 ms ± 50 ms, this computer stood still for 0.60 s in it; what counts is 163 ms",
        ),
    ],
)
async def test_a_gap_says_for_how_long_this_computer_stood_still_in_it(
    gap: FakeGap, words: str, tmp_path: Path
) -> None:
    assert (await look_at_gaps(tmp_path, {"gap": {"below_ms": 500}}, [gap])).saw == words


async def look_at_gaps(tmp_path: Path, given: dict[str, Any], gaps: list[FakeGap]) -> Outcome:
    demo = stage(tmp_path, CHAPTER)
    demo.watcher.canary.gap_list = gaps
    demo.context.hub.publish(canary("flowing", 5))
    return await ask_on(demo, given, THREE, Memory(began=1.0, acted=2.0))


KNOWN = "known of etcd 3.5.1: etcd#13766"


async def test_a_loss_fails_unless_it_is_known_of_the_etcd_that_runs(tmp_path: Path) -> None:
    demo = stage(tmp_path, CHAPTER)
    demo.watcher.canary.verdict = FakeVerdict(10, 1)
    new = await ask_on(demo, {"lost": 0}, THREE)
    assert (new.status, new.words) == ("failed", "1 of 10 acknowledged writes lost")
    demo.watcher.canary.verdict = FakeVerdict(10, 1, known=KNOWN)
    old = await ask_on(demo, {"lost": 0}, THREE)
    assert (old.status, old.holds) == ("known", False)
    assert old.words == f"1 of 10 acknowledged writes lost; {KNOWN}"
    assert (await ask_on(demo, {"lost": 1}, THREE)).status == "passed"
    demo.watcher.canary.verdict = FakeVerdict(done=False, why="no member answers", known=KNOWN)
    assert (await ask_on(demo, {"lost": 0}, THREE)).status == "failed"


@pytest.mark.parametrize(
    ("versions", "status"),
    [
        ({}, "failed"),
        ({"core-01": "3.5.3", "core-02": "3.5.3"}, "failed"),
        ({"core-01": "3.4.23", "core-02": "3.4.23"}, "failed"),
        ({"core-02": "3.5.1"}, "known"),
    ],
    ids=["3.7", "3.5.3", "3.4", "3.5.1"],
)
async def test_unequal_hashes_fail_unless_they_are_known_of_an_etcd_that_was_asked(
    versions: dict[str, str], status: str, tmp_path: Path
) -> None:
    differ = replace(THREE, hashes={"core-02": 9}, versions=versions)
    given = {"hashes": ["core-01", "core-02"]}
    outcome = await ask(tmp_path, given, differ)
    words = "core-01 1, core-02 9 at 7"
    assert (outcome.status, outcome.words) == (status, f"{words}; {KNOWN}" if status == "known" else words)
    assert outcome.seconds >= 0.15, "it was waited for as long as it may take"
    equal = await ask(tmp_path, given, replace(THREE, versions=versions))
    assert (equal.status, equal.words) == ("passed", "core-01 1, core-02 1 at 7")


async def test_where_nothing_was_written_nothing_is_proved(tmp_path: Path) -> None:
    demo = stage(tmp_path, CHAPTER)
    demo.watcher.canary.verdict = FakeVerdict(0, 0)
    assert not (await ask_on(demo, {"lost": 0}, THREE)).holds
    stopped = canary("stopped", 9)
    demo.context.hub.publish(stopped)
    assert not (await ask_on(demo, {"writes": "stopped"}, THREE)).holds


async def test_a_member_that_does_not_serve_because_it_failed_says_why(tmp_path: Path) -> None:
    demo = stage(tmp_path, CHAPTER)
    unit = UnitStatus("failed", exit="exit code 1")
    demo.lab.stage["core-02"].units["etcd"] = unit
    demo.lab.stage["core-02"].logs["etcd"] = ["one", '{"msg":"can not write","error":"no space left on device"}']
    outcome = await ask_on(demo, {"serving": "core-02"}, TWO)
    assert outcome.saw == "not serving: core-02 (exit code 1: can not write: no space left on device)"
