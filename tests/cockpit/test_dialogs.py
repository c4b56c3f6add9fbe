"""What all dialogs share: what is behind them, and what becomes of keys that mean nothing in them."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from rich.segment import Segment
from rich.style import Style
from support import cockpit_frames as frames
from support.cockpit_app import Clock, FakeSource, cockpit, wait_for
from support.painted import title_of
from textual import events
from textual.color import Color
from textual.renderables.background_screen import BackgroundScreen

from rwk_tui.board.rows import ChapterRow
from rwk_tui.cockpit.panes.lines import Lines
from rwk_tui.cockpit.screens.backdrop import dimmed
from rwk_tui.cockpit.screens.dialog import Dialog
from rwk_tui.cockpit.text import plain

SIZE = (120, 40)


def test_the_veil_is_textuals_own() -> None:
    veil = Color(10, 20, 30, 0.6)
    for style in (Style(color="#ff0000", bgcolor="#00ff00", bold=True), Style(color="#ff0000"), Style(), None):
        theirs = next(iter(BackgroundScreen.process_segments([Segment("x", style)], veil)))
        assert dimmed(style, Style(), veil) == theirs.style


async def test_sheets_hide_what_is_behind_and_choosers_dim_it() -> None:
    app = cockpit(frames.calm())
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        for key, behind in (("question_mark", False), ("l", False), ("e", False), ("c", True), ("q", True)):
            await pilot.press(key)
            await wait_for(pilot, lambda: len(app.screen_stack) == 2)
            await pilot.pause(0.05)
            text = "".join(line.text for line in app.screen._compositor.render_strips())
            assert ("etcd · quorum" in text) == behind, key
            await pilot.press("escape")
            await wait_for(pilot, lambda: len(app.screen_stack) == 1)


async def test_a_key_typed_in_a_hurry_does_not_reach_what_the_next_one_uncovers() -> None:
    app = cockpit(frames.calm())
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        await pilot.press("R")
        await wait_for(pilot, lambda: len(app.screen_stack) == 2)
        app.post_message(events.Key("3", "3"))
        app.post_message(events.Key("R", "R"))
        await wait_for(pilot, lambda: len(app.screen_stack) == 1)
        await pilot.pause(0.05)
        assert not app._main.zoomed


@pytest.mark.parametrize("key", ["ctrl+c", "ctrl+q"])
async def test_it_closes_a_dialog(key: str) -> None:
    app = cockpit(frames.calm())
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        await pilot.press("question_mark")
        await wait_for(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.press(key)
        await wait_for(pilot, lambda: len(app.screen_stack) == 1)


async def test_refusals_do_not_pile_up() -> None:
    source = FakeSource()
    source.refuse = "busy: step 1/9"
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        for _ in range(5):
            await pilot.press("n")
        await wait_for(pilot, lambda: len(app._notifications) > 0)
        await pilot.pause(0.1)
        assert len(app._notifications) == 1


async def test_a_refusal_cannot_steer_the_terminal() -> None:
    source = FakeSource()
    source.refuse = "no \x1b[2J\x1b]0;title\x07[red]way[/red]"
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        await pilot.press("n")
        await wait_for(pilot, lambda: len(app._notifications) > 0)
        assert [note.message for note in app._notifications] == ["no [red]way[/red]"]


async def test_a_chapters_goal_cannot_steer_the_terminal() -> None:
    scene = frames.calm()
    goal = "\x1b[31mred\x1b[0m \x07bell"
    rows = {
        key: msgspec.structs.replace(row, goal=goal) if isinstance(row, ChapterRow) else row
        for key, row in scene.rows.items()
    }
    app = cockpit(replace(scene, rows=rows))
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        await pilot.press("c")

        def explained() -> str:
            return "".join(plain(line) for sheet in app.screen.query("#explain").results(Lines) for line in sheet.shown)

        await wait_for(pilot, lambda: "bell" in explained())
        assert "\x1b" not in explained()
        assert "\x07" not in explained()


@pytest.mark.parametrize("key", ["e", "question_mark", "v", "c", "f", "m"])
async def test_a_dialog_over_the_bars_says_when_the_lab_is_lost(key: str) -> None:
    source, clock = FakeSource(), Clock()
    app = cockpit(frames.reported(), source=source, clock=clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        await pilot.press(key)
        await wait_for(pilot, lambda: isinstance(app.screen, Dialog))
        await wait_for(pilot, lambda: title_of(app) != "" and "lost" not in title_of(app))
        shown = title_of(app)
        source.end(ConnectionResetError("connection reset"))
        await wait_for(pilot, lambda: title_of(app) == f"✗ lost 0 s · {shown}")
        clock.now += 5
        await wait_for(pilot, lambda: title_of(app) == f"✗ lost 5 s · {shown}")


async def test_a_question_leaves_the_bars_in_sight_and_its_title_alone() -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        await pilot.press("R")
        source.end(ConnectionResetError("connection reset"))
        await wait_for(pilot, lambda: "✗ lost" in plain(app.main.query_one("#header", Lines).shown[0]))
        assert title_of(app) == "Reset the lab?"
