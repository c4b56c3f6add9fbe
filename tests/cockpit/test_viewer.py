"""A view of the lab: it shows everything, and neither a key nor the mouse nor the palette changes anything."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import cockpit_frames as frames
from support.cockpit_app import Clock, FakeSource, cockpit, wait_for
from support.cockpit_frames import NOW, Scene

from rwk_tui.board.board import Board
from rwk_tui.cockpit.actions import ACTIONS, LOOKING, actions_in, valid_ids
from rwk_tui.cockpit.app import Cockpit
from rwk_tui.cockpit.contact import STALE_AFTER, Contact
from rwk_tui.cockpit.keymap import USUAL
from rwk_tui.cockpit.palette import palette_commands
from rwk_tui.cockpit.screens.help import help_lines
from rwk_tui.cockpit.screens.logs import LogsScreen
from rwk_tui.cockpit.situation import situation_of
from rwk_tui.cockpit.text import plain
from rwk_tui.cockpit.views import bars
from rwk_tui.daemon.protocol import Bye, Heal, LogLines, Logs, Next, Quit, Reset
from rwk_tui.settings import Settings

SIZE = (120, 40)
VIEWING = Contact("viewing", NOW, NOW, viewer=True)
HARMLESS = {"cards", "logs", "details", "events", "present", "theme", "palette", "help", "close"} | {
    f"pane-{name}" for name in ("machines", "etcd", "kubernetes", "availability", "story", "timeline")
}
"""All that a view offers. Whoever adds an action decides here whether strangers in browsers may have it."""
SCENES: dict[str, Callable[[], Scene]] = {
    "calm": frames.calm,
    "partition": frames.partition,
    "no quorum": frames.no_quorum,
    "reported": frames.reported,
    "choose": frames.choose,
}


def board_of(scene: Scene) -> Board:
    board = Board()
    board.apply(scene.frame())
    return board


@asynccontextmanager
async def view(scene: Scene | None = None) -> AsyncIterator[tuple[Any, Cockpit, FakeSource]]:
    source = FakeSource()
    app = cockpit(scene or frames.partition(), source=source, viewer=True)
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0 and bool(app.query_one("#story").shown))  # type: ignore[attr-defined]
        yield pilot, app, source


def text(app: Cockpit, name: str) -> str:
    shown = app.main.query_one(f"#{name}").shown  # type: ignore[attr-defined]
    return "\n".join(plain(parts) for parts in shown)


def test_a_view_is_live_but_talks_to_nobody() -> None:
    heard = Contact(viewer=True).heard_at(NOW, tape=False)
    assert (heard.state, heard.talks, heard.is_live(NOW)) == ("viewing", False, True)
    late = NOW + STALE_AFTER + 1
    assert heard.silent_for(late) and not heard.is_live(late)
    for gone in (heard.lost_at(late, "why"), heard.ended_at(late, "why")):
        assert gone.viewer and not gone.talks and not gone.is_live(late)
        assert gone.heard_at(late, tape=False).state == "viewing"


@pytest.mark.parametrize("scene", SCENES)
def test_only_what_changes_nothing_is_valid(scene: str) -> None:
    now = situation_of(board_of(SCENES[scene]()), VIEWING)
    assert now.viewer and not now.talks
    assert valid_ids(now) <= HARMLESS
    assert {action.id for action in actions_in(replay=False, viewer=True)} == HARMLESS
    assert valid_ids(LOOKING) == HARMLESS


@pytest.mark.parametrize("state", ["starting", "lost", "ended"])
def test_without_a_lab_there_is_no_log_and_nothing_is_started(state: Any) -> None:
    ids = valid_ids(situation_of(board_of(frames.partition()), Contact(state, NOW, NOW, viewer=True)))
    assert "again" not in ids and "quit" not in ids
    assert "close" in ids
    assert ("logs" in ids) == (state == "starting")  # Then no unit is known yet.


def test_palette_and_help_offer_the_same() -> None:
    board = board_of(frames.reported())
    now = situation_of(board, VIEWING)
    nothing: Callable[[str], None] = print
    titles = {
        title.partition(" (")[0] for title, _, _ in palette_commands(board, now, nothing, nothing, nothing, USUAL)
    }
    assert titles == {action.label for action in ACTIONS if action.id in HARMLESS - {"palette"}}
    told = "\n".join(plain(parts) for parts in help_lines("story", 200, viewer=True))
    assert [action.id for action in ACTIONS if action.tooltip in told] == [a.id for a in ACTIONS if a.id in HARMLESS]


async def test_it_says_that_it_is_a_view() -> None:
    async with view(frames.calm()) as (pilot, app, _):
        await wait_for(pilot, lambda: "VIEW ● live" in text(app, "header"))
        assert "read only" in text(app, "header")
        assert "no key changes it" in text(app, "strip") and text(app, "strip").endswith("VIEW")
        assert "close" in text(app, "footer")
        for offered in ("next", "fault", "heal", "chapters", "quit", "skip", "reset"):
            assert offered not in text(app, "footer")


async def test_no_hint_names_a_key_that_does_nothing() -> None:
    async with view(frames.partition()) as (pilot, app, _):
        await wait_for(pilot, lambda: "fault" in text(app, "strip"))
        assert "heals" not in text(app, "strip")
        assert text(app, "strip").endswith("VIEW, read only")
    closed = replace(frames.calm(), story=type(frames.calm().story)())
    async with view(closed) as (pilot, app, _):
        await wait_for(pilot, lambda: "no chapter is open" in text(app, "story"))
        await pilot.press("p")
        await wait_for(pilot, lambda: len(app.screen_stack) == 2)
        assert "Press c" not in " ".join(plain(parts) for parts in app.screen.query_one("#narration").shown)  # type: ignore[attr-defined]


@pytest.mark.parametrize("scene", ["partition", "reported", "choose"])
async def test_every_key_is_pressed_and_nothing_is_sent(scene: str) -> None:
    async with view(SCENES[scene]()) as (pilot, app, source):
        keys = {key for action in ACTIONS for key in action.keys if action.id not in HARMLESS - {"close"}}
        keys -= {"q", "ctrl+q", "ctrl+c"}
        for key in (*sorted(keys), "y", "exclamation_mark", "slash", "enter", "ctrl+z", "ctrl+d"):
            await pilot.press(key)
            if len(app.screen_stack) > 1:
                await pilot.press("escape")
        await pilot.pause()
        assert source.calls == []
        assert len(app.screen_stack) == 1
        assert not app._exit


async def test_the_mouse_finds_nothing_to_press() -> None:
    async with view(frames.partition()) as (pilot, app, source):
        for row in (*range(0, SIZE[1], 3), 37, 38, 39):
            for column in range(2, 116, 19):
                await pilot.click(offset=(column, row))
                while len(app.screen_stack) > 1:
                    await pilot.press("escape")
        await pilot.pause()
        assert {type(call) for call in source.calls} <= {Logs}
        assert not app._exit


async def test_what_gets_past_the_keys_is_not_sent() -> None:
    async with view() as (pilot, app, source):
        for command in (Next(), Heal(), Reset(), Quit(halt=True)):
            app.send(command)
        for id in ("next", "reset", "quit", "faults", "machines", "detach", "again"):
            app.action_act(id)
        await pilot.pause()
        assert source.calls == []
        assert len(app.screen_stack) == 1


async def test_logs_can_be_read() -> None:
    async with view(frames.calm()) as (pilot, app, source):
        await pilot.press("l")
        await wait_for(pilot, lambda: isinstance(app.screen, LogsScreen) and bool(source.calls))
        first = source.calls[0]
        assert isinstance(first, Logs) and first.unit
        source.say(LogLines(machine=first.machine, unit=first.unit, lines=("a line of the unit",)))
        log: Any = app.screen.query_one("#log")
        await wait_for(pilot, lambda: any("a line of the unit" in plain(parts) for parts in log.shown))
        await pilot.press("escape")
        await wait_for(pilot, lambda: source.calls[-1] == Logs())


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_leaving_closes_only_the_view(key: str) -> None:
    async with view() as (pilot, app, source):
        await pilot.press(key)
        await wait_for(pilot, lambda: app._exit)
        assert source.calls == []
        assert app.return_code == 0


async def test_a_view_waits_for_a_lab_and_finds_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rwk_tui.cockpit.stream.RETRY", 0.01)
    sources: list[FakeSource] = []

    async def connect(start: bool) -> FakeSource:
        assert not start, "a view never starts a lab"
        if not sources:
            raise OSError("no lab is running")
        return sources.pop(0)

    app = Cockpit(cockpit().settings, connect, clock=Clock(), viewer=True)
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: "no lab is running; waiting for a lab" in text(app, "strip"))
        await pilot.press("a")
        for again in (False, True):
            source = FakeSource(frames.calm().frame())
            sources.append(source)
            await wait_for(pilot, lambda: "VIEW ● live" in text(app, "header"))
            source.say(Bye(reason="the talk is over", again=again))
            source.end()
            await wait_for(pilot, lambda: "the talk is over" in text(app, "strip"))
            assert "starts it again" not in text(app, "strip")


def test_its_strip_can_be_read_without_a_lab() -> None:
    for state, words in (("starting", "looking for the lab"), ("lost", "waiting"), ("ended", "waiting")):
        strip = bars.strip_view(Board(), Contact(state, NOW, NOW, viewer=True), NOW)  # type: ignore[arg-type]
        assert words in strip.text and strip.hint == "VIEW" and not strip.acts


def test_nothing_is_remembered_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rwk_tui.cockpit import app as cockpit_app
    from rwk_tui.cockpit.memory import Memory
    from rwk_tui.cockpit.run import run_view

    given: dict[str, object] = {}

    class Seen:
        """Stands in for a cockpit, and leaves at once."""

        return_code = 0

        def __init__(self, *arguments: object, **more: object) -> None:
            given.update(more)

        def run(self) -> None:
            """Show nothing."""

    monkeypatch.setattr(Memory, "hold", lambda self: None)  # This process is not the view's.
    monkeypatch.setattr(cockpit_app, "Cockpit", Seen)
    state = tmp_path / "state"
    state.mkdir()
    assert run_view(Settings(state=state, engine_cache=tmp_path)) == 0
    assert given["viewer"] is True and not given.get("greets")
    assert list(state.iterdir()) == []
