"""Boards built by hand for the cockpit's tests: a calm lab and what can happen to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from support.cards import card, violated
from support.cockpit_faults import KINDS

from rwk_tui.board.frames import Check, Event, Frame, Output, Step, Story
from rwk_tui.board.rows import (
    AnyRow,
    CanaryRow,
    ChapterRow,
    FaultRow,
    LabRow,
    LinkRow,
    MachineRow,
    MemberRow,
    QuorumRow,
    UnitRow,
)

NOW = 1_795_480_260.0
"""Noon-ish of a day in 2026 (unix time, s): what the injected clock shows."""
MACHINES = ("core-01", "core-02", "core-03")


@dataclass(frozen=True)
class Scene:
    """Rows by key, events, story and output; `frame` makes one full frame of it."""

    rows: dict[str, AnyRow]
    events: tuple[Event, ...] = ()
    story: Story = field(default_factory=Story)
    output: tuple[Output, ...] = ()

    def frame(self, seq: int = 1, at: float = NOW) -> Frame:
        """The scene as one full frame."""
        rows = tuple(self.rows.values())
        return Frame(seq=seq, at=at, full=True, rows=rows, events=self.events, story=self.story, output=self.output)

    def with_rows(self, *rows: AnyRow) -> Scene:
        """The same with these rows added or replaced."""
        return replace(self, rows={**self.rows, **{row.key: row for row in rows}})

    def changed(self, key: str, **values: Any) -> Scene:
        """The same with one row changed."""
        return self.with_rows(msgspec.structs.replace(self.rows[key], **values))


def lab(state: Any = "ready", left_behind: str = "") -> LabRow:
    return LabRow(seen_at=NOW, backend="local", engines="etcd 3.7.3", state=state, left_behind=left_behind)


def machine(name: str, power: Any = "up", since: float = NOW - 300) -> MachineRow:
    return MachineRow(seen_at=NOW, name=name, power=power, address=f"127.0.8.1{name[-2:]}", since=since)


def unit(name: str, state: Any = "running", exit: str = "") -> UnitRow:
    return UnitRow(seen_at=NOW, machine=name, unit="etcd", state=state, pid=4711, since=NOW - 200, exit=exit)


def member(name: str, role: Any = "follower", health: Any = "healthy", **values: Any) -> MemberRow:
    number = int(name[-1])
    known: dict[str, Any] = {
        "seen_at": NOW,
        "id": f"8e9e05c52164694{number}",
        "name": name,
        "machine": name,
        "role": role,
        "health": health,
        "since": NOW - 200,
        "version": "3.7.3",
        "term": 7,
        "raft_index": 1204,
        "applied_index": 1204,
        "db_size": 2_100_000,
        "latencies": tuple(0.3 + ((at * 7 + number * 3) % 5) / 8 for at in range(30)),
    }
    return MemberRow(**{**known, **values})


def quorum(state: Any = "healthy", reachable: int = 3, leader: str = "core-01", **values: Any) -> QuorumRow:
    known = {"voters": 3, "needed": 2, "term": 7, "cluster_id": "cdf818194e3a8c32", "since": NOW - 200}
    return QuorumRow(**{"seen_at": NOW, "state": state, "reachable": reachable, "leader": leader, **known, **values})


def canary(state: Any = "flowing", gap_ms: float = 0.0, gap_at: int = 0, gap_for: int = 0, **values: Any) -> CanaryRow:
    history = tuple((0, 4) if gap_at <= at < gap_at + gap_for else (5, 0) for at in range(60))
    known = {"acknowledged": 1812, "rate": 5.0, "epoch": 1, "resolution_ms": 50.0, "history": history}
    return CanaryRow(**{"seen_at": NOW, "name": "etcd", "state": state, "gap_ms": gap_ms, **known, **values})


CHAPTERS: tuple[ChapterRow, ...] = (
    ChapterRow(
        seen_at=NOW,
        name="01-hosts",
        title="Three hosts",
        goal="See what the lab consists of.",
        steps=("Three machines come up", "Their status", "Logging in"),
    ),
    ChapterRow(
        seen_at=NOW,
        name="03-etcd-clustering",
        title="etcd clustering",
        goal="Grow one member to three without losing a write, and see why two are worse than one.",
        steps=(
            "One member serves",
            "Add core-02 as a plain voter",
            "Two members are worse than one",
            "Add core-03 as a learner",
            "Promote it",
        ),
    ),
    ChapterRow(
        seen_at=NOW,
        name="04-machine-failure",
        title="A machine fails",
        goal="Lose a machine for good and replace it.",
        steps=("Destroy core-01", "Writes go on", "Remove the dead member", "A fresh core-01"),
    ),
)


def story(step: int = 3) -> Story:
    """The clustering chapter before its fourth step."""
    first = Step(title="One member serves", status="passed", seconds=0.41, say="One member is a cluster.")
    second = Step(title="Add core-02 as a plain voter", status="passed", seconds=9.2, say="A voter counts at once.")
    third = Step(
        title="Two members are worse than one",
        status="passed",
        say="With two voters **both** are needed: stop one, and nothing can be written.",
        seconds=7.42,
        commands=("etcdctl put colour red",),
        checks=(
            Check(expect="a write on core-01 fails", status="passed", saw="no quorum: 1 of 2 voters", seconds=7.1),
            Check(expect="a serializable read answers", status="passed", saw="colour = blue", seconds=0.02),
        ),
    )
    fourth = Step(
        title="Add core-03 as a learner",
        status="waiting",
        say=(
            "A *learner* receives the log but has **no vote**. Writes go on while it catches up:\n\n"
            "- no quorum changes until it is promoted\n- `etcdctl member promote` gives it its vote\n"
        ),
        commands=(
            "etcdctl --endpoints=http://127.0.8.101:2379 member add core-03 --learner "
            "--peer-urls=http://127.0.8.103:2380",
            "sudo systemctl start etcd",
        ),
    )
    return Story(
        chapter="03-etcd-clustering",
        title="etcd clustering",
        goal="Grow one member to three without losing a write.",
        steps=(first, second, third, fourth, Step(title="Promote it")),
        step=step,
    )


OUTPUT: tuple[Output, ...] = (
    Output(
        at=NOW - 20,
        step="Two members are worse than one",
        machine="core-01",
        stream="command",
        text="etcdctl put colour red",
    ),
    Output(
        at=NOW - 13,
        step="Two members are worse than one",
        machine="core-01",
        stream="err",
        text="Error: etcdserver: request timed out",
    ),
)


def event(id: int, ago: float, kind: str, level: Any, text: str, **values: Any) -> Event:
    return Event(id=id, at=NOW - ago, kind=kind, level=level, text=text, **values)


EVENTS: tuple[Event, ...] = (
    event(1, 120, "machine", "good", "core-01 is up"),
    event(2, 119, "machine", "good", "core-02 is up"),
    event(3, 90, "member", "good", "core-02 joined the etcd cluster as a voter"),
    event(4, 60, "fault", "bad", "core-02's etcd was killed", by_presenter=True),
    event(5, 58, "election", "good", "core-01 was elected in term 7", duration_ms=1362.0, resolution_ms=50.0),
    event(6, 40, "outage", "warning", "etcd writes stopped for 1.36 s", duration_ms=1361.0),
)


def calm() -> Scene:
    """Three members, all well."""
    rows: list[AnyRow] = [lab(), quorum(), canary(), *KINDS, *CHAPTERS]
    rows += [machine(name) for name in MACHINES] + [unit(name) for name in MACHINES]
    rows += [member("core-01", "leader"), member("core-02"), member("core-03")]
    rows += [
        LinkRow(seen_at=NOW, source=here, target=there, state="open")
        for here in MACHINES
        for there in MACHINES
        if here != there
    ]
    return Scene({row.key: row for row in rows}, EVENTS, story(), OUTPUT)


def stale() -> Scene:
    """One member can't be asked for 4 s."""
    key = member("core-03").key
    return calm().changed(key, fresh=False, why="no answer", seen_at=NOW - 4)


def member_down() -> Scene:
    """One machine was halted 4 s ago."""
    scene = (
        calm().changed("machine/core-03", power="halted", since=NOW - 4).changed("unit/core-03/etcd", state="stopped")
    )
    scene = scene.changed(member("core-03").key, health="down", fresh=False, since=NOW - 4, seen_at=NOW - 4)
    return scene.with_rows(quorum("degraded", 2))


def no_quorum() -> Scene:
    """Two of three machines lost their power."""
    scene = calm()
    for name, ago in (("core-01", 9), ("core-02", 6)):
        scene = scene.changed(f"machine/{name}", power="off", since=NOW - ago).changed(
            f"unit/{name}/etcd", state="stopped"
        )
        scene = scene.changed(member(name).key, health="down", fresh=False, since=NOW - ago, seen_at=NOW - ago)
    scene = scene.changed(member("core-03").key, health="no leader", role="follower")
    faults = tuple(
        FaultRow(seen_at=NOW, id=f"f{number}", fault="power-cut", target=name, since=NOW - ago, text=f"{name} is off")
        for number, (name, ago) in enumerate((("core-01", 9), ("core-02", 6)))
    )
    return scene.with_rows(quorum("lost", 1, ""), canary("failing", 5400.0, 54, 6), *faults)


def partition() -> Scene:
    """core-01, which led, is cut off."""
    scene = calm()
    for other in ("core-02", "core-03"):
        scene = scene.changed(f"link/core-01/{other}", state="cut").changed(f"link/{other}/core-01", state="cut")
    fault = FaultRow(
        seen_at=NOW, id="f1", fault="partition", target="core-01", since=NOW - 12, text="core-01 is cut off"
    )
    scene = scene.changed(member("core-01").key, health="no leader", role="follower", term=7)
    scene = scene.changed(member("core-02").key, role="leader", term=8)
    more = (
        event(7, 12, "fault", "bad", "core-01 was partitioned (you)", by_presenter=True),
        event(8, 10.6, "election", "good", "core-02 was elected in term 8", duration_ms=1360.0),
    )
    scene = scene.with_rows(fault, quorum("degraded", 2, "core-02", term=8), canary("flowing", 1361.0, 47, 2))
    return replace(scene, events=(*EVENTS, *more))


def faults_seen() -> Scene:
    """A cut that a probe has seen, and slow links that are being mended."""
    scene = partition()
    fault = FaultRow(
        seen_at=NOW, id="f2", fault="delay", target="core-02", since=NOW - 30, text="links are slow", healing=True
    )
    scene = scene.changed("fault/f1", effect="all links of core-01 are cut").with_rows(fault)
    for ends in ("core-02/core-03", "core-03/core-02"):
        scene = scene.changed(f"link/{ends}", delay_ms=200.0, jitter_ms=50.0)
    return scene


def reported() -> Scene:
    """Two faults were healed: one left nothing amiss, the other cost writes."""
    told = tuple(
        event(number, 40 - number, kind, "bad" if kind == "violated" else "good", text, subject="card/2")
        for number, kind, text in (
            (7, "card", "1. core-01 lost its power: well again after 3.21 s"),
            (8, "violated", "VIOLATED after a value on core-02 was changed: 2 of 1812 acknowledged writes lost"),
        )
    )
    scene = calm().with_rows(card(1), violated(2), canary(lost=2))
    return replace(scene, events=(*EVENTS, *told))


def restored() -> Scene:
    """A backup was restored, and what came after it is gone."""
    return calm().with_rows(canary("flowing", 12_300.0, 20, 12, epoch=2, acknowledged=312, gone=188, gone_of=500))


def choose() -> Scene:
    """An earlier run left a lab behind."""
    return Scene({"lab": lab("choose", "3 machines with etcd data, stopped in 03-etcd-clustering, step 2")})


SCENES: dict[str, Callable[[], Scene]] = {
    "calm": calm,
    "stale": stale,
    "member_down": member_down,
    "no_quorum": no_quorum,
    "partition": partition,
    "faults_seen": faults_seen,
    "reported": reported,
    "restored": restored,
    "choose": choose,
}
