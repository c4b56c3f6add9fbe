"""Building what a chapter starts with: in which order things are done, and what is waited for in between."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from support.story_fakes import Stage, stage
from support.watch_kube import FakeKube, FakeKubernetes, deployment, lease, node

from rwk_tui.board.kube_rows import ApiServerRow
from rwk_tui.board.rows import UnitRow
from rwk_tui.lab.protocol import LabError
from rwk_tui.settings import Timeouts
from rwk_tui.story.context import Context
from rwk_tui.story.prepare import build_starts
from rwk_tui.story.schema import Chapter
from rwk_tui.watch.answers import Status
from rwk_tui.watch.kube.kinds import CONTROL_LEASES, DEPLOYMENTS, NODES

STEPS = "steps: [{title: One}]\n"
MACHINES = ("core-01", "core-02", "core-03")
LATER = 4e9
"""A time (unix, s) after everything that a test does."""


class Journal(list[Any]):
    """Notes what is appended to it in one list for all places, in order."""

    def __init__(self, notes: list[str], place: str = "") -> None:
        super().__init__()
        self._notes = notes
        self._place = place

    def append(self, item: Any) -> None:
        super().append(item)
        self._notes.append(item if isinstance(item, str) else f"{self._place} $ {' '.join(item)}")


@dataclass
class Member:
    """A member that serves, and notes what is stored in it."""

    notes: list[str]
    stored: dict[str, str] = field(default_factory=dict)

    async def status(self, *, timeout: float = 1.0) -> Status:
        return Status("1", "1", 2, "c", revision=7)

    async def members(self, *, timeout: float = 1.0) -> tuple[Any, ...]:
        return ()

    async def put(self, key: str, value: str, *, timeout: float = 5.0) -> None:
        self.notes.append(f"key {key}={value}")

    async def close(self) -> None:
        return None


@dataclass
class Prepared:
    """A stage on which everything that is waited for holds already, and what was done on it in order."""

    stage: Stage
    context: Context
    chapter: Chapter
    kubernetes: FakeKubernetes
    notes: list[str]

    async def build(self) -> list[str]:
        """What is done, without the many files that are put."""
        await build_starts(self.chapter, self.context)
        return [note for note in self.notes if not note.startswith("put ")]


def prepared(directory: Path, starts: str) -> Prepared:
    made = stage(directory, f"title: a\ngoal: b\nstarts: {starts}\n{STEPS}")
    notes: list[str] = []
    for name, machine in made.lab.stage.items():
        machine.done, machine.ran = Journal(notes), Journal(notes, name)
        made.context.hub.publish(
            ApiServerRow(seen_at=LATER, machine=name, state="ready", since=0.0),
            UnitRow(seen_at=LATER, machine=name, unit="kube-apiserver", state="running"),
        )
    made.lab.stage_desk.ran = Journal(notes, "presenter")
    kubernetes = FakeKubernetes()
    kubernetes.put(NODES, node("core-02"), node("core-03"))
    leases = [lease(name, "core-01_x") for name in ("kube-controller-manager", "kube-scheduler")]
    kubernetes.put(CONTROL_LEASES, *leases)
    web = deployment("web", 3)
    web.status.ready_replicas = 3
    kubernetes.put(DEPLOYMENTS.within("default"), web)
    made.watcher.kube = FakeKube(kubernetes, "any", MACHINES)
    settings = replace(made.context.settings, timeouts=Timeouts(member_start=0.2, api_start=0.2))
    context = replace(made.context, settings=settings, connect=lambda *_: Member(notes))  # type: ignore[arg-type]
    return Prepared(made, context, made.director._shelf.named("demo"), kubernetes, notes)


EVERYTHING = """
  etcd: [core-01, core-02, core-03]
  secured: true
  engines: [etcd-3.6, kubernetes-1.36]
  api: [core-01, core-02]
  workers: [core-02, core-03]
  deployments: {web: 3}
  keys: {greeting: hello}
"""


async def test_everything_is_built_from_below(tmp_path: Path) -> None:
    made = prepared(tmp_path, EVERYTHING)
    rights = "presenter $ kubernetes-1.36/kubectl apply -f kwok-rights.yaml"
    config = "--kubeconfig=/nowhere/etc/kubernetes/kubelet.conf"
    join = f"$ kubernetes-1.36/kubectl {config} apply -f /nowhere/etc/kubernetes/node.yaml"
    assert await made.build() == [
        *(f"start {name}" for name in MACHINES),
        *(f"start {name}/etcd" for name in MACHINES),
        "start core-01/kube-apiserver",
        "start core-02/kube-apiserver",
        "key greeting=hello",
        "start core-01/kube-controller-manager",
        "start core-01/kube-scheduler",
        "start core-02/kube-controller-manager",
        "start core-02/kube-scheduler",
        rights,
        f"core-02 {join}",
        "start core-02/kubelet",
        rights,
        f"core-03 {join}",
        "start core-03/kubelet",
        "presenter $ kubectl create deployment web --image=nginx:1.29 --replicas=3",
    ]
    assert made.stage.lab.resets == 1
    assert made.stage.watcher.canary.epochs == ["a fresh lab for demo"]
    assert made.stage.faults.asked == ["forget"]
    site = made.context.site
    assert site.secured and site.engine("core-02", "etcd") == "etcd-3.6"
    assert site.engine("core-01", "kube-apiserver") == "kubernetes-1.36"
    spec = site.spec("core-01", "kube-apiserver")
    assert spec is not None
    assert any(flag.count("https://") == 3 for flag in spec.argv if flag.startswith("--etcd-servers="))


async def test_certificates_are_there_before_a_member_starts_and_the_presenter_is_let_in(tmp_path: Path) -> None:
    made = prepared(tmp_path, "{etcd: [core-01], secured: true}")
    await made.build()
    assert made.notes.index("put core-01/pki/etcd/server.key") < made.notes.index("start core-01/etcd")
    assert set(made.stage.lab.desk.profile) == {"ETCDCTL_CACERT", "ETCDCTL_CERT", "ETCDCTL_KEY"}
    assert made.stage.lab.stage["core-01"].profile["ETCDCTL_CERT"] == "/nowhere/pki/etcd/client.crt"


async def test_the_next_chapter_forgets_certificates_and_engines(tmp_path: Path) -> None:
    made = prepared(tmp_path, "{etcd: [core-01]}")
    made.context.site.secure_next, made.context.site.engines_next = True, {"etcd": "etcd-3.6"}
    await made.build()
    assert not made.context.site.secured
    assert made.context.site.engine("core-01", "etcd") == ""
    assert [note for note in made.notes if note.startswith("put ")] == []
    assert made.stage.lab.desk.profile == {}


async def test_a_machine_that_is_not_named_is_halted(tmp_path: Path) -> None:
    made = prepared(tmp_path, "{machines: [core-01, core-02], etcd: [core-01]}")
    assert await made.build() == [*(f"start {name}" for name in MACHINES), "stop core-03", "start core-01/etcd"]


async def test_controllers_may_be_elsewhere_or_nowhere(tmp_path: Path) -> None:
    made = prepared(tmp_path, "{etcd: [core-01], secured: true, api: [core-01], controllers: []}")
    assert await made.build() == [
        *(f"start {name}" for name in MACHINES),
        "start core-01/etcd",
        "start core-01/kube-apiserver",
    ]


WAITS = [
    ("{etcd: [core-01], secured: true, api: [core-01, core-03]}", "the API is ready; seen last: core-01 ready, "),
    ("{etcd: [core-01], secured: true, api: [core-01]}", "core-01 leads; seen last: nobody holds it"),
    (
        "{etcd: [core-01], secured: true, api: [core-01], controllers: [], workers: [core-02]}",
        "the workers are ready; seen last: core-02 unknown, core-03 ready",
    ),
    (
        "{etcd: [core-01], secured: true, api: [core-01], controllers: [], deployments: {web: 9}}",
        "web is there; seen last: 3 of 3 ready",
    ),
]


@pytest.mark.parametrize(("starts", "words"), WAITS, ids=lambda value: str(value)[:30])
async def test_what_does_not_come_up_is_named_with_what_was_seen_last(starts: str, words: str, tmp_path: Path) -> None:
    made = prepared(tmp_path, starts)
    made.context.hub.publish(ApiServerRow(seen_at=0.0, machine="core-03", state="down", since=0.0))
    made.kubernetes.put(CONTROL_LEASES, lease("kube-controller-manager", ""))
    made.kubernetes.put(NODES, node("core-02", ready=None))
    with pytest.raises(LabError) as error:
        await made.build()
    assert str(error.value).startswith(f"not within 0.2 s: {words}")


async def test_a_command_that_fails_is_named_with_its_last_line(tmp_path: Path) -> None:
    made = prepared(tmp_path, "{etcd: [core-01], secured: true, api: [core-01], controllers: [], workers: [core-02]}")
    made.stage.lab.stage_desk.answers["kubectl"] = (1, "something\nError: no")
    with pytest.raises(LabError) as error:
        await made.build()
    assert str(error.value) == "kubectl apply -f kwok-rights.yaml ended with 1: Error: no"
    assert "start core-02/kubelet" not in made.notes
