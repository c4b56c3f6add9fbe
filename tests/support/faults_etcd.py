"""A pretended lab on which commands, and units that stop and start, change a pretended etcd like a real one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from support.faults_world import FaultsWorld
from support.story_fakes import StageLab, StageMachine, StageUnit
from support.watch_etcd import IDS, FakeCluster, refused, status
from support.watch_lab import NAMES

from rwk_tui.board.rows import MemberRow
from rwk_tui.cluster.etcd import Static, Style, member_spec
from rwk_tui.faults import sights
from rwk_tui.lab.protocol import Run, UnitStatus
from rwk_tui.settings import Settings
from rwk_tui.watch.answers import Member

STARTING = json.dumps({"level": "info", "msg": "starting an etcd server"})


def fatal(error: str) -> list[str]:
    """What etcd logs when it starts and ends for that reason."""
    return [STARTING, json.dumps({"level": "fatal", "msg": "discovery failed", "error": error})]


@dataclass
class EtcdUnit(StageUnit):
    """A member: what is done to it is what the pretended cluster answers from then on."""

    machine: EtcdMachine

    async def start(self) -> None:
        await super().start()
        self._came()

    async def stop(self) -> None:
        await super().stop()
        self._went()

    async def restart(self) -> None:
        self._went()
        await super().restart()
        self._came()

    def _came(self) -> None:
        machine = self.machine
        spec = machine.units["etcd"].spec
        machine.started_with.append(dict(spec.environment) if spec is not None else {})
        if doom := machine.why_not():
            machine.logs["etcd"] = fatal(doom)
            now = machine.units["etcd"]
            machine.units["etcd"] = replace(now, state="failed", pid=0, exit="exit code 1")
        elif any(one.id == IDS[machine.name] for one in machine.lab.cluster.listed):
            machine.lab.joined(machine.name)

    def _went(self) -> None:
        self.machine.lab.left(self.machine.name)


@dataclass
class EtcdMachine(StageMachine):
    """A machine with a member; one that is started ends with `doom` as its last words, if that is set.

    `lies` tells that its disk holds something else than the others', and `started_with` the environment of each start.
    """

    lab: EtcdLab = field(kw_only=True)
    doom: str = ""
    lies: bool = False
    started_with: list[dict[str, str]] = field(default_factory=list)

    def why_not(self) -> str:
        """Why its member, started now, ends at once; "" if it does not."""
        checks = any("CORRUPT" in name or "CorruptCheck" in value for name, value in self.started_with[-1].items())
        return self.doom or ("found data inconsistency with peers" if self.lies and checks else "")

    def unit(self, name: str) -> StageUnit:
        return EtcdUnit(name, self) if name == "etcd" else StageUnit(name, self)

    async def run(self, argv: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Run:
        self.done.append(f"{self.name}: {' '.join(argv)}")
        run = await super().run(argv, environment=environment)
        if await run.wait() == 0:
            self.lab.react(self, list(argv))
        return run

    async def kill(self) -> None:
        await super().kill()
        self._down("off")

    async def destroy(self) -> None:
        await super().destroy()
        self._down("gone")

    async def start(self) -> None:
        await super().start()
        if "etcd" in self.units:
            await self.unit("etcd").start()

    def _down(self, power: str) -> None:
        for name, unit in self.units.items():
            self.units[name] = replace(unit, state="stopped", pid=0)
        self.lab.left(self.name)


class EtcdLab(StageLab):
    """Three such machines with members that core-02 leads; commands in `deaf` succeed and do nothing."""

    def __init__(self, cluster: FakeCluster) -> None:
        super().__init__()
        self.deaf: set[str] = set()
        self.cluster = cluster
        self.members = {name: EtcdMachine(name, f"10.0.0.{number}", lab=self) for number, name in enumerate(NAMES, 1)}
        self.stage = dict(self.members)

    def left(self, name: str) -> None:
        """That machine's member answers nobody any more; if it led, another one does."""
        answer = self.cluster.statuses.pop(name, None)
        self.cluster.broken[name] = refused()
        if answer is not None and answer.leader == answer.member_id:
            self.led_by(next(iter(self.cluster.statuses), ""))

    def led_by(self, leader: str) -> None:
        """That machine's member leads whoever answers."""
        for name, answer in self.cluster.statuses.items():
            self.cluster.statuses[name] = replace(answer, leader=IDS.get(leader, ""), term=answer.term + 1)

    def joined(self, name: str) -> None:
        """That machine's member answers."""
        listed = next(one for one in self.cluster.listed if one.id == IDS[name])
        if not listed.name:
            self._list(replace(listed, name=name))
        self.cluster.broken.pop(name, None)
        others = list(self.cluster.statuses.values())
        now = others[0] if others else status(name, name, 9)
        leader = next((host for host in NAMES if others and IDS[host] == now.leader), name if not others else "")
        answer = status(name, leader, now.term, learner=listed.learner, revision=now.revision, db_size=now.db_size)
        self.cluster.statuses[name] = replace(answer, alarms=now.alarms)

    def react(self, machine: EtcdMachine, argv: list[str]) -> None:
        """Do what a command does to the members and to what they store."""
        match argv:
            case ["etcdctl", _, "put", key, value]:
                self.cluster.store[key] = value
            case ["etcdctl", _, "alarm", "disarm"] if "alarm" not in self.deaf:
                for name, answer in self.cluster.statuses.items():
                    self.cluster.statuses[name] = replace(answer, alarms=())
            case ["sed", _, change, _] if "sed" not in self.deaf:
                _, true, false, _ = change.split("/")
                self.cluster.store |= {key: false for key, value in self.cluster.store.items() if value == true}
                machine.lies = True
            case ["rm", "-rf", data] if data == f"{machine.data}/etcd":
                machine.lies = False
            case ["etcdctl", _, "member", verb, whom, *more]:
                self._reshape(verb, whom, more)

    def _reshape(self, verb: str, whom: str, more: list[str]) -> None:
        """Do what etcdctl does to the list of members."""
        if verb == "remove":
            self.cluster.listed = tuple(one for one in self.cluster.listed if one.id != whom)
        elif verb == "add":
            url = next(word.partition("=")[2] for word in more if word.startswith("--peer-urls="))
            self._list(Member(IDS[whom], "", (url,), (), learner=True))
        elif verb == "promote":
            listed = next(one for one in self.cluster.listed if one.id == whom)
            self._list(replace(listed, learner=False))
            self.cluster.statuses[listed.name] = replace(self.cluster.statuses[listed.name], learner=False)

    def _list(self, entry: Member) -> None:
        others = [one for one in self.cluster.listed if one.id != entry.id]
        self.cluster.listed = tuple(sorted((*others, entry), key=lambda one: one.id))


class EtcdWorld(FaultsWorld):
    """Faults over that lab; `ran` is what was done since the last `forget`, without what was recorded."""

    def __init__(self, tmp_path: Path, *, secured: bool = False) -> None:
        cluster = FakeCluster()
        self.etcd_lab = EtcdLab(cluster)
        super().__init__(tmp_path, self.etcd_lab, cluster)
        settings = Settings(state=tmp_path, engine_cache=tmp_path)
        for name, machine in self.etcd_lab.members.items():
            members = Static({one: f"http://10.0.0.{number}:2380" for number, one in enumerate(NAMES, 1)})
            spec = member_spec(machine, settings, members, style=Style(secured))
            machine.units["etcd"] = UnitStatus("running", pid=1, spec=spec)
            machine.data = f"/{name}"
            machine.logs["etcd"] = [STARTING]

    def machine(self, name: str) -> EtcdMachine:
        return self.etcd_lab.members[name]

    def ran(self) -> list[str]:
        return [line for line in self.journal if not line.startswith("record")]

    def member(self, name: str) -> MemberRow:
        row = sights.member(self.hub.board, name)
        assert row is not None
        return row

    async def quiet(self, holds: Callable[[], bool]) -> None:
        """Wait until that is so."""
        await self.until(lambda _: holds())
