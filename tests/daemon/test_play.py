"""Chapters that can't be played here, because engines are not there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.daemon_fake import FakeWorld, serving

from rwk_tui.board.kube_rows import EngineRow
from rwk_tui.board.rows import ChapterRow
from rwk_tui.daemon.client import DaemonClient
from rwk_tui.daemon.hold import Follower
from rwk_tui.daemon.play import play_chapter
from rwk_tui.daemon.progress import JsonReport, LineReport, Report, Result
from rwk_tui.settings import Settings
from rwk_tui.story.load import load_chapter
from rwk_tui.story.schema import Chapter


@pytest.fixture
def chapter(tmp_path: Path) -> Chapter:
    step = "  - title: {}\n    say: x\n    expect:\n      - serving: core-01\n"
    path = tmp_path / "workers.yaml"
    path.write_text(f"title: W\ngoal: g\nstarts: {{}}\nsteps:\n{step.format('One')}{step.format('Two')}")
    return load_chapter(path)


def engine(name: str, state: str) -> EngineRow:
    return EngineRow(seen_at=1.0, name=name, version="1", state=state)  # type: ignore[arg-type]


async def results(settings: Settings, chapter: Chapter, report: Report, engines: Sequence[EngineRow]) -> list[Result]:
    names = tuple(row.name for row in engines)
    about = ChapterRow(seen_at=1.0, name=chapter.name, title="W", goal="g", steps=("One", "Two"), engines=names)
    found: list[Result] = []
    async with serving(settings, FakeWorld()) as (service, _):
        service.hub.publish(about, *engines)
        async with Follower(await DaemonClient.connect(settings)) as lab:
            await lab.until(lambda board: board.get(ChapterRow, about.key) is not None)
            await play_chapter(lab, chapter, report, found)
            await lab.client.close()
    return found


async def test_every_step_is_skipped_with_the_reason(
    settings: Settings, chapter: Chapter, capsys: pytest.CaptureFixture[str]
) -> None:
    engines = [engine("etcd-3.7", "ready"), engine("kubernetes-1.37", "missing"), engine("kwok-0.8", "installing")]
    found = await results(settings, chapter, JsonReport(), engines)
    assert [(result.number, result.step.title, result.step.status) for result in found] == [
        (1, "One", "skipped"),
        (2, "Two", "skipped"),
    ]
    first = json.loads(capsys.readouterr().out.splitlines()[0])
    assert set(first) == {"chapter", "step", "title", "status", "seconds", "commands", "checks"}
    assert first["checks"] == [
        {
            "expect": "Kubernetes 1.37 and kwok 0.8",
            "status": "skipped",
            "saw": "`rwk-tui engines install kubernetes-1.37 kwok-0.8` gets them",
            "seconds": 0.0,
        }
    ]


async def test_people_read_what_it_needs(
    settings: Settings, chapter: Chapter, capsys: pytest.CaptureFixture[str]
) -> None:
    await results(settings, chapter, LineReport(), [engine("kubernetes-1.37", "failed")])
    assert capsys.readouterr().out.splitlines()[:2] == [
        "  ○ 1/2 One · skipped · 0.00 s",
        "      needs Kubernetes 1.37: `rwk-tui engines install kubernetes-1.37` gets it",
    ]
