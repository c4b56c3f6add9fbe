"""Pictures of the cockpit; `pytest --snapshot-update` takes them anew, and whoever does so looks at them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import cockpit_frames as frames
from support.cockpit_app import Clock, FakeSource, cockpit, wait_for
from support.cockpit_frames import NOW
from support.cockpit_pictures import SNAP, same_everywhere, still, take

from rwk_tui.board.frames import Story
from rwk_tui.cockpit.app import Cockpit
from rwk_tui.cockpit.panes.pane import StoryPane
from rwk_tui.cockpit.source import to_fixed
from rwk_tui.tape.source import ReplaySource

TAPES = Path(__file__).parent.parent / "tapes"
pytestmark = pytest.mark.usefixtures(same_everywhere.__name__)


def test_calm(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.calm())


def test_calm_80x24(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.calm(), size=(80, 24))


def test_etcd_80x24(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.no_quorum(), "2", size=(80, 24))


def test_machines_80x24(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.partition(), "1", size=(80, 24))


def test_projector(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.partition(), size=(200, 60))


def test_light(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.partition(), theme="light")


def test_high_contrast(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.no_quorum(), theme="high-contrast")


def test_no_color(snap_compare: SNAP, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert take(snap_compare, frames.no_quorum())


def test_stale_member(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.stale())


def test_member_down(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.member_down())


def test_no_quorum(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.no_quorum())


def test_partition(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.partition())


def test_everything_is_old(snap_compare: SNAP) -> None:
    clock = Clock()
    app = cockpit(frames.calm(), clock=clock)

    async def run(pilot: Any) -> None:
        await still(app)(pilot)
        clock.now = NOW + 7
        app.paint()
        await pilot.pause()

    assert snap_compare(app, terminal_size=(120, 40), run_before=run)


def test_lost(snap_compare: SNAP) -> None:
    clock, source = Clock(), FakeSource(frames.partition().frame())
    tries: list[bool] = []

    async def connect(start: bool) -> FakeSource:
        tries.append(start)
        if len(tries) > 1:
            raise OSError("nobody listens on its socket")
        return source

    app = cockpit(clock=clock)
    app.stream._connect = connect

    async def run(pilot: Any) -> None:
        await still(app)(pilot)
        source.end(ConnectionResetError("the connection was reset"))
        await wait_for(pilot, lambda: app.contact.state == "lost")
        clock.now = NOW + 4
        app.paint()
        await pilot.pause()

    assert snap_compare(app, terminal_size=(120, 40), run_before=run)


def test_chapter_chooser(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.calm(), "c", "right", "down")


def test_fault_chooser(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.calm(), "f", "down", "right", "down")


def test_fault_chooser_80x24(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.calm(), "f", "down", "down", size=(80, 24))


def test_fault_chooser_end_80x24(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.calm(), "f", "end", size=(80, 24))


def test_faults_found(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.calm(), "f", *"network", "right", size=(80, 24))


def test_faults_seen(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.faults_seen())


def test_violated(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.reported())


def test_violated_80x24(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.reported(), "4", size=(80, 24))


def test_violated_no_color(snap_compare: SNAP, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert take(snap_compare, frames.reported())


def test_a_violation_comes(snap_compare: SNAP) -> None:
    source = FakeSource(frames.calm().frame())
    app = cockpit(source=source)

    async def run(pilot: Any) -> None:
        await still(app)(pilot)
        source.say(frames.reported().frame(seq=2))
        await wait_for(pilot, lambda: bool(app.query("Toast")))
        await pilot.pause()

    assert snap_compare(app, terminal_size=(120, 40), run_before=run)


def test_card_violated(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.reported(), "v")


def test_card_good(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.reported(), "v", "down")


def test_card_violated_80x24(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.reported(), "v", size=(80, 24), theme="light")


def test_restored(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.restored())


def test_confirm_several(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.calm(), "f", *"good", "enter", "enter", *"core-02+")


def test_confirm_destroy(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.calm(), "m", "right", "end", "enter", *"core-0")


def test_help(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.calm(), "question_mark")


def test_help_of_etcd(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.no_quorum(), "2", "question_mark", theme="colour-blind")


def test_help_of_kubernetes_80x24(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.calm(), "3", "question_mark", size=(80, 24))


def test_help_legend(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.calm(), "question_mark", "end")


def test_first_time(snap_compare: SNAP) -> None:
    app = cockpit(replace(frames.calm(), story=Story()), greets=True)
    assert snap_compare(app, terminal_size=(120, 40), run_before=still(app))


def test_resume_or_reset(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.choose())


def test_too_small(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.calm(), size=(50, 12))


@pytest.mark.parametrize("tape", sorted(path.stem for path in TAPES.glob("*.jsonl")))
@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_tape(snap_compare: SNAP, tape: str, size: tuple[int, int]) -> None:
    """The last frame of recordings of real runs."""
    source = ReplaySource(TAPES / f"{tape}.jsonl")
    app = Cockpit(cockpit().settings, to_fixed(source), replay=source)

    async def run(pilot: Any) -> None:
        await still(app)(pilot)
        await wait_for(pilot, lambda: not source.position.reading)
        await pilot.press("end")
        await wait_for(pilot, lambda: app.board.at == source.now())
        app.paint()
        await pilot.pause()
        if app.board.story.step:  # A story that was told scrolls to its end after it was painted.
            pane = app.query_one(StoryPane)
            await wait_for(pilot, lambda: pane.max_scroll_y > 0 and pane.scroll_y >= pane.max_scroll_y)
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=run)
