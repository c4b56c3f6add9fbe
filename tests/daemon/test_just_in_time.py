"""`play --install`: engines are got just before the chapter that needs them; what can't be got stops nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.daemon_fake import FakeEngines, FakeRefusal, FakeWorld, serving

from rwk_tui.board.frames import Step, Story
from rwk_tui.board.kube_rows import EngineRow, EngineState
from rwk_tui.board.rows import ChapterRow
from rwk_tui.daemon import just_in_time
from rwk_tui.daemon.cards import Cards
from rwk_tui.daemon.client import DaemonClient
from rwk_tui.daemon.hold import Follower
from rwk_tui.daemon.just_in_time import JustInTime
from rwk_tui.daemon.play import exit_code, play_chapters
from rwk_tui.daemon.progress import BarReport, JsonReport, LineReport, Report, Result
from rwk_tui.engines.pins import engine_pins
from rwk_tui.engines.sets import EngineSet
from rwk_tui.settings import Settings
from rwk_tui.story.fault_story import made_chapter
from rwk_tui.story.load import load_chapter
from rwk_tui.story.schema import Chapter

pytestmark = pytest.mark.process

PINS = engine_pins()
BETTER = {"b-etcd": ("etcd-3.7",), "c-again": ("etcd-3.7",)}
NEEDS = {
    "d-kube": ("etcd-3.7", "kubernetes-1.37", "kwok-0.8"),
    "e-upgrade": ("etcd-3.6", "etcd-3.7", "kubernetes-1.36", "kubernetes-1.37", "kwok-0.8"),
}
NAMES = ("a-hosts", *BETTER, *NEEDS)


class Cache(FakeEngines):
    """Gets what it is asked for, one after another, but for what `fails`; `refuses` says why it does not even begin."""

    def __init__(self, world: FakeWorld, fails: dict[str, str] | None = None, refuses: str = "") -> None:
        super().__init__(world)
        self.fails, self.refuses = fails or {}, refuses
        self.shares: tuple[float, ...] = ()
        """How far each is said to be on the way."""
        self.lab: Follower | None = None
        self.work: asyncio.Task[None] | None = None
        self.states: dict[str, EngineState] = dict.fromkeys(PINS, "missing")

    def show(self, name: str, state: EngineState, done: float = 0.0, text: str = "") -> None:
        self.states[name] = state
        row = EngineRow(seen_at=1.0, name=name, version=PINS[name].version, state=state, done=done, text=text, left_s=9)
        self.world.hub.publish(row)

    def tell_chapters(self) -> None:
        """As the director does: what a chapter would be better with depends on the etcd that is there."""
        current = self.states["etcd-3.7"] == "ready"
        for name in NAMES:
            better = () if current else BETTER.get(name, ())
            needs = NEEDS.get(name, ())
            row = ChapterRow(seen_at=1.0, name=name, title=name, goal="", steps=("One",), engines=needs, better=better)
            self.world.hub.publish(row)

    def begin(self, names: Sequence[str], *, more: bool = False) -> None:
        if self.refuses:
            raise FakeRefusal(self.refuses)
        super().begin(names, more=more)
        for name in names:
            self.show(name, "installing", text="waits for its turn")
        self.work = asyncio.create_task(self.get(names))

    async def get(self, names: Sequence[str]) -> None:
        for name in names:
            for done in self.shares:
                self.show(name, "installing", done, f"{done:.0%} compiled")
                await self.heard(name, "installing", done)
            if name in self.fails:
                self.show(name, "failed", text=self.fails[name])
            else:
                self.show(name, "ready", 1.0)
                self.tell_chapters()
            await self.heard(name, self.states[name])

    async def heard(self, name: str, state: EngineState, done: float | None = None) -> None:
        """Wait until the client has heard that; numbers go out once a second only."""
        lab = self.lab
        assert lab is not None

        def holds(_: object) -> bool:
            row = lab.board.get(EngineRow, f"engine/{name}")
            return row is not None and row.state == state and done in (None, row.done)

        await lab.until(holds)


class Stage(FakeWorld):
    """Its chapters have one step, which passes."""

    async def open(self, chapter: str, step: int = 0) -> None:
        self.done.append(f"open {chapter}")
        self.hub.story(Story(chapter=chapter, steps=(Step(title="One"),)))

    async def next(self) -> None:
        self.hub.story(Story(chapter=self.hub.board.story.chapter, step=1, steps=(Step(title="One", status="passed"),)))


@pytest.fixture
def chapters(tmp_path: Path) -> list[Chapter]:
    text = "title: T\ngoal: g\nstarts: {}\nsteps:\n  - title: One\n    say: x\n    expect:\n      - serving: core-01\n"
    found = []
    for name in NAMES:
        (tmp_path / f"{name}.yaml").write_text(text)
        found.append(load_chapter(tmp_path / f"{name}.yaml"))
    return found


@asynccontextmanager
async def stage(settings: Settings, **cache: object) -> AsyncIterator[tuple[Stage, Cache, Follower]]:
    """A lab with five chapters of which the etcd ones can be told, and a client that follows it."""
    world = Stage()
    engines = world.engines = Cache(world, **cache)  # type: ignore[arg-type]
    async with serving(settings, world):
        for name in PINS:
            engines.show(name, "missing")
        engines.tell_chapters()
        async with Follower(await DaemonClient.connect(settings)) as lab:
            await lab.until(lambda board: len(board.all_of(ChapterRow)) == len(NAMES))
            engines.lab = lab
            try:
                yield world, engines, lab
            finally:
                if engines.work is not None:
                    engines.work.cancel()
                await lab.client.close()


async def play(lab: Follower, chapters: Sequence[Chapter], report: Report, settings: Settings) -> tuple[int, list[str]]:
    """Play them all; the exit code, and how each chapter's step ended."""
    results: list[Result] = []
    engines = JustInTime(lab, settings, report)
    async with asyncio.timeout(30), Cards(lab, report.card) as cards:
        with report:
            await play_chapters(lab, chapters, report, results, cards, engines)
    return exit_code(results, [], engines.failed), [result.step.status for result in results]


async def test_each_is_got_just_before_the_first_chapter_that_needs_it(
    settings: Settings, chapters: list[Chapter], capsys: pytest.CaptureFixture[str]
) -> None:
    async with stage(settings) as (world, _, lab):
        code, statuses = await play(lab, chapters, LineReport(), settings)
    assert [line for line in world.done if line.startswith(("install", "open"))] == [
        "open a-hosts",
        "install etcd-3.7, more to come",
        "open b-etcd",
        "open c-again",
        "install kubernetes-1.37 kwok-0.8, more to come",
        "open d-kube",
        "install etcd-3.6 kubernetes-1.36",
        "open e-upgrade",
    ]
    assert (code, statuses) == (0, ["passed"] * 5)
    out, err = capsys.readouterr()
    assert err == ""
    plan, *lines = out.splitlines()
    assert plan.startswith(
        "to get: etcd 3.7 before b-etcd, Kubernetes 1.37 and kwok 0.8 before d-kube, "
        "etcd 3.6 and Kubernetes 1.36 before e-upgrade: about "
    )
    assert plan.endswith(" min in all, less where it can be downloaded; 1.1 GB stay on disk")
    arrived = next(number for number, line in enumerate(lines) if line.startswith("✓ etcd 3.7.3 is here after "))
    assert lines.index("a-hosts: T") < arrived < lines.index("b-etcd: T")


async def test_programs_read_the_same_as_json(
    settings: Settings, chapters: list[Chapter], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JsonReport, "EVERY", 0.0)
    async with stage(settings) as (_, engines, lab):
        engines.shares = (0.25, 0.5)
        await play(lab, chapters[:2], JsonReport(), settings)
    plan, _, *rest = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert set(plan["plan"]) == {"engines", "seconds"}
    assert [(one["engine"], one["before"]) for one in plan["plan"]["engines"]] == [("etcd-3.7", "b-etcd")]
    installs = [line["install"] for line in rest if "install" in line]
    assert {tuple(line) for line in installs} == {
        ("engine", "version", "state", "done", "left_s", "seconds", "text"),
    }
    assert [(line["state"], line["done"]) for line in installs] == [
        ("installing", 0.0),
        ("installing", 0.25),
        ("installing", 0.5),
        ("ready", 1.0),
    ]
    assert [line.get("step") for line in rest[len(installs) :]] == [1]


@pytest.mark.parametrize("report", [LineReport, BarReport])
async def test_lines_stay_for_its_beginning_and_end_and_for_whole_minutes_between(
    report: type[LineReport], settings: Settings, chapters: list[Chapter], capsys: pytest.CaptureFixture[str]
) -> None:
    async with stage(settings) as (_, engines, lab):
        engines.shares = (0.25, 0.5)
        await play(lab, chapters[1:2], report(), settings)
    kept = [line for line in capsys.readouterr().out.splitlines() if "etcd 3.7.3" in line and "━" not in line]
    assert [line.split(":")[0].split(" after ")[0] for line in kept] == ["getting etcd 3.7.3", "✓ etcd 3.7.3 is here"]


async def test_what_can_t_be_got_is_a_line_and_the_rest_is_told(
    settings: Settings, chapters: list[Chapter], capsys: pytest.CaptureFixture[str]
) -> None:
    async with stage(settings, fails={"etcd-3.7": "download: no\nnetwork"}) as (world, _, lab):
        code, statuses = await play(lab, chapters, LineReport(), settings)
    out, err = capsys.readouterr()
    assert err == "rwk-tui: etcd 3.7 could not be got: download: no network\n"
    assert statuses == ["passed", "passed", "passed", "skipped", "skipped"]
    assert code == 1
    installs = [line for line in world.done if line.startswith("install")]
    assert installs == ["install etcd-3.7, more to come"], (
        "without it, what else Kubernetes takes would be got for nothing"
    )
    assert "needs etcd 3.7 and Kubernetes 1.37 and kwok 0.8" in out


async def test_one_reason_for_many_is_one_line(
    settings: Settings, chapters: list[Chapter], capsys: pytest.CaptureFixture[str]
) -> None:
    full = dict.fromkeys(("kubernetes-1.37", "kwok-0.8"), "no space left on device")
    async with stage(settings, fails=full) as (_, _, lab):
        code, statuses = await play(lab, chapters, LineReport(), settings)
    assert (
        capsys.readouterr().err == "rwk-tui: Kubernetes 1.37 and kwok 0.8 could not be got: no space left on device\n"
    )
    assert (code, statuses[:4]) == (1, ["passed", "passed", "passed", "skipped"])


async def test_an_install_that_is_refused_is_a_failure(
    settings: Settings, chapters: list[Chapter], capsys: pytest.CaptureFixture[str]
) -> None:
    async with stage(settings, refuses="not now") as (_, _, lab):
        code, statuses = await play(lab, chapters[:2], LineReport(), settings)
    assert capsys.readouterr().err == "rwk-tui: etcd 3.7 could not be got: not now\n"
    assert (code, statuses) == (1, ["passed", "passed"])


async def test_one_that_is_broken_off_from_elsewhere_is_a_failure(
    settings: Settings, chapters: list[Chapter], capsys: pytest.CaptureFixture[str]
) -> None:
    async with stage(settings) as (_, engines, lab):
        engines.shares = (0.5, 0.6)
        playing = asyncio.create_task(play(lab, chapters[1:2], LineReport(), settings))
        await lab.until(lambda board: engines.work is not None)
        assert engines.work is not None
        engines.work.cancel()
        engines.show("etcd-3.7", "missing")
        assert (await playing)[0] == 1
    assert capsys.readouterr().err == "rwk-tui: etcd 3.7 could not be got: it was broken off\n"


async def test_one_that_somebody_else_began_is_waited_for(settings: Settings, chapters: list[Chapter]) -> None:
    async with stage(settings) as (world, engines, lab):
        engines.begin(("etcd-3.7", "kwok-0.8"))
        await engines.heard("kwok-0.8", "installing")
        await play(lab, chapters[3:4], LineReport(), settings)
    assert [line for line in world.done if line.startswith(("install", "open"))] == [
        "install etcd-3.7 kwok-0.8",
        "install kubernetes-1.37",
        "open d-kube",
    ]


async def test_a_chapter_that_is_made_of_a_fault_gets_its_engines_too(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(just_in_time, "find_set", lambda _: EngineSet({}, {"etcd": "3.5.1"}, {}, {}))
    async with stage(settings) as (_, _, lab):
        await JustInTime(lab, settings, LineReport()).plan([made_chapter("fault:drain")])
    assert "to get: etcd 3.7 and Kubernetes 1.37 and kwok 0.8 before fault:drain" in capsys.readouterr().out
