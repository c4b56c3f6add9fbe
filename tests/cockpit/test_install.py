"""Engines that are missing: chapters say so, the offer is made, its progress shown, its end told."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from support.cockpit_app import FakeSource, cockpit, wait_for
from support.cockpit_frames import CHAPTERS, NOW, Scene, calm
from support.cockpit_kube_frames import WORKERS, engine, healthy, install_failed, installing, not_installed

from rwk_tui.board.frames import Frame
from rwk_tui.cockpit.app import Cockpit
from rwk_tui.cockpit.panes.lines import Lines
from rwk_tui.cockpit.screens.ask import Ask
from rwk_tui.cockpit.text import plain
from rwk_tui.daemon.protocol import Install, Next, Open

SIZE = (120, 40)


def text(app: Cockpit, where: str) -> str:
    found = next(iter(app.screen.query(where).results(Lines)), None)
    return " ".join(" ".join(plain(each).split()) for each in found.shown) if found is not None else ""


async def begun(pilot: Any, app: Cockpit) -> None:
    await wait_for(pilot, lambda: app.board.at > 0 and bool(text(app, "#kubernetes")))


async def test_a_chapter_that_needs_more_says_so_and_choosing_it_makes_the_offer() -> None:
    source = FakeSource()
    app = cockpit(not_installed(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await begun(pilot, app)
        await pilot.press("c", "end")
        await wait_for(pilot, lambda: "needs kubernetes-1.37, not installed" in text(app, "#explain"))
        assert "12-worker-failure ○ not installed" in text(app, "#left")
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, Ask) and app.screen.id == "install")
        await wait_for(pilot, lambda: "about 14 min, 450 MB; the etcd chapters stay usable" in text(app, "#question"))
        assert "12-worker-failure needs kubernetes-1.37, which is not installed." in text(app, "#question")
        await pilot.press("g")
        await wait_for(pilot, lambda: source.calls == [Install(engines=("kubernetes-1.37",))])
        assert len(app.screen_stack) == 1


async def test_the_offer_can_wait() -> None:
    source = FakeSource()
    app = cockpit(not_installed(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await begun(pilot, app)
        for later in ("l", "escape"):
            await pilot.press("c", "end", "right", "enter")
            await wait_for(pilot, lambda: isinstance(app.screen, Ask))
            await pilot.press(later)
            await wait_for(pilot, lambda: len(app.screen_stack) == 1)
        await pilot.press("c", "home", "enter")  # The others stay usable.
        await wait_for(pilot, lambda: source.calls == [Open(chapter="01-hosts", step=0)])


async def test_g_offers_it_at_any_time_and_only_then() -> None:
    source = FakeSource()
    app = cockpit(not_installed(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await begun(pilot, app)
        assert "not installed: kubernetes-1.37 · g gets it" in text(app, "#kubernetes")
        await pilot.press("g", "g")
        await wait_for(pilot, lambda: source.calls == [Install(engines=("kubernetes-1.37",))])
        source.say(calm().with_rows(engine("kubernetes-1.37", "ready")).frame(2))
        await wait_for(pilot, lambda: "waits for" in text(app, "#kubernetes"))
        await pilot.press("g", "n")
        await wait_for(pilot, lambda: source.calls[1:] == [Next()])


async def test_the_mouse_makes_the_offer_too_and_it_says_what_is_to_be_known() -> None:
    room = engine("kubernetes-1.37", text="Building it needs 8 GB of disk.")
    app = cockpit(not_installed().with_rows(room))
    async with app.run_test(size=SIZE) as pilot:
        await begun(pilot, app)
        line = plain(next(iter(app.screen.query("#kubernetes").results(Lines))).shown[0])
        await pilot.click("#kubernetes", offset=(line.index(" g ") + 3, 1))
        await wait_for(pilot, lambda: isinstance(app.screen, Ask))
        await wait_for(pilot, lambda: "Building it needs 8 GB of disk." in text(app, "#question"))


async def test_progress_is_a_bar_and_x_breaks_it_off() -> None:
    source = FakeSource()
    app = cockpit(installing(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await begun(pilot, app)
        shown = text(app, "#kubernetes")
        assert shown.startswith("△ installing kubernetes-1.37 ▇▇▇▇▇▇▇▇▁▁▁▁▁▁▁▁▁▁▁▁ 42 % · about 8 min left")
        assert "42 % · about 8 min left" in text(app, "#strip")
        await pilot.press("g", "g", "l")  # The key that began it does not end it.
        assert source.calls == []
        await pilot.press("g", "x")
        await wait_for(pilot, lambda: source.calls == [Install(stop=True)])


async def test_its_end_is_told_wherever_one_looks() -> None:
    source = FakeSource()
    app = cockpit(installing(), source=source)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await begun(pilot, app)
        source.say(Frame(seq=2, at=NOW, rows=(engine("kubernetes-1.37", "ready"),)))
        await wait_for(
            pilot, lambda: [note.message for note in app._notifications] == ["kubernetes-1.37 is installed."]
        )


async def test_a_failure_is_one_line_and_can_be_tried_again() -> None:
    source = FakeSource()
    app = cockpit(installing(), source=source)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await begun(pilot, app)
        source.say(install_failed().frame(2))
        await wait_for(pilot, lambda: len(app._notifications) == 1)
        assert "no space left on the disk: 8 GB needed. Press g" in next(iter(app._notifications)).message
        assert "✗ kubernetes-1.37 not installed: no space left on the disk" in text(app, "#kubernetes")
        await pilot.press("g", "g")
        await wait_for(pilot, lambda: source.calls == [Install(engines=("kubernetes-1.37",))])


async def test_an_install_beside_a_running_kubernetes_hides_none_of_it() -> None:
    going = engine("kubernetes-1.36", "installing", done=0.1)
    app = cockpit(healthy().with_rows(going))
    async with app.run_test(size=SIZE) as pilot:
        await begun(pilot, app)
        shown = text(app, "#kubernetes")
        assert shown.startswith("△ installing kubernetes-1.36")
        assert "core-02 ● ready" in shown


def on_an_old_etcd() -> Scene:
    """The first chapter can be told, but there is a better etcd for it."""
    hosts = replace(CHAPTERS[0], better=("etcd-3.7",))
    return calm().with_rows(hosts, WORKERS, engine("etcd-3.7"), engine("kubernetes-1.37"))


async def choose_the_first(pilot: Any) -> None:
    await pilot.press("c", "home", "enter")


async def test_a_better_etcd_is_offered_until_that_is_answered_and_not_again() -> None:
    source = FakeSource()
    app = cockpit(on_an_old_etcd(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await begun(pilot, app)
        await choose_the_first(pilot)
        await wait_for(pilot, lambda: isinstance(app.screen, Ask) and app.screen.id == "install")
        await wait_for(pilot, lambda: "01-hosts can be told, but on an etcd that has known" in text(app, "#question"))
        await pilot.press("escape")
        await wait_for(pilot, lambda: len(app.screen_stack) == 1)
        await choose_the_first(pilot)
        await wait_for(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press("x", "l", "o")
        await wait_for(pilot, lambda: source.calls == [Open(chapter="01-hosts", step=0)])
        await choose_the_first(pilot)
        await wait_for(pilot, lambda: source.calls == [Open(chapter="01-hosts", step=0)] * 2)


async def test_while_it_is_got_the_chapter_is_told_without_it() -> None:
    source = FakeSource()
    app = cockpit(on_an_old_etcd(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await begun(pilot, app)
        await choose_the_first(pilot)
        await wait_for(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press("g")
        await wait_for(pilot, lambda: source.calls == [Install(engines=("etcd-3.7",))])
        source.say(on_an_old_etcd().with_rows(engine("etcd-3.7", "installing", done=0.5)).frame(2))
        await wait_for(pilot, lambda: "installing etcd-3.7" in text(app, "#kubernetes"))
        await choose_the_first(pilot)
        await wait_for(pilot, lambda: source.calls[1:] == [Open(chapter="01-hosts", step=0)])


async def test_nothing_more_is_offered_while_something_else_is_got() -> None:
    source = FakeSource()
    app = cockpit(on_an_old_etcd().with_rows(engine("kubernetes-1.37", "installing", done=0.1)), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await begun(pilot, app)
        await choose_the_first(pilot)
        await wait_for(pilot, lambda: source.calls == [Open(chapter="01-hosts", step=0)])
