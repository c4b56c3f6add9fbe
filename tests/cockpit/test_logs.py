"""The log view: it follows, stands still, and is searched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from support import cockpit_frames as frames
from support.cockpit_app import Clock, FakeSource, cockpit, wait_for
from support.painted import title_of
from textual.containers import Vertical
from textual.pilot import Pilot
from textual.widgets import Input

from rwk_tui.cockpit.app import Cockpit
from rwk_tui.cockpit.panes.log_view import KEPT, LogView
from rwk_tui.cockpit.screens.logs import LogsScreen
from rwk_tui.cockpit.text import Span, plain
from rwk_tui.cockpit.views.log_search import hits, marked, nearest, places
from rwk_tui.daemon.protocol import LogLines
from rwk_tui.daemon.protocol import Logs as LogsCommand

LINES = tuple(f"line {n} " + ("raft: elected leader" if n % 50 == 7 else "applied") for n in range(200))


def test_capitals_count_only_where_some_are_typed() -> None:
    assert places("Leader, leader", "leader") == [0, 8]
    assert places("Leader, leader", "Leader") == [0]
    assert places("aaaa", "aa") == [0, 2] and places("x", "") == []


def test_what_is_found_is_marked_over_the_edges_of_spans_and_nothing_is_lost() -> None:
    parts = (Span("12:00 ", "muted"), Span("warn ", "warn"), Span("slow apply warned"))
    found = marked(parts, "warn", current=False)
    assert plain(found) == plain(parts)
    assert [span.text for span in found if span.tone == "key"] == ["warn", "warn"]
    assert [span.text for span in marked(parts, "n s", current=True) if span.tone == "cursor"] == ["n ", "s"]
    assert marked(parts, "nowhere", current=True) == parts


def test_hits_go_round() -> None:
    assert hits([(Span("a"),), (Span("b"),), (Span("xa"),)], "a") == [0, 2]
    assert [nearest([3, 9], at, down=True) for at in (0, 3, 4, 10)] == [0, 0, 1, 0]
    assert [nearest([3, 9], at, down=False) for at in (0, 3, 8, 10)] == [1, 0, 0, 1]
    assert nearest([], 4, down=True) == -1


class Logs:
    """The open log view with 200 lines of etcd on core-01."""

    def __init__(self, pilot: Pilot[None], source: FakeSource, screen: LogsScreen) -> None:
        self.pilot, self.source, self.screen = pilot, source, screen
        self.view = screen.query_one("#log", LogView)

    @property
    def title(self) -> str:
        return str(self.screen.query_one(".box", Vertical).border_title)

    @property
    def hint(self) -> str:
        return str(self.screen.query_one(".box", Vertical).border_subtitle)

    def say(self, *lines: str) -> None:
        self.source.say(LogLines(machine="core-01", unit="etcd", lines=lines))

    async def says(self, words: str) -> None:
        await wait_for(self.pilot, lambda: words in self.title)

    def in_sight(self) -> list[str]:
        top = round(self.view.scroll_y)
        return [plain(parts).rstrip() for parts in self.view.shown[top : top + self.view.room.height]]

    async def bottom(self, words: str) -> None:
        await wait_for(self.pilot, lambda: self.in_sight()[-1].startswith(words))


@asynccontextmanager
async def logs(size: tuple[int, int] = (120, 40)) -> AsyncIterator[Logs]:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=size) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        await pilot.press("l")
        await wait_for(pilot, lambda: isinstance(app.screen, LogsScreen))
        assert isinstance(app.screen, LogsScreen)
        open_logs = Logs(pilot, source, app.screen)
        open_logs.say(*LINES)
        await open_logs.says("core-01 etcd · 200 lines · following")
        yield open_logs


async def test_it_follows_and_stands_still_when_scrolled_up() -> None:
    async with logs() as log:
        await log.bottom("line 199")
        log.say("line 200")
        await log.bottom("line 200")
        log.view.focus()
        await log.pilot.press("pageup")
        await log.says("standing still")
        seen = log.in_sight()
        log.say("line 201", "line 202")
        await log.says("2 below")
        assert log.in_sight() == seen
        await log.pilot.press("end")
        await log.says("following")
        await log.bottom("line 202")


async def test_f_stands_still_and_follows() -> None:
    async with logs() as log:
        await log.pilot.press("f")
        await log.says("standing still")
        assert "f follows" in log.hint
        log.say("line 200")
        await log.says("1 below")
        await log.bottom("line 199")
        await log.pilot.press("f")
        await log.bottom("line 200")


async def test_a_word_is_found_while_it_is_typed_and_the_newest_first() -> None:
    async with logs() as log:
        await log.pilot.press("slash", *"elected")
        await log.says("“elected” 4 of 4 · standing still")
        assert any(line.startswith("line 157 ") for line in log.in_sight())
        await log.pilot.press("enter", "n")
        await log.says("3 of 4")
        await wait_for(log.pilot, lambda: any(line.startswith("line 107 ") for line in log.in_sight()))
        await log.pilot.press("N", "N")
        await log.says("1 of 4")
        log.say("line 200 raft: elected leader")
        await log.says("1 of 5")
        await log.pilot.press("escape")
        await log.says("201 lines · standing still")
        assert log.pilot.app.screen is log.screen and "/ search" in log.hint
        await log.pilot.press("escape")
        await wait_for(log.pilot, lambda: len(log.pilot.app.screen_stack) == 1)


async def test_what_is_found_in_the_last_line_stays_in_sight() -> None:
    async with logs() as log:
        await log.pilot.press("slash", *"line 3 ")
        await log.says("“line 3 ” 1 of 1")
        log.screen.query_one("#search", Input).value = "line 199"  # As pasted, not letter by letter.
        await log.says("“line 199” 1 of 1 · standing still")
        await log.bottom("line 199")
        seen = log.in_sight()
        log.say(*("more" for _ in range(60)))
        await log.says("60 below")
        assert log.in_sight() == seen


async def test_what_is_made_to_stand_still_does_so_at_once() -> None:
    async with logs() as log:
        await log.bottom("line 199")
        seen = log.in_sight()
        log.view.add(["one more"])
        log.view.toggle_follow()
        await log.says("standing still")
        await log.pilot.pause()
        assert log.in_sight() == seen


async def test_keys_that_mean_something_are_letters_while_a_word_is_typed() -> None:
    async with logs() as log:
        await log.pilot.press("slash", *"lfnq")
        await log.says("“lfnq” nowhere")
        assert log.screen.query_one("#search", Input).value == "lfnq"
        assert log.pilot.app.screen is log.screen


async def test_a_hit_far_right_comes_into_sight() -> None:
    async with logs((80, 24)) as log:
        log.say("x" * 300 + " needle " + "y" * 300)
        await log.says("201 lines")
        await log.pilot.press("slash", *"needle")
        await wait_for(log.pilot, lambda: any("needle" in line for line in log.in_sight()))


async def test_old_lines_go_and_what_was_found_stays_marked() -> None:
    async with logs() as log:
        await log.pilot.press("slash", *"elected", "enter")
        await log.says("4 of 4")
        seen = log.in_sight()
        log.say(*("more" for _ in range(KEPT - 200 + 100)))
        await log.says(f"{KEPT} lines")
        await log.says("“elected” 2 of 2")
        assert log.in_sight() == seen


class Back:
    """The open log view of a daemon that goes and comes back."""

    def __init__(self, pilot: Pilot[None], source: FakeSource, app: Cockpit, clock: Clock) -> None:
        self.pilot, self.source, self.app, self.clock = pilot, source, app, clock

    @property
    def asked(self) -> list[str]:
        return [f"{call.machine}/{call.unit}" for call in self.source.calls if isinstance(call, LogsCommand)]

    @property
    def title(self) -> str:
        return title_of(self.app)

    async def lose(self) -> None:
        self.clock.now += 2
        self.source.end(ConnectionResetError("connection reset"))
        await wait_for(self.pilot, lambda: self.title.startswith("✗ lost 0 s · Logs"))
        self.clock.now += 2

    async def find(self, scene: frames.Scene) -> None:
        self.source.say(scene.frame())
        await wait_for(self.pilot, lambda: self.app.contact.state == "live")


@asynccontextmanager
async def back(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Back]:
    monkeypatch.setattr("rwk_tui.cockpit.stream.RETRY", 0.01)
    source, clock = FakeSource(), Clock()
    app = cockpit(frames.calm(), source=source, clock=clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        await pilot.press("l", "down")
        log = Back(pilot, source, app, clock)
        await wait_for(pilot, lambda: log.asked == ["core-01/etcd", "core-02/etcd"])
        source.say(LogLines(machine="core-02", unit="etcd", lines=("one", "two")))
        await wait_for(pilot, lambda: log.title == "Logs · core-02 etcd · 2 lines · following")
        yield log


async def test_a_daemon_that_comes_back_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with back(monkeypatch) as log:
        await log.lose()
        assert log.title == "✗ lost 0 s · Logs · core-02 etcd · 2 lines"
        await log.find(frames.calm())
        await wait_for(log.pilot, lambda: log.asked[2:] == ["core-02/etcd"])
        log.source.say(LogLines(machine="core-02", unit="etcd", lines=("one", "two", "three")))
        await wait_for(log.pilot, lambda: log.title == "Logs · core-02 etcd · 3 lines · following")


async def test_a_lab_that_still_starts_is_asked_once_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    async with back(monkeypatch) as log:
        await log.lose()
        await log.pilot.press("up")
        await log.find(frames.calm().with_rows(frames.lab("starting")))
        await wait_for(log.pilot, lambda: not log.title.startswith("✗"))
        assert len(log.asked) == 2
        await log.find(frames.calm())
        await wait_for(log.pilot, lambda: log.asked[2:] == ["core-01/etcd"])


async def test_a_silent_daemon_is_no_live_log(monkeypatch: pytest.MonkeyPatch) -> None:
    async with back(monkeypatch) as log:
        log.clock.now += 9
        await wait_for(log.pilot, lambda: log.title == "‖ stale 9 s · Logs · core-02 etcd · 2 lines")
        await log.find(frames.calm())
        await wait_for(log.pilot, lambda: log.title.endswith("following"))
        assert len(log.asked) == 2
