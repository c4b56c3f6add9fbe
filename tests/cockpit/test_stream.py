"""Live, stale, lost, ended: what the cockpit does when its source does something."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from support import cockpit_frames as frames
from support.cockpit_app import Clock, FakeSource, cockpit, wait_for
from support.cockpit_frames import NOW

from rwk_tui.board.frames import Frame, Output
from rwk_tui.board.rows import LabRow
from rwk_tui.cockpit.app import Cockpit
from rwk_tui.cockpit.panes.pane import Pane
from rwk_tui.cockpit.text import plain
from rwk_tui.daemon.protocol import Bye, Next
from rwk_tui.settings import Settings

SIZE = (120, 40)


def header(app: Cockpit) -> str:
    shown = app.query_one("#header").shown  # type: ignore[attr-defined]
    return plain(shown[0]) if shown else ""


def strip(app: Cockpit) -> str:
    shown = app.query_one("#strip").shown  # type: ignore[attr-defined]
    return plain(shown[0]) if shown else ""


def with_connect(connect: Callable[[bool], Any], clock: Clock | None = None) -> Cockpit:
    return Cockpit(Settings(state=Path("/x"), engine_cache=Path("/x")), connect, clock=clock or Clock())


async def test_it_says_that_it_starts_before_anything_is_known() -> None:
    app = cockpit()
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: "starting the lab…" in strip(app))
        assert "○ starting" in header(app)


async def test_silence_is_stale_and_says_for_how_long() -> None:
    clock, source = Clock(), FakeSource()
    app = cockpit(frames.calm(), source=source, clock=clock)
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: "● live" in header(app))
        clock.now = NOW + 5
        app.paint()
        await wait_for(pilot, lambda: "‖ stale 5 s" in header(app))
        assert app.screen.has_class("-old")
        source.say(Frame(seq=2, at=NOW + 5))
        await wait_for(pilot, lambda: "● live" in header(app))
        assert not app.screen.has_class("-old")


async def test_a_lost_daemon_leaves_the_screen_and_is_found_again() -> None:
    clock, first, second = Clock(), FakeSource(frames.calm().frame()), FakeSource()
    starts: list[bool] = []

    async def connect(start: bool) -> FakeSource:
        starts.append(start)
        return first if len(starts) == 1 else second

    app = with_connect(connect, clock)
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: "● live" in header(app))
        first.end(ConnectionResetError("connection reset"))
        await wait_for(pilot, lambda: "✗ lost 0 s" in header(app))
        clock.now = NOW + 4
        app.paint()
        await wait_for(pilot, lambda: "✗ lost 4 s" in header(app))
        assert "connection reset" in strip(app)
        assert app.query_one("#etcd", Pane).view.members  # type: ignore[union-attr]
        second.say(frames.calm().frame())
        await wait_for(pilot, lambda: "● live" in header(app))
        assert starts == [True, False]  # Whoever ended the daemon may have meant it: no other is started unasked.


async def test_a_daemon_that_broke_off_is_lost_and_a_key_starts_another() -> None:
    first, second = FakeSource(frames.calm().frame()), FakeSource(frames.choose().frame())
    starts: list[bool] = []

    async def connect(start: bool) -> FakeSource:
        starts.append(start)
        if len(starts) == 1:
            return first
        if not start:
            raise OSError("nobody listens")
        return second

    app = with_connect(connect)
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: "● live" in header(app))
        first.say(Bye(reason="the daemon is gone without a word", again=True))
        first.end()
        await wait_for(pilot, lambda: "✗ lost" in header(app) and len(starts) > 1)
        await pilot.press("a")
        await wait_for(pilot, lambda: app.board.rows(LabRow)[0].state == "choose")
        assert starts[-1] is True


async def test_a_goodbye_is_shown_and_kept_for_the_terminal() -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: "● live" in header(app))
        source.say(Bye(reason="another terminal halted the lab"))
        source.end()
        await wait_for(pilot, lambda: "✗ ended" in header(app))
        assert "another terminal halted the lab" in strip(app)
        await pilot.press("q")
        await wait_for(pilot, lambda: app.return_code is not None)
    assert app.farewell == "another terminal halted the lab"


async def test_a_daemon_that_can_not_start_says_why() -> None:
    async def connect(start: bool) -> FakeSource:
        raise RuntimeError("etcd: not found in PATH")

    app = with_connect(connect)
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: "etcd: not found in PATH" in strip(app))
        await pilot.press("q")
        await wait_for(pilot, lambda: app.return_code is not None)
    assert app.return_code == 1
    assert "etcd: not found in PATH" in app.farewell


async def test_a_refusal_is_told_as_it_is() -> None:
    source = FakeSource()
    source.refuse = "[b]busy[/b]: step 4/5"
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: "● live" in header(app))
        await pilot.press("n")
        await wait_for(pilot, lambda: any("[b]busy[/b]" in note.message for note in app._notifications))
        assert not next(iter(app._notifications)).markup


async def test_an_unchanged_board_paints_nothing() -> None:
    clock, source = Clock(), FakeSource()
    app = cockpit(frames.calm(), source=source, clock=clock)
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: "● live" in header(app))
        before = {pane.id: pane.painted for pane in app.query(Pane)}
        for number in range(5):
            clock.now += 0.5
            source.say(Frame(seq=number + 2, at=clock.now))
        heard = clock.now
        await wait_for(pilot, lambda: app.board.at == heard)
        app.paint()
        assert {pane.id: pane.painted for pane in app.query(Pane)} == before


async def test_only_the_pane_whose_rows_changed_is_painted() -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: "● live" in header(app))
        before = {pane.id: pane.painted for pane in app.query(Pane)}
        source.say(Frame(seq=2, at=NOW, rows=(frames.member("core-02", applied_index=1205, raft_index=1205),)))
        await wait_for(pilot, lambda: app.query_one("#etcd", Pane).painted > before["etcd"])
        after = {pane.id: pane.painted for pane in app.query(Pane)}
        assert {name for name in after if after[name] != before[name]} == {"etcd"}


async def test_the_story_follows_the_news_until_somebody_scrolls() -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    story = frames.story()
    step = msgspec.structs.replace(story.steps[3], status="running")
    running = msgspec.structs.replace(story, steps=(*story.steps[:3], step, story.steps[4]), busy="step 4/5")

    def line(number: int) -> Output:
        return Output(at=NOW, step=step.title, machine="core-01", stream="out", text=f"line {number}")

    async with app.run_test(size=SIZE) as pilot:
        pane = app.query_one("#story", Pane)
        await wait_for(pilot, lambda: bool(pane.shown))
        source.say(Frame(seq=2, at=NOW, story=running, output=tuple(line(number) for number in range(60))))
        await wait_for(pilot, lambda: pane.max_scroll_y > 40 and pane.scroll_y == pane.max_scroll_y)
        await pilot.press("pageup")
        await wait_for(pilot, lambda: pane.scroll_y < pane.max_scroll_y)
        await wait_for(pilot, lambda: not app.animator._animations)
        stays = pane.scroll_y
        source.say(Frame(seq=3, at=NOW, output=tuple(line(number) for number in range(60, 90))))
        await wait_for(pilot, lambda: "line 89" in " ".join(plain(each) for each in pane.shown))
        await pilot.pause()
        assert pane.scroll_y == stays


async def test_many_lines_cost_what_is_in_sight() -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        pane = app.query_one("#story", Pane)
        await wait_for(pilot, lambda: bool(pane.shown))
        *told, fourth, fifth = frames.story().steps
        running = msgspec.structs.replace(fourth, status="running")
        story = msgspec.structs.replace(frames.story(), steps=(*told, running, fifth))
        flood = tuple(
            Output(at=NOW, step=running.title, machine="core-01", stream="out", text=f"[red]x{number}[/red]")
            for number in range(3000)
        )
        source.say(Frame(seq=2, at=NOW, story=story, output=flood))
        await wait_for(pilot, lambda: any("[red]x2999[/red]" in plain(each) for each in pane.shown))
        assert len(pane.shown) < 600


async def test_resizing_while_it_runs() -> None:
    app = cockpit(frames.partition())
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: "● live" in header(app))
        for size in ((80, 24), (59, 15), (40, 10), (200, 60), (100, 30), (60, 16), SIZE):
            await pilot.resize_terminal(*size)
            await wait_for(pilot, lambda size=size: app.size == size)  # type: ignore[misc]
            small = size[0] < 60 or size[1] < 16
            await wait_for(pilot, lambda small=small: app.query_one("#too-small").display is small)  # type: ignore[misc]
        await wait_for(pilot, lambda: len([pane for pane in app.query(Pane) if pane.display]) == 6)


async def test_commands_wait_for_no_other_command() -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: "● live" in header(app))
        await pilot.press("n", "n")
        await wait_for(pilot, lambda: source.calls == [Next(), Next()])
