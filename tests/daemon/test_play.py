"""Chapters that can't be played here, because engines are not there; and the cards that come while one is played."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.cards import AT, BUG, card, known, not_well, violated
from support.daemon_fake import FakeWorld, serving

from rwk_tui.board.card_row import CardRow
from rwk_tui.board.frames import Check, Step, Story
from rwk_tui.board.hub import Hub
from rwk_tui.board.kube_rows import EngineRow
from rwk_tui.board.rows import ChapterRow, FaultRow
from rwk_tui.daemon.cards import Cards
from rwk_tui.daemon.client import DaemonClient
from rwk_tui.daemon.hold import Follower
from rwk_tui.daemon.play import exit_code, play_chapter
from rwk_tui.daemon.progress import JsonReport, LineReport, Report, Result
from rwk_tui.daemon.protocol import Next, Open
from rwk_tui.settings import Settings
from rwk_tui.story.load import load_chapter
from rwk_tui.story.schema import Chapter

pytestmark = pytest.mark.process


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


async def test_a_chapter_is_played_on_after_a_step_that_is_known(
    settings: Settings, chapter: Chapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss = Check(expect="no loss", status="known", saw=f"1 of 9 acknowledged writes lost; {BUG}")
    ends = (Step(title="One", status="known", checks=(loss,)), Step(title="Two", status="passed"))
    found: list[Result] = []
    async with serving(settings, FakeWorld()) as (service, _):
        service.hub.story(Story(chapter=chapter.name, steps=ends))
        async with Follower(await DaemonClient.connect(settings)) as lab:
            await lab.until(lambda board: len(board.story.steps) == len(ends))
            given: list[object] = []

            async def do(command: object) -> None:
                given.append(command)

            monkeypatch.setattr(lab, "do", do)
            await play_chapter(lab, chapter, LineReport(), found)
            await lab.client.close()
    assert given == [Open(chapter=chapter.name), Next(), Next()]
    told = [(result.step.status, result.step.checks) for result in found]
    assert told == [(step.status, step.checks) for step in ends], "nothing is added to what the step says"
    assert exit_code(found, []) == 0


@asynccontextmanager
async def followed(settings: Settings, *before: CardRow) -> AsyncIterator[tuple[Hub, Follower, Cards]]:
    """A lab with cards of earlier runs, and who collects those that come."""
    async with serving(settings, FakeWorld()) as (service, _):
        service.hub.publish(*before)
        async with Follower(await DaemonClient.connect(settings)) as lab:
            await lab.until(lambda board: len(board.all_of(CardRow)) == len(before))
            async with Cards(lab, lambda card: None) as cards:
                cards.begin()
                yield service.hub, lab, cards
            await lab.client.close()


def struck(hub: Hub, id: str, at: float = AT, *, healable: bool = True) -> FaultRow:
    """Publish and tell what the catalogue does when a fault is injected."""
    row = FaultRow(seen_at=at, id=id, fault="power-cut", target="core-01", since=at, text="core-01 lost its power")
    if healable:
        hub.publish(row)
    hub.tell("fault", f"{row.text} (you)", level="bad", subject=row.key, by_presenter=True, at=at)
    return row


def healed(hub: Hub, row: FaultRow) -> None:
    """The same for its healing."""
    hub.tell("heal", "core-01 is switched on (you)", subject=row.key, by_presenter=True)
    hub.retract(row.key)


async def test_cards_are_told_as_they_come_and_those_of_earlier_runs_are_not(settings: Settings) -> None:
    async with followed(settings, card(1), violated(2)) as (hub, lab, cards):
        hub.publish(violated(3))
        async with asyncio.timeout(5):
            await lab.until(lambda board: bool(cards.all))
        hub.publish(card(4, injected=AT + 1))
        async with asyncio.timeout(5):
            await lab.until(lambda board: len(cards.all) == 2)
    assert [one.number for one in cards.all] == [3, 4]


async def test_it_waits_for_the_cards_of_healed_faults_and_no_longer_than_it_may(settings: Settings) -> None:
    async with followed(settings) as (hub, lab, cards):
        first, second = struck(hub, "f1"), struck(hub, "f2", AT + 1)
        healed(hub, first)
        await lab.until(lambda board: len(board.rows(FaultRow)) == 1)
        assert await cards.settled(0.05) == ("core-01 lost its power (you)",), "f2 is not healed, so none is due"
        waiting = asyncio.create_task(cards.settled(5.0))
        hub.publish(card(1, injected=first.since))
        assert await waiting == ()
        struck(hub, "f3", AT + 2, healable=False)
        await lab.until(lambda board: any(event.subject == "fault/f3" for event in board.events))
        assert await cards.settled(0.05) == ("core-01 lost its power (you)",), "what can't be healed gets one too"
        hub.publish(card(2, injected=AT + 2))
        healed(hub, second)
        hub.tell("heal", "nothing left to heal on core-01", level="warning", subject=second.key)
        await lab.until(lambda board: not board.rows(FaultRow))
        assert await cards.settled(0.05) == (), "what was mended by other means gets none"


async def test_another_chapter_does_not_wait_for_the_cards_of_the_one_before(settings: Settings) -> None:
    async with followed(settings) as (hub, lab, cards):
        healed(hub, struck(hub, "f1"))
        await lab.until(lambda board: bool(board.events))
        assert await cards.settled(0.05) != ()
        cards.begin()
        assert await cards.settled(0.05) == ()


def test_a_violation_fails_the_run_though_every_step_passed() -> None:
    passed = [Result("c", 1, 1, Step(title="t", status="passed"))]
    assert exit_code(passed, [card(1)]) == 0
    assert exit_code(passed, [card(1), violated(2)]) == 1
    assert exit_code([*passed, Result("c", 1, 1, Step(title="t", status="known"))], [known(2)]) == 0
    assert exit_code(passed, [not_well(1)]) == 0, "the checks of its chapter say whether that was to be expected"
    assert exit_code([Result("c", 1, 1, Step(title="t", status="failed"))], []) == 1
