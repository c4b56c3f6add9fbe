"""A board that says what a test wants of Kubernetes, and a desk whose kubectl says yes: for faults above etcd."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Output
from rwk_tui.board.hub import Hub
from rwk_tui.board.kube_rows import ApiServerRow, DeploymentRow, KubeRow, LeaseRow, NodeRow, PodRow
from rwk_tui.board.rows import MachineRow, UnitRow
from rwk_tui.faults.base import Case
from rwk_tui.faults.ground import Ground
from rwk_tui.faults.kinds import KINDS
from rwk_tui.lab.protocol import Line, Run

NOW = 1000.0
KCM, SCHEDULER, API = "kube-controller-manager", "kube-scheduler", "kube-apiserver"


class Stage:
    """Two control planes, two workers and a deployment, all well; `at` is the time on its clock."""

    def __init__(self, ground: Ground) -> None:
        self.at = NOW
        self.ground = Ground(ground.lab, Hub(lambda: self.at), ground.watcher, ground.site, ground.settings)
        self.hub = self.ground.hub
        for name in ("core-01", "core-02", "core-03"):
            self.hub.publish(MachineRow(seen_at=NOW, name=name, power="up", address="", since=0.0))
        for name in ("core-01", "core-02"):
            for unit in (API, KCM, SCHEDULER):
                self.unit(name, unit)
            self.hub.publish(ApiServerRow(seen_at=NOW, machine=name, state="ready", since=0.0))
        for name in ("core-02", "core-03"):
            self.unit(name, "kubelet")
            self.node(name)
        for name in (KCM, SCHEDULER):
            self.lease(name, "core-01")
        self.kube()
        self.deployment(4)
        for number in range(4):
            self.pod(f"web-{number}", f"core-0{2 + number % 2}")

    @property
    def board(self) -> Board:
        return self.hub.board

    def case(self, target: str) -> Case:
        return Case("x1", target, self.ground, NOW)

    def unit(self, machine: str, unit: str, state: Any = "running", exit: str = "") -> None:
        self.hub.publish(UnitRow(seen_at=self.at, machine=machine, unit=unit, state=state, exit=exit))

    def node(self, name: str, state: Any = "ready", *, schedulable: bool = True) -> None:
        self.hub.publish(
            NodeRow(seen_at=self.at, name=name, machine=name, state=state, since=0.0, schedulable=schedulable)
        )

    def lease(self, name: str, machine: str, *, since: float = 1.0, renewed: float = NOW) -> None:
        holder = f"{machine}_abc" if machine else ""
        self.hub.publish(
            LeaseRow(seen_at=self.at, name=name, holder=holder, machine=machine, since=since, duration_s=15,
                     renewed=renewed)
        )  # fmt: skip

    def kube(self, state: Any = "ready", *, fresh: bool = True) -> None:
        self.hub.publish(KubeRow(seen_at=self.at, state=state, fresh=fresh))

    def deployment(self, ready: int, wanted: int = 4) -> None:
        self.hub.publish(DeploymentRow(seen_at=self.at, namespace="default", name="web", wanted=wanted, ready=ready))

    def pod(self, name: str, node: str, owner: str = "web") -> None:
        self.hub.publish(
            PodRow(seen_at=self.at, namespace="default", name=name, node=node, state="running", since=0.0, owner=owner)
        )

    def printed(self, step: str, text: str, *, at: float = NOW, stream: Any = "err") -> None:
        self.hub.print(Output(at=at, step=step, machine="presenter", stream=stream, text=text))

    async def sees(self, kind: str, target: str) -> str:
        """What a probe sees of that fault, "" while nothing."""
        sight = await KINDS[kind].shows(self.case(target))
        return sight.words if sight is not None else ""


class Desk:
    """A desk whose kubectl says yes, but for the verb `fails`; `asked` are the words of each command."""

    name = "presenter"

    def __init__(self, fails: str = "") -> None:
        self.fails = fails
        self.asked: list[str] = []

    async def run(self, argv: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Run:
        self.asked.append(" ".join(word.rpartition("/")[2] for word in argv[1:]))
        return Said(argv[1] == self.fails)

    def show_run(self, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
        return " ".join(argv)


class Said:
    """A command that has ended."""

    def __init__(self, failed: bool) -> None:
        self.lines = [Line("err", "Error from server: no")] if failed else []
        self.code = int(failed)

    async def __aiter__(self) -> AsyncIterator[Line]:
        for line in self.lines:
            yield line

    async def wait(self) -> int:
        return self.code

    async def kill(self) -> None:
        return None


def at_desk(stage: Stage, monkeypatch: pytest.MonkeyPatch, fails: str = "") -> Desk:
    desk = Desk(fails)
    monkeypatch.setattr(stage.ground.lab, "seat", desk)
    return desk
