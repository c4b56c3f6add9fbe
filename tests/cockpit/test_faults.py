"""Choosing a fault: by domain, by letters, from the palette; and what is typed before something is destroyed."""

from __future__ import annotations

from typing import Any

import pytest
from support import cockpit_frames as frames
from support.cockpit_app import FakeSource, cockpit, wait_for
from support.cockpit_faults import KINDS, kind
from support.cockpit_frames import Scene

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import DOMAINS
from rwk_tui.cockpit import fault_choices
from rwk_tui.cockpit.app import Cockpit
from rwk_tui.cockpit.panes.menu import Menu
from rwk_tui.cockpit.screens.ask import NameIt
from rwk_tui.cockpit.screens.chooser import NOTHING, Chooser
from rwk_tui.cockpit.screens.sheet import Sheet
from rwk_tui.cockpit.text import plain
from rwk_tui.daemon.protocol import Inject
from rwk_tui.faults.kinds import KINDS as KNOWN

SIZE = (120, 40)


def board_of(scene: Scene) -> Board:
    board = Board()
    board.apply(scene.frame())
    return board


async def opened(pilot: Any, app: Cockpit, *keys: str) -> tuple[Menu, Menu]:
    """Wait for the board, press keys that open the chooser, and return its lists."""
    await wait_for(pilot, lambda: app.board.at > 0 and bool(app.query_one("#story").shown))  # type: ignore[attr-defined]
    await pilot.press(*keys)
    await wait_for(pilot, lambda: isinstance(app.screen, Chooser) and bool(app.screen.query_one("#left", Menu).shown))
    return app.screen.query_one("#left", Menu), app.screen.query_one("#right", Menu)


def at(menu: Menu) -> str:
    return menu.item.id if menu.item is not None else ""


def pointer(menu: Menu) -> int:
    """The line on which the cursor is."""
    return next(number for number, each in enumerate(menu.shown) if plain(each).startswith("▸"))


def sight(menu: Menu) -> range:
    """The lines in sight."""
    return range(menu.scroll_offset.y, menu.scroll_offset.y + menu.room.height)


def explained(app: Cockpit) -> list[str]:
    return [plain(each).strip() for each in app.screen.query_one("#explain").shown]  # type: ignore[attr-defined]


def test_every_fault_stands_below_its_domain_and_none_is_left_out() -> None:
    items = fault_choices.fault_items(board_of(frames.calm()))
    assert [item.label.lower() for item in items if item.heading] == list(DOMAINS)
    below: dict[str, list[str]] = {}
    for item in items:
        if item.heading:
            below[item.label.lower()] = []
        else:
            below[list(below)[-1]].append(item.id)
    assert {name for names in below.values() for name in names} == {row.name for row in KINDS}
    assert below["machine"] == ["power-cut", "halt", "destroy"], "what can't be undone comes last"
    assert {item.id: item.why for item in items}["loss"].startswith("links of the local lab carry streams")


def test_targets_are_said_in_words() -> None:
    items = {item.id: item for item in fault_choices.fault_items(board_of(frames.calm()))}

    def targets(name: str) -> list[tuple[str, str]]:
        return [(item.label, item.note) for item in items[name].under]

    assert targets("kill-unit")[:3] == [
        ("the leader", "now core-01"),
        ("etcd on core-01", "★ leader"),
        ("etcd on core-02", ""),
    ]
    assert targets("one-way")[0] == ("core-01 → core-02, core-03", "★ core-01 leads")
    assert targets("split") == [("core-01 apart from core-02, core-03", "★ core-01 leads")]
    assert targets("no-space") == [("every machine", "")]
    assert items["quorum-loss"].under[2].label == "core-02 and core-03"


@pytest.mark.parametrize(
    ("fault", "target", "typed"),
    [
        ("destroy", "core-02", "core-02"),
        ("destroy", "leader", "core-01"),
        ("quorum-gone", "core-02+core-03", "core-02+core-03"),
        ("power-cut", "core-02", ""),
    ],
)
def test_what_is_typed_to_confirm(fault: str, target: str, typed: str) -> None:
    assert fault_choices.to_confirm(board_of(frames.calm()), fault, target) == typed


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_the_cursor_passes_over_headings_and_stays_in_sight(size: tuple[int, int]) -> None:
    app = cockpit(frames.calm())
    async with app.run_test(size=size) as pilot:
        left, _ = await opened(pilot, app, "f")
        seen = []
        for key in (*["down"] * len(KINDS), *["up"] * len(KINDS)):
            seen.append(at(left))
            await wait_for(pilot, lambda: pointer(left) in sight(left))
            assert not (left.item and left.item.heading)
            await pilot.press(key)
        assert set(seen) == {row.name for row in KINDS}
        await wait_for(pilot, lambda: 0 in sight(left))  # The first heading is in sight again.


async def test_a_click_on_a_heading_chooses_nothing() -> None:
    app = cockpit(frames.calm())
    async with app.run_test(size=SIZE) as pilot:
        left, right = await opened(pilot, app, "f", "down")
        before = at(left)
        await pilot.click("#left", offset=(3, 0))
        await pilot.pause()
        assert (at(left), right.has_focus) == (before, False)


async def test_it_says_what_to_look_at_and_what_must_hold_while_targets_are_chosen() -> None:
    app = cockpit(frames.calm())
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, "f", "down", "down", "right")
        told = [
            "SIGKILL: it gets no chance to say goodbye. Its connections close, so its peers notice soon.",
            "Look: The unit fails. If it led, another member is elected after about the election timeout.",
            "Must hold: Two of three go on; no acknowledged write is lost; started again, it catches up.",
        ]
        await wait_for(pilot, lambda: explained(app) == told)


async def test_letters_find_by_title_name_and_domain() -> None:
    app = cockpit(frames.calm())
    async with app.run_test(size=SIZE) as pilot:
        left, right = await opened(pilot, app, "f", "right", *"Disk")
        found = ["Disk", "Fill the quota", "Slow the disk down"]
        await wait_for(pilot, lambda: [plain(each).strip("▸ ") for each in left.shown] == found)
        await wait_for(pilot, lambda: (left.has_focus, at(left), at(right)) == (True, "no-space", "all"))
        assert [item.id for item in right._items] == ["all"]
        await pilot.press(*"zz")
        await wait_for(pilot, lambda: explained(app) == [NOTHING])
        await pilot.press("enter", "right", "backspace", "backspace")
        await wait_for(pilot, lambda: left.has_focus and at(left) == "no-space")
        await pilot.press("escape")
        await wait_for(pilot, lambda: len(left.shown) == len(KINDS) + len(DOMAINS))
        assert isinstance(app.screen, Chooser)
        assert at(left) == "no-space", "what was found stays chosen"
        await pilot.press("escape")
        await wait_for(pilot, lambda: len(app.screen_stack) == 1)


async def test_what_is_found_stays_found_when_the_board_changes() -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        left, _ = await opened(pilot, app, "f", *"quota")
        source.say(frames.calm().changed("fault-kind/no-space", targets=(), why="it is full").frame(seq=2))
        await wait_for(pilot, lambda: left.item is not None and left.item.why == "it is full")
        assert len(left.shown) == 2


async def test_several_machines_are_confirmed_by_all_their_names() -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, "f", *"for", "space", *"good")
        await pilot.press("enter", "enter")
        await wait_for(pilot, lambda: isinstance(app.screen, NameIt))
        await pilot.press(*"core-02", "enter")
        assert source.calls == []
        await pilot.press(*"+core-03", "enter")
        strike = Inject(fault="quorum-gone", target="core-02+core-03", confirm="core-02+core-03")
        await wait_for(pilot, lambda: source.calls == [strike])


async def test_the_palette_has_every_fault_that_is_possible_and_opens_the_chooser_at_it() -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        commands = {command.title: command for command in app.get_system_commands(app.screen)}
        assert "Fault: Fill the quota…" in commands and "Fault: Freeze a process…" not in commands
        assert len([title for title in commands if title.startswith("Fault:")]) == len([k for k in KINDS if not k.why])
        await pilot.press("f2", *"quota")
        found = app.screen.query_one("CommandList")
        await wait_for(pilot, lambda: getattr(found, "option_count", 0) == 1)
        left, right = await opened(pilot, app, "enter")
        await wait_for(pilot, lambda: (at(left), at(right), right.has_focus) == ("no-space", "all", True))
        assert source.calls == [], "nothing breaks before its target was seen"
        await pilot.press("enter")
        await wait_for(pilot, lambda: source.calls == [Inject(fault="no-space", target="all")])


async def test_the_palette_has_no_faults_while_none_can_be_injected() -> None:
    app = cockpit(frames.choose())
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        titles = [command.title for command in app.get_system_commands(app.screen)]
        assert [title for title in titles if title.startswith("Fault:")] == []


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_what_the_catalogue_says_of_its_faults_is_seen_as_a_whole(size: tuple[int, int]) -> None:
    rows = [
        kind(name, fault.domain, fault.title, fault.explain, look=fault.look, must=fault.must, why="not here " * 6)
        for name, fault in KNOWN.items()
    ]
    app = cockpit(frames.calm().with_rows(*rows))
    async with app.run_test(size=size) as pilot:
        left, _ = await opened(pilot, app, "f", "home")
        sheet = app.screen.query_one("#explain", Sheet)
        for _ in left._items:
            must = left.item.notes[-1][1] if left.item is not None else ""
            await wait_for(pilot, lambda must=must: " ".join(explained(app)).endswith(must))  # type: ignore[misc]
            assert len(sheet.shown) <= sheet.room.height, f"{at(left)} says {explained(app)}"
            await pilot.press("down")
