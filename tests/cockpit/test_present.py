"""Present mode: its keys, its timer, the echo of keys, and what it marks as changed."""

from __future__ import annotations

from typing import Any

import pytest
from support import cockpit_frames as frames
from support import cockpit_kube_frames as kube_frames
from support.cockpit_app import Clock, FakeSource, cockpit, wait_for
from support.cockpit_frames import NOW

from rwk_tui.cockpit.app import Cockpit
from rwk_tui.cockpit.changes import FRESH
from rwk_tui.cockpit.panes.figure import Figure
from rwk_tui.cockpit.screens.chooser import Chooser
from rwk_tui.cockpit.screens.main import MainScreen
from rwk_tui.cockpit.screens.present import PresentScreen
from rwk_tui.cockpit.text import plain
from rwk_tui.daemon.protocol import AnyCommand, Back, Heal, Next

SIZE = (120, 40)


def text(app: Cockpit, name: str) -> str:
    """What a part of the screen says, with single blanks."""
    lines: Any = app.screen.query_one(f"#{name}")
    return " ".join(" ".join(plain(each) for each in lines.shown).split())


async def present(pilot: Any, app: Cockpit) -> None:
    """Turn present mode on once the scene is there."""
    await wait_for(pilot, lambda: app.board.at > 0)
    await pilot.press("p")
    await wait_for(pilot, lambda: isinstance(app.screen, PresentScreen) and bool(text(app, "narration")))


async def test_it_is_there_at_once_and_not_with_the_next_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cockpit, "_each_second", lambda app: None)
    app = cockpit(frames.calm())
    async with app.run_test(size=SIZE) as pilot:
        await present(pilot, app)
        assert text(app, "narration")


@pytest.mark.parametrize("leave", ["p", "escape"])
async def test_it_is_turned_on_and_off(leave: str) -> None:
    app = cockpit(frames.calm())
    async with app.run_test(size=SIZE) as pilot:
        for _ in range(2):
            await present(pilot, app)
            await pilot.press(leave)
            await wait_for(pilot, lambda: isinstance(app.screen, MainScreen))


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)])
async def test_narration_state_writes_news_and_faults_are_in_sight(size: tuple[int, int]) -> None:
    app = cockpit(frames.partition())
    words = (
        "03-etcd-clustering 4/5",
        "Add core-03 as a learner ○ next",
        "A learner receives the log but has no vote.",
        "core-02",
        "etcd writes",
        "★ core-02 was elected in term 8",
        "partition core-01",
        "talk 0:00",
    )

    def missing() -> list[str]:
        seen = " ".join(" ".join(strip.text for strip in app.screen._compositor.render_strips()).split())
        return [each for each in words if each not in seen]

    async with app.run_test(size=size) as pilot:
        await present(pilot, app)
        await wait_for(pilot, lambda: not missing())


async def test_figures_need_a_high_terminal_and_one_line_stands_in_for_them() -> None:
    app = cockpit(frames.calm())
    async with app.run_test(size=SIZE) as pilot:
        await present(pilot, app)
        figures, state = app.screen.query_one("#figures"), app.screen.query_one("#state")
        assert (figures.display, state.display) == (True, False)
        await pilot.resize_terminal(80, 24)
        await wait_for(pilot, lambda: (figures.display, state.display) == (False, True))
        assert "★ core-01 term 7" in text(app, "state")


DRIVING: list[tuple[str, AnyCommand, str]] = [
    ("n", Next(), "n next"),
    ("space", Next(), "Space next"),
    ("b", Back(), "b back"),
    ("h", Heal(), "h heal"),
]


@pytest.mark.parametrize(("key", "command", "echo"), DRIVING)
async def test_keys_work_and_are_echoed(key: str, command: AnyCommand, echo: str) -> None:
    source = FakeSource()
    app = cockpit(frames.partition(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await present(pilot, app)
        await pilot.press(key)
        await wait_for(pilot, lambda: source.calls == [command])
        await wait_for(pilot, lambda: text(app, "echo") == f"p present {echo}")


async def test_the_echo_keeps_the_last_keys_for_a_while_and_none_that_did_nothing() -> None:
    clock, source = Clock(), FakeSource()
    app = cockpit(frames.calm(), source=source, clock=clock)
    async with app.run_test(size=SIZE) as pilot:
        await present(pilot, app)
        await pilot.press("h", "b", "r", "n")  # There is nothing to heal.
        await wait_for(pilot, lambda: text(app, "echo") == "b back r repeat n next")
        clock.now = NOW + 60
        app.paint()
        await wait_for(pilot, lambda: text(app, "echo") == "")


async def test_dialogs_open_over_it_and_leave_it_open() -> None:
    app = cockpit(frames.calm())
    async with app.run_test(size=SIZE) as pilot:
        await present(pilot, app)
        for key in "cf":
            await pilot.press(key)
            await wait_for(pilot, lambda: isinstance(app.screen, Chooser))
            await pilot.press("escape")
            await wait_for(pilot, lambda: isinstance(app.screen, PresentScreen))


async def test_a_digit_goes_to_that_pane() -> None:
    app = cockpit(frames.calm())
    async with app.run_test(size=SIZE) as pilot:
        await present(pilot, app)
        await pilot.press("2")
        await wait_for(pilot, lambda: isinstance(app.screen, MainScreen) and app.main.zoomed)
        assert app.main.active == "etcd"


async def test_the_timer_goes_on_while_present_mode_is_off() -> None:
    clock = Clock()
    app = cockpit(frames.calm(), clock=clock)
    async with app.run_test(size=SIZE) as pilot:
        clock.now = NOW + 50
        await present(pilot, app)
        assert "talk 0:00" in text(app, "top")
        clock.now = NOW + 115
        app.paint()
        await wait_for(pilot, lambda: "talk 1:05" in text(app, "top"))
        await pilot.press("p")
        await wait_for(pilot, lambda: isinstance(app.screen, MainScreen))
        clock.now = NOW + 175
        await present(pilot, app)
        assert "talk 2:05" in text(app, "top")


async def test_what_changes_is_marked_for_a_moment() -> None:
    clock, source = Clock(), FakeSource()
    app = cockpit(frames.calm(), source=source, clock=clock)
    async with app.run_test(size=SIZE) as pilot:
        await present(pilot, app)
        leader = app.screen.query_one("#leader")
        assert text(app, "leader-label") == "★ leader core-01"
        assert not leader.has_class("-changed")
        source.say(frames.partition().frame(seq=2))
        await wait_for(pilot, lambda: text(app, "leader-label") == "▸ ★ new leader core-02")
        assert leader.has_class("-changed")
        assert text(app, "news").startswith("▸")
        assert not text(app, "narration").count("▸"), "the step is the same"
        clock.now = NOW + FRESH
        app.paint()
        await wait_for(pilot, lambda: text(app, "leader-label") == "★ leader core-02")
        assert not leader.has_class("-changed")
        assert not text(app, "news").startswith("▸")


async def test_what_is_old_is_said_to_be_old() -> None:
    clock = Clock()
    app = cockpit(frames.calm(), clock=clock)
    async with app.run_test(size=SIZE) as pilot:
        await present(pilot, app)
        clock.now = NOW + 7
        app.paint()
        await wait_for(pilot, lambda: "‖ stale 7 s" in text(app, "top"))
        assert "nothing heard for 7 s" in text(app, "strip")
        assert app.screen.has_class("-old")


async def test_memory_is_tidied_in_present_mode_but_not_while_a_dialog_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    app = cockpit(frames.calm())
    tidied: list[str] = []
    async with app.run_test(size=SIZE) as pilot:
        await present(pilot, app)
        monkeypatch.setattr(app._memory, "tidy", lambda: tidied.append(type(app.screen).__name__))
        app._each_second()
        await pilot.press("c")
        await wait_for(pilot, lambda: isinstance(app.screen, Chooser))
        app._each_second()
        assert set(tidied) == {"PresentScreen"}


async def test_a_violation_is_as_loud_as_on_the_main_screen() -> None:
    app = cockpit(frames.reported())
    async with app.run_test(size=SIZE) as pilot:
        await present(pilot, app)
        await wait_for(pilot, lambda: "✗ 1 violated · v" in text(app, "top"))


async def test_nodes_and_pods_take_the_place_of_the_quorum() -> None:
    source = FakeSource(frames.calm().frame())
    app = cockpit(source=source)

    def seen() -> list[str]:
        return [figure.id or "" for figure in app.screen.query(Figure) if figure.display]

    async with app.run_test(size=SIZE) as pilot:
        await present(pilot, app)
        assert seen() == ["leader", "term", "quorum", "gap"]
        source.say(kube_frames.worker_lost().frame(seq=2))
        await wait_for(pilot, lambda: seen() == ["leader", "term", "nodes", "pods", "gap"])
