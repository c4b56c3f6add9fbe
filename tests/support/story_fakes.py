"""A pretended stage for the director: machines whose commands a test answers, and a watcher that only counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from support.watch_lab import NAMES, FakeDesk, FakeLab, FakeMachine, FakeUnit

from rwk_tui.board.frames import Story
from rwk_tui.board.hub import Hub
from rwk_tui.cluster.pki import Pki
from rwk_tui.cluster.site import Site
from rwk_tui.lab.protocol import LabError, Line, Run, UnitSpec, UnitStatus
from rwk_tui.settings import Settings, Timeouts
from rwk_tui.story.context import Context
from rwk_tui.story.director import Director
from rwk_tui.story.load import load_chapter
from rwk_tui.story.schema import Chapter
from rwk_tui.watch.aftermath import Aftermath
from rwk_tui.watch.kube.protocol import Kube


@dataclass
class FakeRun:
    """A command that prints its lines and ends with its code, after `gate` was opened."""

    lines: Sequence[Line]
    code: int
    gate: asyncio.Event
    killed: bool = False

    async def __aiter__(self) -> AsyncIterator[Line]:
        await self.gate.wait()
        for line in self.lines:
            yield line

    async def wait(self) -> int:
        return self.code

    async def kill(self) -> None:
        self.killed = True


@dataclass
class Answering:
    """A place whose commands are answered from `answers` by their first word; others print nothing and succeed.

    What `exactly` says of words anywhere in a command goes before that.
    """

    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    exactly: dict[str, tuple[int, str]] = field(default_factory=dict)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    ran: list[tuple[str, ...]] = field(default_factory=list)
    runs: list[FakeRun] = field(default_factory=list)

    async def run(self, argv: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Run:
        self.ran.append(tuple(argv))
        line = " ".join(argv)
        usual = self.answers.get(argv[0], (0, ""))
        code, text = next((answer for words, answer in self.exactly.items() if words in line), usual)
        stream = "out" if code == 0 else "err"
        gate = self.gates.get(argv[0])
        if gate is None:
            gate = asyncio.Event()
            gate.set()
        run = FakeRun([Line(stream, line) for line in text.splitlines()], code, gate)  # type: ignore[arg-type]
        self.runs.append(run)
        return run


@dataclass
class StageUnit(FakeUnit):
    """A unit that stays configured whatever is done to it."""

    async def configure(self, spec: UnitSpec) -> None:
        before = self.machine.units.get(self.name, UnitStatus("stopped"))
        self.machine.units[self.name] = replace(before, spec=spec)

    async def _become(self, verb: str, status: UnitStatus) -> None:
        before = self.machine.units.get(self.name)
        await super()._become(verb, replace(status, spec=before.spec if before is not None else None))


@dataclass
class StageMachine(Answering, FakeMachine):
    """A machine that answers, and keeps the files that it is given in `files`, with their modes."""

    files: dict[str, tuple[bytes, int]] = field(default_factory=dict)

    def unit(self, name: str) -> StageUnit:
        return StageUnit(name, self)

    async def put(self, path: str, content: bytes, mode: int = 0o600) -> None:
        self.files[path] = (content, mode)
        self.done.append(f"put {self.name}/{path}")

    async def get(self, path: str) -> bytes:
        if path not in self.files:
            raise LabError(f"there is no {path} on {self.name}")
        return self.files[path][0]

    def listen_urls(self, port: int, *, public: bool, scheme: str = "http") -> tuple[str, ...]:
        own = f"{scheme}://localhost:{port}"
        return (own, self.url(port, scheme=scheme)) if public else (own,)


@dataclass
class StageDesk(Answering, FakeDesk):
    """A desk that answers."""


class StageLab(FakeLab):
    """Three such machines and such a desk; `resets` counts."""

    def __init__(self) -> None:
        super().__init__()
        self.resets = 0
        self.stage_desk = StageDesk()
        self.stage = {name: StageMachine(name, f"10.0.0.{number}") for number, name in enumerate(NAMES, 1)}
        for machine in self.stage.values():
            machine.answers["etcd"] = (0, "etcd Version: 3.7.3")

    @property
    def machines(self) -> Mapping[str, FakeMachine]:
        return self.stage

    @property
    def desk(self) -> StageDesk:
        return self.stage_desk

    async def reset(self) -> None:
        self.resets += 1
        for machine in self.stage.values():
            await machine.start()


@dataclass(frozen=True)
class FakeGap:
    ms: float
    still_ms: float = 0.0
    resolution: float = 0.05

    @property
    def own_ms(self) -> float:
        return self.ms - self.still_ms


@dataclass(frozen=True)
class FakeVerdict:
    acknowledged: int = 10
    lost: int = 0
    done: bool = True
    why: str = ""
    known: str = ""


@dataclass
class FakeCanary:
    """Tells the gaps, the verdict and the aftermath that a test sets; `noted` holds what it heard of backups."""

    epochs: list[str] = field(default_factory=list)
    noted: list[str] = field(default_factory=list)
    aftermath: Aftermath | None = None
    gap_list: list[FakeGap] = field(default_factory=list)
    verdict: FakeVerdict = field(default_factory=FakeVerdict)

    def new_epoch(self, why: str) -> None:
        self.epochs.append(why)

    def pause(self) -> None:
        self.epochs.append("(paused)")

    def resume(self) -> None:
        self.epochs.append("(resumed)")

    def mark(self, name: str, revision: int) -> None:
        self.noted.append(f"{name} holds all up to {revision}")

    def restored(self, name: str) -> None:
        self.noted.append(f"restored from {name}" if name else "a survivor goes on")

    async def verify(self) -> FakeVerdict:
        return self.verdict

    def gaps(self, since: float) -> Sequence[FakeGap]:
        return self.gap_list


@dataclass
class FakeExpected:
    """Notes which machines were hit on purpose."""

    machines: list[str] = field(default_factory=list)

    def disturb(self, machine: str, at: float) -> None:
        self.machines.append(machine)


@dataclass
class FakeWatcher:
    """Counts how often it was told to look closely."""

    expected: FakeExpected = field(default_factory=FakeExpected)

    canary: FakeCanary = field(default_factory=FakeCanary)
    api_canary: FakeCanary = field(default_factory=FakeCanary)
    kube: Kube | None = None
    alerts: int = 0
    refreshes: int = 0

    def kube_api(self) -> Kube | None:
        return self.kube

    def alert(self, seconds: float = 10.0) -> None:
        self.alerts += 1

    def refresh(self) -> None:
        self.refreshes += 1


@dataclass
class FakeFaults:
    """Notes what it was asked for."""

    asked: list[str] = field(default_factory=list)

    async def inject(self, fault: str, target: str, confirm: str = "") -> None:
        self.asked.append(f"inject {fault} {target}")

    async def heal(self, id: str = "") -> None:
        self.asked.append(f"heal {id}")

    def forget(self) -> None:
        self.asked.append("forget")


@dataclass
class Stage:
    """A director on a pretended lab, with what it recorded."""

    lab: StageLab
    context: Context
    watcher: FakeWatcher
    faults: FakeFaults
    director: Director
    recorded: list[tuple[str, int]]

    @property
    def story(self) -> Story:
        return self.context.hub.board.story

    def statuses(self) -> list[str]:
        return [step.status for step in self.story.steps]

    def printed(self, stream: str) -> list[str]:
        return [line.text for line in self.context.hub.board.output if line.stream == stream]


VERSIONS = {
    "etcd": "3.7.3",
    "etcd-3.7": "3.7.3",
    "etcd-3.6": "3.6.16",
    "kubernetes": "1.37.2",
    "kubernetes-1.37": "1.37.2",
    "kubernetes-1.36": "1.36.3",
    "kwok": "0.8.0",
    "kwok-0.8": "0.8.0",
}
"""Every engine that is pinned, as if it were there."""


def stage(directory: Path, text: str, versions: Mapping[str, str] = VERSIONS) -> Stage:
    """A stage with one chapter, "demo", of that text, and these versions of engines."""
    chapter = write_chapter(directory, text)
    lab, watcher, faults = StageLab(), FakeWatcher(), FakeFaults()
    timeouts = Timeouts(action=5.0, check=0.3, member_start=1.0)
    settings = Settings(state=directory, engine_cache=directory, timeouts=timeouts)
    site = Site(lab, Pki(directory / "pki"), versions)
    context = Context(lab, Hub(), watcher, faults, settings, site)
    recorded: list[tuple[str, int]] = []
    director = Director(context, [chapter], lambda name, step: recorded.append((name, step)))
    return Stage(lab, context, watcher, faults, director, recorded)


def write_chapter(directory: Path, text: str) -> Chapter:
    """Write a chapter file and load it."""
    path = directory / "demo.yaml"
    path.write_text(text)
    return load_chapter(path)
