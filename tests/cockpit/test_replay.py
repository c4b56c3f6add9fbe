"""A recording in the cockpit: wound by keys, told by its own time, never taken for a live lab."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from support.cockpit_app import Clock, cockpit, wait_for
from support.cockpit_pictures import SNAP, same_everywhere, still
from support.painted import texts_in

from rwk_tui.board.board import Board
from rwk_tui.board.rows import MachineRow
from rwk_tui.cockpit.app import Cockpit
from rwk_tui.cockpit.panes.pane import Bar
from rwk_tui.cockpit.panes.tones import tone_styles
from rwk_tui.cockpit.screens.dialog import Dialog
from rwk_tui.cockpit.screens.events import EventsScreen
from rwk_tui.cockpit.screens.help import HelpScreen, help_lines
from rwk_tui.cockpit.screens.present import PresentScreen
from rwk_tui.cockpit.source import to_fixed
from rwk_tui.cockpit.text import plain
from rwk_tui.tape.player import Player
from rwk_tui.tape.read import Tape
from rwk_tui.tape.source import ReplaySource

CUT = Path(__file__).parent.parent / "tapes" / "leader-power-cut.jsonl"
SIZES = [(120, 40), (80, 24), (60, 16)]


class Hand:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def opened(path: Path = CUT, wall: Callable[[], float] = time.time) -> tuple[Cockpit, ReplaySource, Hand]:
    hand = Hand()
    source = ReplaySource(path, clock=hand)
    return Cockpit(cockpit().settings, to_fixed(source), replay=source, clock=wall), source, hand


@asynccontextmanager
async def replay(size: tuple[int, int] = (120, 40)) -> AsyncIterator[tuple[Any, Cockpit, ReplaySource, Hand]]:
    app, source, hand = opened()
    async with app.run_test(size=size) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0 and not source.position.reading)
        yield pilot, app, source, hand


def text(app: Cockpit, name: str) -> str:
    shown = app.main.query_one(f"#{name}").shown  # type: ignore[attr-defined]
    return "\n".join(plain(parts) for parts in shown)


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_nobody_takes_it_for_a_live_lab(size: tuple[int, int]) -> None:
    async with replay(size) as (pilot, app, _, _):
        await wait_for(pilot, lambda: "REPLAY" in text(app, "replay"))
        assert "REPLAY" in text(app, "header")
        assert "REPLAY" in text(app, "strip")
        assert "live" not in text(app, "header")
        assert app.main.query_one("#replay").display


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("keys", [("e",), ("question_mark",), ("1", "i")], ids=str)
async def test_a_dialog_over_the_bars_says_that_it_is_a_recording(keys: tuple[str, ...], size: tuple[int, int]) -> None:
    async with replay(size) as (pilot, app, _, _):
        await pilot.press(*keys)
        await wait_for(pilot, lambda: isinstance(app.screen, Dialog))
        ground = tone_styles(app.current_theme, faded=False)["replay"].bgcolor
        assert ground is not None and ground.triplet is not None
        mark = (" REPLAY ", ground.triplet.hex)
        await wait_for(pilot, lambda: any((text, on) == mark for text, _, on in texts_in(app)))


async def test_keys_wind_the_tape() -> None:
    async with replay() as (pilot, app, source, hand):
        length = source.position.length
        await pilot.press("right")
        assert source.position.at == 10.0
        await pilot.press("left")
        assert source.position.at == 0.0
        await pilot.press("end")
        assert (source.position.at, source.position.state) == (length, "ended")
        await wait_for(pilot, lambda: "■ at its end" in text(app, "replay"))
        await pilot.press("home")
        assert source.position.at == 0.0
        await pilot.press("plus", "plus")
        assert source.position.speed == 5.0
        await pilot.press("minus", "equals_sign")
        hand.now += 1.0
        assert source.position.at == 5.0
        await pilot.press("space")
        assert source.position.state == "paused"
        await wait_for(pilot, lambda: "‖ paused" in text(app, "replay"))
        await pilot.press("shift+right")
        after = source.position.at
        assert after > 5.0
        await pilot.press("shift+left")
        assert source.position.at < after


async def test_keys_of_a_lab_do_nothing_and_are_not_offered() -> None:
    async with replay() as (pilot, app, source, _):
        await pilot.press(*"nbrsxcfhHmlRadg")
        assert app.screen is app.main
        assert app.is_running
        footer = text(app, "footer")
        assert "Space pause" in footer and "← -10 s" in footer and "? help" in footer and "q quit" in footer
        assert "fault" not in footer and "heal" not in footer
        assert source.position.at == 0.0


async def test_a_dialog_has_its_own_keys() -> None:
    async with replay() as (pilot, app, source, _):
        await pilot.press("e")
        await wait_for(pilot, lambda: isinstance(app.screen, EventsScreen))
        await pilot.press("space", "end", "right")
        assert (source.position.at, source.position.state) == (0.0, "playing")
        await pilot.press("escape", "right")
        assert source.position.at == 10.0


@pytest.mark.parametrize("way_out", ["q", "ctrl+q", "ctrl+c"])
async def test_present_mode_is_no_dialog_its_keys_wind_the_tape_and_lead_out(way_out: str) -> None:
    async with replay() as (pilot, app, source, _):
        await pilot.press("p")
        await wait_for(pilot, lambda: isinstance(app.screen, PresentScreen))
        await pilot.press("right", "plus", "space")
        assert (source.position.at, source.position.speed, source.position.state) == (10.0, 2.0, "paused")
        await pilot.press("f2", *"faster", "enter")
        await wait_for(pilot, lambda: source.position.speed == 5.0)
        await pilot.press(way_out)
        await wait_for(pilot, lambda: not app.is_running)
        assert app.return_code == 0


async def test_who_talks_over_a_recording_is_timed_by_the_wall() -> None:
    wall = Clock(1000.0)
    app, source, _ = opened(wall=wall)

    def said(name: str) -> str:
        return " ".join(plain(parts) for parts in app.screen.query_one(f"#{name}", Bar).shown)

    async with app.run_test(size=(120, 40)) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0 and not source.position.reading)
        await pilot.press("p")
        await wait_for(pilot, lambda: isinstance(app.screen, PresentScreen) and "talk 0:00" in said("top"))
        app.wind(Player.end)
        await wait_for(pilot, lambda: app.board.at > source.now() - 1.0)
        assert source.position.at > 10.0
        assert "talk 0:00" in said("top") and "present" in said("echo")
        wall.now += 65.0
        await wait_for(pilot, lambda: "talk 1:05" in said("top") and "present" not in said("echo"))


async def test_q_leaves_at_once() -> None:
    async with replay() as (pilot, app, _, _):
        await pilot.press("q")
        await wait_for(pilot, lambda: not app.is_running)
        assert app.return_code == 0


async def test_ages_are_counted_by_the_time_of_the_run() -> None:
    async with replay() as (pilot, app, source, hand):
        await pilot.press("space")
        source.wind(lambda player: player.seek(6.0))
        await wait_for(pilot, lambda: "power cut" in text(app, "machines"))
        before = text(app, "machines")
        hand.now += 100_000
        app.paint()
        assert text(app, "machines") == before
        off = next(line for line in before.splitlines() if "power cut" in line)
        assert int(off.split("power cut")[1].split("s")[0]) < 6


async def test_played_to_its_end_it_shows_the_last_board_of_the_run() -> None:
    board = Board()
    for frame in Tape(CUT):
        board.apply(frame)
    async with replay() as (pilot, app, source, hand):
        source.wind(Player.faster)
        while source.position.state != "ended":
            hand.now += 1.0
            source.wind(lambda player: None)
            await pilot.pause()
        await wait_for(pilot, lambda: app.board.at == board.at)
        assert sorted(map(repr, app.board.all())) == sorted(map(repr, board.all()))
        assert list(app.board.events) == list(board.events)


async def test_help_tells_the_keys_of_a_replay_and_no_others() -> None:
    async with replay() as (pilot, app, _, _):
        await pilot.press("question_mark")
        await wait_for(pilot, lambda: isinstance(app.screen, HelpScreen))
    told = "\n".join(plain(parts) for parts in help_lines("etcd", 100, replay=True))
    assert "Space" in told and "Shift+→" in told and "Leave the replay" in told
    assert "Run the shown step" not in told and "Halt the lab" not in told
    assert "Leave the replay" not in "\n".join(plain(parts) for parts in help_lines("etcd", 100))


@pytest.mark.usefixtures(same_everywhere.__name__)
@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
def test_paused_after_the_power_cut(snap_compare: SNAP, size: tuple[int, int]) -> None:
    app, source, _ = opened()

    async def run(pilot: Any) -> None:
        await still(app)(pilot)
        await wait_for(pilot, lambda: not source.position.reading)
        await pilot.press("space")
        source.wind(lambda player: player.seek(6.0))
        await wait_for(pilot, lambda: any(row.power == "off" for row in app.board.rows(MachineRow)))
        app.paint()
        await pilot.pause()
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=run)


@pytest.mark.usefixtures(same_everywhere.__name__)
def test_help_of_a_replay(snap_compare: SNAP) -> None:
    app, source, _ = opened()

    async def run(pilot: Any) -> None:
        await wait_for(pilot, lambda: not source.position.reading)
        await pilot.press("space")
        await still(app, "question_mark")(pilot)

    assert snap_compare(app, terminal_size=(120, 40), run_before=run)
