"""The drawer: opened on what is picked, live, and left the way it was entered."""

from __future__ import annotations

from typing import Any

import pytest
from support.cockpit_app import Clock, FakeSource, cockpit, wait_for
from support.cockpit_frames import NOW
from support.cockpit_kube_frames import crowd, healthy, kube_event, node, pod, stale_kube, worker_lost
from textual.geometry import Offset

from rwk_tui.board.frames import Frame
from rwk_tui.cockpit.app import Cockpit
from rwk_tui.cockpit.panes.pane import PickPane
from rwk_tui.cockpit.screens.drawer import DetailSheet, Drawer
from rwk_tui.cockpit.screens.logs import LogsScreen
from rwk_tui.cockpit.text import plain
from rwk_tui.daemon.protocol import Logs

SIZE = (120, 40)


def page(app: Cockpit) -> DetailSheet:
    return app.screen.query_one("#page", DetailSheet)


def text(app: Cockpit) -> str:
    return "\n".join(plain(each).rstrip() for each in page(app).shown)


def pane(app: Cockpit, name: str) -> PickPane[Any]:
    return app.main.query_one(f"#{name}", PickPane)


async def opened(pilot: Any, app: Cockpit, name: str, thing: str) -> None:
    await wait_for(pilot, lambda: app.board.at > 0 and bool(pane(app, name).things))
    pane(app, name).focus()
    pane(app, name).pick(thing)
    await pilot.press("enter")
    await wait_for(pilot, lambda: isinstance(app.screen, Drawer) and bool(page(app).shown))


async def test_arrows_pick_and_enter_opens() -> None:
    app = cockpit(healthy())
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: bool(pane(app, "machines").things))
        pane(app, "machines").focus()
        await pilot.press("down", "down", "up")
        assert pane(app, "machines").picked == "machine/core-02"
        seen = [strip.text for strip in app.screen._compositor.render_strips()]
        assert [each[1:9] for each in seen if "▸" in each] == ["▸core-02"]
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, Drawer))
        assert "power       ▲ up" in text(app)
        await pilot.press("escape")
        await wait_for(pilot, lambda: len(app.screen_stack) == 1)


async def test_home_end_and_pages_move_the_cursor() -> None:
    app = cockpit(crowd())
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: bool(pane(app, "kubernetes").things))
        kubernetes = pane(app, "kubernetes")
        kubernetes.focus()
        await pilot.press("end")
        assert kubernetes.picked == "node/kwok-099"
        assert kubernetes.scroll_y == kubernetes.max_scroll_y
        await pilot.press("pageup")
        assert kubernetes.picked == "node/kwok-089"
        await pilot.press("pagedown", "home")
        assert kubernetes.picked == "api-server/core-01"
        assert kubernetes.scroll_y == 0


async def test_a_click_picks_and_a_double_click_opens() -> None:
    app = cockpit(healthy())
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: bool(pane(app, "kubernetes").things))
        kubernetes = pane(app, "kubernetes")
        second = plain(kubernetes.shown[0]).index("core-02") + 2
        await pilot.click("#kubernetes", offset=Offset(second, 1))
        assert kubernetes.picked == "api-server/core-02"
        assert app.focused is kubernetes
        await pilot.double_click("#kubernetes", offset=Offset(second, 1))
        await wait_for(pilot, lambda: isinstance(app.screen, Drawer) and page(app).thing == "api-server/core-02")


async def test_i_opens_what_was_picked_and_closes_it() -> None:
    app = cockpit(healthy())
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: bool(pane(app, "etcd").things))
        pane(app, "etcd").focus()
        await pilot.press("down", "i")
        await wait_for(pilot, lambda: isinstance(app.screen, Drawer))
        await wait_for(pilot, lambda: "health      ● healthy" in text(app))
        assert page(app).title == "member core-02"
        await pilot.press("i")
        await wait_for(pilot, lambda: len(app.screen_stack) == 1)


async def test_left_and_right_go_to_the_neighbours_and_take_the_pane_along() -> None:
    app = cockpit(healthy())
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, "kubernetes", "node/core-02")
        await pilot.press("right")
        assert page(app).title == "node core-03"
        assert pane(app, "kubernetes").picked == "node/core-03"
        await pilot.press("right")
        assert page(app).title == "node core-02"  # Round and round, among nodes only.
        await pilot.press("left")
        assert page(app).title == "node core-03"


async def test_from_a_node_to_its_pod_and_back() -> None:
    app = cockpit(worker_lost())
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, "kubernetes", "node/core-03")
        shown = text(app)
        for words in (
            "state       ? unknown for 24 s",
            "taints      node.kubernetes.io/unreachable:NoSchedule,",
            "lease       renewed 46 s ago, lasts 8 s, ✗ lapsed 38 s ago",
            "? Ready               Unknown NodeStatusUnknown",
            "Pods (5): 5 terminating",
        ):
            assert words in shown
        assert shown.index("TaintManagerEviction ×5") < shown.index("NodeNotReady") < shown.index("NodeReady")
        key = pod(2, "core-03").key
        page(app).pick(key)
        await pilot.press("enter")
        assert page(app).thing == key
        assert "tolerates   a lost node (not ready, unreachable) for 30 s" in text(app)
        assert str(page(app).parent.border_title) == f"node core-03 › pod {key.rpartition('/')[2]}"  # type: ignore[union-attr]
        await pilot.press("right")  # Its neighbours are the pods of that node.
        assert page(app).thing == pod(4, "core-03").key
        await pilot.press("escape")
        assert page(app).thing == "node/core-03"
        assert page(app).picked == pod(4, "core-03").key
        await pilot.press("escape")
        await wait_for(pilot, lambda: len(app.screen_stack) == 1)


async def test_l_follows_the_log_of_the_picked_unit_and_comes_back() -> None:
    source = FakeSource()
    app = cockpit(healthy(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, "machines", "machine/core-01")
        page(app).pick("unit/core-01/kube-scheduler")
        await pilot.press("l")
        await wait_for(pilot, lambda: isinstance(app.screen, LogsScreen))
        await wait_for(pilot, lambda: source.calls == [Logs(machine="core-01", unit="kube-scheduler")])
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(app.screen, Drawer))
        await pilot.press("enter")
        assert page(app).title == "unit kube-scheduler on core-01"


async def test_an_api_server_shows_what_it_was_started_as() -> None:
    source = FakeSource()
    app = cockpit(healthy(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, "kubernetes", "api-server/core-01")
        assert "--authorization-mode=Node,RBAC" in text(app)
        await pilot.press("home", "l")
        await wait_for(pilot, lambda: Logs(machine="core-01", unit="kube-apiserver") in source.calls)


async def test_it_is_live_and_remembers_what_is_gone() -> None:
    source = FakeSource()
    app = cockpit(healthy(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        key = pod(1, "core-02").key
        await opened(pilot, app, "kubernetes", "node/core-02")
        page(app).pick(key)
        await pilot.press("enter")
        said = kube_event(9, key, "Killing", "Stopping container web", 0)
        source.say(Frame(seq=2, at=NOW, rows=(pod(1, "core-02", "terminating"), said)))
        await wait_for(pilot, lambda: "Killing" in text(app) and "□ terminating" in text(app))
        source.say(Frame(seq=3, at=NOW, gone=(key,)))
        await wait_for(pilot, lambda: "it is there no more" in text(app))
        assert "namespace   default" in text(app)
        assert page(app).faded
        await pilot.press("escape")
        assert "Pods (4)" in text(app)


async def test_when_the_daemon_is_lost_it_says_so_and_time_stands_still() -> None:
    clock, source = Clock(), FakeSource()
    app = cockpit(healthy(), source=source, clock=clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await opened(pilot, app, "kubernetes", "node/core-02")
        assert "state       ● ready for 4 min" in text(app)
        source.end(ConnectionResetError("connection reset"))
        await wait_for(pilot, lambda: app.contact.state == "lost")
        clock.now = NOW + 900
        app.paint()
        await wait_for(pilot, lambda: text(app).startswith("✗ lost 15 min · what follows is old"))
        assert "ready for 4 min" in text(app)
        assert page(app).faded


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        ("deployment/default/web", "ready       ◧ 8 of 10"),
        ("lease/kube-scheduler", "holder      core-01_0f31"),
        ("node/core-02", "kwok stands in for the kubelet"),
    ],
)
async def test_other_things_have_pages_too(thing: str, words: str) -> None:
    app = cockpit(worker_lost())
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, "kubernetes", thing)
        assert words in text(app)


async def test_a_stale_page_says_so_and_shows_no_state_as_live() -> None:
    app = cockpit(stale_kube())
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, "kubernetes", "node/core-02")
        assert text(app).startswith("‖ stale 12 s: no API server answers")
        assert "‖ was ready" in text(app)
        assert page(app).faded


async def test_a_pod_on_a_lost_node_says_when_it_is_evicted() -> None:
    lost = healthy().with_rows(node("core-03", "unknown", since=NOW - 6), pod(2, "core-03", ready=False))
    app = cockpit(lost)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, "kubernetes", "deployment/default/web")
        page(app).pick(pod(2, "core-03").key)
        await pilot.press("enter")
        assert "state       ▣ not ready" in text(app)
        assert "eviction    due in about 24 s" in text(app)


async def test_it_fills_a_small_screen() -> None:
    app = cockpit(worker_lost())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await opened(pilot, app, "kubernetes", "node/core-03")
        box = page(app).parent
        await wait_for(pilot, lambda: box is not None and box.region.size == (80, 24))  # type: ignore[attr-defined]


async def test_thousands_of_pods_are_shown_and_scrolled() -> None:
    app = cockpit(crowd())
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, "kubernetes", "deployment/default/web")
        assert len(page(app).shown) > 3000
        await pilot.press("end")
        await wait_for(pilot, lambda: page(app).picked.endswith("-03006"))
        await pilot.pause()
        seen = "\n".join(strip.text for strip in app.screen._compositor.render_strips())
        assert "web-5d4f8c7b9-03006" in seen
        assert "web-5d4f8c7b9-00001" not in seen
        await pilot.press("home")
        assert page(app).scroll_y == 0
