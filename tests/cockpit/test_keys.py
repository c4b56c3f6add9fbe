"""Every key of the registry, pressed in a running cockpit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pytest
from support import cockpit_frames as frames
from support.cockpit_app import FakeSource, cockpit, wait_for
from support.cockpit_frames import NOW, Scene
from support.cockpit_kube_frames import not_installed
from textual.widgets import OptionList

from rwk_tui.board.rows import ChapterRow
from rwk_tui.cockpit.actions import PANES, actions_in
from rwk_tui.cockpit.app import Cockpit
from rwk_tui.cockpit.screens.ask import Ask, NameIt
from rwk_tui.cockpit.screens.cards import CardsScreen
from rwk_tui.cockpit.screens.chooser import Chooser
from rwk_tui.cockpit.screens.drawer import Drawer
from rwk_tui.cockpit.screens.events import EventsScreen
from rwk_tui.cockpit.screens.help import HelpScreen
from rwk_tui.cockpit.screens.logs import LogsScreen
from rwk_tui.cockpit.screens.present import PresentScreen
from rwk_tui.cockpit.text import plain
from rwk_tui.daemon.protocol import (
    AnyCommand,
    Back,
    Bye,
    Cancel,
    Detach,
    Heal,
    Inject,
    LogLines,
    Logs,
    Next,
    Open,
    Power,
    Quit,
    Repeat,
    Reset,
    Resume,
    Skip,
)

SIZE = (120, 40)


def busy() -> Scene:
    scene = frames.calm()
    return replace(scene, story=msgspec.structs.replace(scene.story, busy="step 4/5"))


@dataclass(frozen=True)
class Sends:
    """A key that sends one command and nothing else."""

    key: str
    action: str
    command: AnyCommand
    scene: Callable[[], Scene] = frames.calm


SENDING = (
    Sends("n", "next", Next()),
    Sends("space", "next", Next()),
    Sends("b", "back", Back()),
    Sends("r", "repeat", Repeat()),
    Sends("s", "skip", Skip()),
    Sends("x", "cancel", Cancel(), busy),
    Sends("h", "heal", Heal(), frames.partition),
    Sends("H", "heal-all", Heal(fault="all"), frames.partition),
    Sends("d", "detach", Detach()),
)

OPENING: dict[str, tuple[str, type[Any]]] = {
    "i": ("details", Drawer),
    "g": ("install", Ask),
    "c": ("chapters", Chooser),
    "f": ("faults", Chooser),
    "v": ("cards", CardsScreen),
    "m": ("machines", Chooser),
    "l": ("logs", LogsScreen),
    "e": ("events", EventsScreen),
    "p": ("present", PresentScreen),
    "question_mark": ("help", HelpScreen),
    "f1": ("help", HelpScreen),
    "exclamation_mark": ("shell", Ask),
    "R": ("reset", Ask),
    "q": ("quit", Ask),
    "ctrl+q": ("quit", Ask),
    "ctrl+c": ("quit", Ask),
}
ELSEWHERE = {"t", "a", "f2", "y", *(str(number) for number in range(1, 7))}


async def shown(pilot: Any, app: Cockpit) -> None:
    await wait_for(pilot, lambda: app.board.at > 0 and bool(app.query_one("#story").shown))  # type: ignore[attr-defined]


def test_every_key_of_the_registry_is_pressed_here() -> None:
    pressed = {each.key for each in SENDING} | set(OPENING) | ELSEWHERE
    assert {key for action in actions_in(replay=False) for key in action.keys} == pressed


@pytest.mark.parametrize("case", SENDING, ids=lambda case: case.key)
async def test_keys_that_send(case: Sends) -> None:
    source = FakeSource()
    app = cockpit(case.scene(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, app)
        await pilot.press(case.key)
        await wait_for(pilot, lambda: source.calls == [case.command])


@pytest.mark.parametrize("key", OPENING)
async def test_keys_that_open(key: str) -> None:
    app = cockpit({"g": not_installed, "v": frames.reported}.get(key, frames.calm)())
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, app)
        await pilot.press(key)
        await wait_for(pilot, lambda: isinstance(app.screen, OPENING[key][1]))
        await pilot.press("escape")
        await wait_for(pilot, lambda: len(app.screen_stack) == 1)


@pytest.mark.parametrize("key", ["x", "h", "H", "a", "g", "v", "z", "N", "0", "7", "f9", "enter", "tab"])
async def test_keys_that_mean_nothing_now_do_nothing(key: str) -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, app)
        await pilot.press(key)
        await pilot.press("n")  # Comes after it, so that it has had its turn.
        await wait_for(pilot, lambda: bool(source.calls))
        assert source.calls == [Next()]
        assert len(app.screen_stack) == 1


@pytest.mark.parametrize("number", range(1, 7))
async def test_digits_zoom_a_pane_and_back(number: int) -> None:
    app = cockpit(frames.calm())
    name = PANES[number - 1]

    def sizes() -> list[int]:
        return [app.query_one(f"#{pane}").outer_size.height for pane in PANES if app.query_one(f"#{pane}").display]

    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, app)
        assert len(sizes()) == 6
        await pilot.press(str(number))
        await wait_for(pilot, lambda: sizes() == [35])
        assert app.focused is app.query_one(f"#{name}")
        await pilot.press(str(number))
        await wait_for(pilot, lambda: len(sizes()) == 6)
        await pilot.press(str(number), "escape")
        await wait_for(pilot, lambda: len(sizes()) == 6)


async def test_digits_turn_tabs_on_a_small_screen() -> None:
    app = cockpit(frames.calm())
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, app)
        for number, name in enumerate(PANES, 1):
            await pilot.press(str(number))
            await wait_for(pilot, lambda name=name: [p for p in PANES if app.query_one(f"#{p}").display] == [name])  # type: ignore[misc]


async def test_theme_goes_round() -> None:
    app = cockpit(frames.calm())
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, app)
        seen = []
        for _ in range(4):
            await pilot.press("t")
            seen.append(app.theme)
        assert seen == ["rwk-light", "rwk-high-contrast", "rwk-colour-blind", "rwk-dark"]


async def test_palette_offers_only_what_is_possible() -> None:
    app = cockpit(frames.calm())
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, app)
        offered = [command.title for command in app.get_system_commands(app.screen)]
        assert "next (n)" in offered
        assert not [title for title in offered if title.startswith(("heal", "cancel", "start again"))]
        await pilot.press("f2")
        await wait_for(pilot, lambda: type(app.screen).__name__ == "CommandPalette")


async def test_palette_finds_chapters_and_opens_the_chooser_there() -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, app)
        commands = {command.title: command for command in app.get_system_commands(app.screen)}
        titles = [f"Chapter: {row.title}…" for row in app.board.rows(ChapterRow)]
        assert titles and set(titles) <= commands.keys()
        last = app.board.rows(ChapterRow)[-1].name
        commands[titles[-1]].callback()
        await wait_for(pilot, lambda: isinstance(app.screen, Chooser))
        assert source.calls == []
        await pilot.press("enter")
        await wait_for(pilot, lambda: source.calls == [Open(chapter=last, step=0)])


async def test_palette_shows_what_a_chapter_says_of_itself_as_it_is_written() -> None:
    told = ChapterRow(seen_at=NOW, name="x", title="Break [etcd]", goal="Ends [/foo] what [b]began", steps=("one",))
    app = cockpit(frames.calm().with_rows(told))
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, app)

        def offered() -> list[str]:
            return [str(option.prompt) for each in app.screen.query(OptionList) for option in each.options]

        wanted = "Chapter: Break [etcd]…\nEnds [/foo] what [b]began"
        for typed in ((), ("[", "e", "t", "c", "d")):
            await pilot.press("f2", *typed)
            await wait_for(pilot, lambda: wanted in offered())
            await pilot.press("escape")
            await wait_for(pilot, lambda: len(app.screen_stack) == 1)


async def test_the_strip_can_be_clicked() -> None:
    source = FakeSource()
    app = cockpit(frames.faults_seen(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, app)
        strip: Any = app.query_one("#strip")
        await wait_for(pilot, lambda: "h heals · H heals all" in "".join(plain(each) for each in strip.shown))
        text = plain(strip.shown[0])
        await pilot.click("#strip", offset=(text.index("H heals") + 2, 0))
        await wait_for(pilot, lambda: source.calls == [Heal(fault="all")])
        await pilot.click("#strip", offset=(text.index("h heals") + 2, 0))
        await wait_for(pilot, lambda: source.calls[1:] == [Heal()])
        await pilot.click("#strip", offset=(5, 0))
        await pilot.press("n")
        await wait_for(pilot, lambda: source.calls[2:] == [Next()])


async def test_a_chapter_is_opened_at_its_start_and_a_step_where_it_stands() -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, app)
        await pilot.press("c", "down", "enter")
        await wait_for(pilot, lambda: source.calls == [Open(chapter="04-machine-failure", step=0)])
        await pilot.press("c", "up", "right", "down", "down", "enter")
        await wait_for(pilot, lambda: source.calls[1:] == [Open(chapter="01-hosts", step=2)])


async def test_a_fault_takes_what_and_where() -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, app)
        await pilot.press("f", *["down"] * 8, "enter", "down", "enter")
        await wait_for(pilot, lambda: source.calls == [Inject(fault="partition", target="core-01")])


async def test_an_impossible_fault_says_why_and_stays_undone() -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, app)
        await pilot.press("f", "down", "enter", "enter")
        await wait_for(pilot, lambda: isinstance(app.screen, Chooser))
        explain = app.screen.query_one("#explain")
        assert "✗ there is no unit that runs" in plain(explain.shown[0])  # type: ignore[attr-defined]
        assert source.calls == []


@pytest.mark.parametrize(
    ("keys", "command"),
    [
        ((*"fdestroy", "enter", "down", "enter"), Inject(fault="destroy", target="core-02", confirm="core-02")),
        (("m", "down", "right", "end", "enter"), Power(machine="core-02", verb="destroy", confirm="core-02")),
    ],
)
async def test_destroy_wants_the_name(keys: tuple[str, ...], command: AnyCommand) -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, app)
        await pilot.press(*keys)
        await wait_for(pilot, lambda: isinstance(app.screen, NameIt))
        await pilot.press("enter", "y", "enter", "backspace", *"core-01", "enter")
        assert isinstance(app.screen, NameIt)
        assert source.calls == []
        await pilot.press("backspace", "2", "enter")
        await wait_for(pilot, lambda: source.calls == [command])


async def test_a_machine_is_switched_by_hand() -> None:
    source = FakeSource()
    app = cockpit(frames.member_down(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, app)
        await pilot.press("m", "end", "right", "enter")
        await wait_for(pilot, lambda: source.calls == [Power(machine="core-03", verb="start")])


async def test_logs_follow_the_unit_under_the_cursor() -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, app)
        await pilot.press("l")
        await wait_for(pilot, lambda: source.calls == [Logs(machine="core-01", unit="etcd")])
        await pilot.press("down")
        await wait_for(pilot, lambda: source.calls[1:] == [Logs(machine="core-02", unit="etcd")])
        source.say(LogLines(machine="core-01", unit="etcd", lines=("of the one that was left",)))
        source.say(LogLines(machine="core-02", unit="etcd", lines=("[red]x[/red]", "\x1b[1mbold\x1b[0m")))
        log = app.screen.query_one("#log")
        await wait_for(pilot, lambda: [plain(each) for each in log.shown] == ["[red]x[/red]", "bold"])  # type: ignore[attr-defined]
        await pilot.press("escape")
        await wait_for(pilot, lambda: source.calls[-1] == Logs())


async def test_quit_asks_once_and_leaves_when_the_lab_has_halted() -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, app)
        await pilot.press("q", "y", "enter")
        assert isinstance(app.screen, Ask)
        await pilot.press("q")
        await wait_for(pilot, lambda: source.calls == [Quit()])
        assert app.return_code is None
        source.say(Bye(reason="the lab is halted"))
        source.end()
        await wait_for(pilot, lambda: app.return_code == 0)
    assert app.farewell == "the lab is halted"


async def test_who_is_tired_of_waiting_leaves_at_once() -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, app)
        for _ in range(2):
            assert app.return_code is None
            await pilot.press("q")
            await wait_for(pilot, lambda: isinstance(app.screen, Ask))
            await pilot.press("q")
            await wait_for(pilot, lambda: source.calls == [Quit()])
        await wait_for(pilot, lambda: app.return_code == 0)


@pytest.mark.parametrize(("keys", "command"), [("qq", Quit()), ("qH", Quit(halt=True)), ("qd", Detach())])
async def test_quit_says_what_becomes_of_machines_that_run_on(keys: str, command: Quit | Detach) -> None:
    source = FakeSource()
    scene = frames.calm().changed("lab", backend="vagrant", outlives=True)
    app = cockpit(scene, source=source)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, app)
        await pilot.press(keys[0])
        await wait_for(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press(keys[1])
        await wait_for(pilot, lambda: source.calls == [command])
        source.end()


async def test_what_a_slow_backend_does_is_told_while_it_starts() -> None:
    scene = frames.calm().changed("lab", state="starting", doing="core-02: Booting VM...")
    app = cockpit(scene)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, app)
        await wait_for(
            pilot,
            lambda: any("core-02: Booting VM..." in strip.text for strip in app.screen._compositor.render_strips()),
        )


async def test_quit_can_detach_instead() -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, app)
        await pilot.press("q", "d")
        await wait_for(pilot, lambda: source.calls == [Detach()])
    assert "rwk-tui down" in app.farewell


async def test_reset_asks() -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, app)
        await pilot.press("R", "r", "escape", "R", "R")
        await wait_for(pilot, lambda: source.calls == [Reset()] and len(app.screen_stack) == 1)


@pytest.mark.parametrize(("key", "command"), [("r", Resume()), ("R", Reset()), ("q", Quit())])
async def test_a_lab_left_behind_is_resumed_or_reset(key: str, command: AnyCommand) -> None:
    source = FakeSource()
    app = cockpit(frames.choose(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press("escape", "n", key)
        await wait_for(pilot, lambda: source.calls == [command])


async def test_help_shows_every_key_and_scrolls_on_a_small_screen() -> None:
    app = cockpit(frames.calm())
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, app)
        await pilot.press("question_mark")
        await wait_for(pilot, lambda: isinstance(app.screen, HelpScreen))
        sheet = app.screen.query_one("#sheet")
        await wait_for(pilot, lambda: bool(sheet.shown))  # type: ignore[attr-defined]
        text = " ".join(" ".join(plain(each).split()) for each in sheet.shown)  # type: ignore[attr-defined]
        assert [action.id for action in actions_in(replay=False) if action.tooltip not in text] == []
        assert sheet.max_scroll_y > 0
        await pilot.press("end")
        await wait_for(pilot, lambda: sheet.scroll_y == sheet.max_scroll_y)


async def test_the_mouse_does_what_the_footer_says() -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, app)
        await pilot.click("#footer", offset=(2, 0))
        await wait_for(pilot, lambda: source.calls == [Next()])
        await pilot.resize_terminal(80, 24)
        await pilot.press("2")
        await wait_for(pilot, lambda: app.query_one("#etcd").display)
        await pilot.click("#tabs", offset=(3, 0))
        await wait_for(pilot, lambda: app.query_one("#machines").display)
