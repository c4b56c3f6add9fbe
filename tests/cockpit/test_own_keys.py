"""Keys of the user's own: what the settings file may say, and that every place where a key is read shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import cockpit_frames as frames
from support.cockpit_app import FakeSource, cockpit, wait_for
from support.cockpit_kube_frames import not_installed

from rwk_tui.cockpit.actions import actions_in
from rwk_tui.cockpit.app import Cockpit
from rwk_tui.cockpit.keymap import USUAL, KeyMap, key_map
from rwk_tui.cockpit.memory import Memory
from rwk_tui.cockpit.run import run_cockpit
from rwk_tui.cockpit.screens.chooser import Chooser
from rwk_tui.cockpit.screens.help import HelpScreen
from rwk_tui.cockpit.source import to_fixed
from rwk_tui.cockpit.text import plain
from rwk_tui.daemon.protocol import Heal, Next, Quit
from rwk_tui.settings import BadInput, as_environment, load_settings
from rwk_tui.tape.source import ReplaySource

CUT = Path(__file__).parent.parent / "tapes" / "leader-power-cut.jsonl"
SIZE = (120, 40)


def keys(directory: Path, text: str) -> KeyMap:
    (directory / "rwk-tui.toml").write_text(text, "utf-8")
    return key_map(load_settings(environment={}, directory=directory).keys)


def test_a_key_or_a_list_of_keys(tmp_path: Path) -> None:
    found = keys(tmp_path, '[keys]\nnext = "Space"\nheal = ["+", "F5", "Ctrl-G", "+"]\npane-etcd = "ctrl+e"\n')
    assert found.keys("next") == ("space",)
    assert found.keys("heal") == ("plus", "f5", "ctrl+g")
    assert (found.key("heal"), found.key("pane-etcd"), found.key("next")) == ("+", "Ctrl-E", "Space")
    assert found.keys("back") == ("b",)
    assert keys(tmp_path, "subnet = 9\n") == USUAL


def test_keys_may_change_places(tmp_path: Path) -> None:
    found = keys(tmp_path, '[keys]\nfaults = "h"\nheal = "f"\n')
    assert (found.keys("faults"), found.keys("heal")) == (("h",), ("f",))


@pytest.mark.parametrize("action", ["quit", "leave", "close"])
def test_there_is_always_a_way_out(tmp_path: Path, action: str) -> None:
    assert keys(tmp_path, f'[keys]\n{action} = "F10"\n').keys(action) == ("f10", "ctrl+q", "ctrl+c")


def test_no_other_process_hears_of_them(tmp_path: Path) -> None:
    keys(tmp_path, '[keys]\nnext = "F5"\n')
    settings = load_settings(environment={}, directory=tmp_path)
    assert load_settings(environment=as_environment(settings), directory=tmp_path).keys == ()


@pytest.mark.parametrize(
    ("toml", "line", "words"),
    [
        ('[keys]\nnext = "F5"\nfly = "F6"\n', 3, "keys.fly: there is no such action; there are pause, back-seconds,"),
        ('[keys]\nnext = "F13"\n', 2, "keys.next: there is no key 'F13'; there are single characters, space, f1 to"),
        ('[keys]\nnext = "nn"\n', 2, "there is no key 'nn'"),
        ('[keys]\nnext = "  "\n', 2, "there is no key '  '"),
        ('[keys]\nnext = "ctrl+alt+n"\n', 2, "there is no key 'ctrl+alt+n'"),
        ('[keys]\nnext = ""\n', 2, "keys.next: must be a key or a list of keys, not ''"),
        ("[keys]\nnext = []\n", 2, "must be a key or a list of keys"),
        ("[keys]\nnext = 5\n", 2, "must be a key or a list of keys, not 5"),
        ('[keys]\nnext = ["x", 5]\n', 2, "must be a key or a list of keys"),
        *(
            (f'[keys]\n\nnext = "{key}"\n', 3, f"keys.next: the screen needs {key} itself")
            for key in ("Tab", "shift+tab", "enter", "Escape", "up", "left", "pagedown", "ctrl+i", "ctrl+c", "Ctrl-P")
        ),
        ('[keys]\nnext = "h"\n', 2, "keys.next: h is the key of 'heal' already; give that another one"),
        ('[keys]\nnext = "?"\n', 2, "keys.next: ? is the key of 'help' already"),
        ('[keys]\nnext = "F5"\nback = ["b", "f5"]\n', 2, "keys.next: F5 is the key of 'back' already"),
        ('[keys]\nevents = "+"\n', 2, "keys.events: + is the key of 'faster' already"),
        ('[keys]\nquit = "Q"\nevents = "q"\n', 3, "keys.events: q is the key of 'leave' already"),
        ("keys = 3\n", 1, "keys: there is no such setting; there are"),
    ],
)
def test_what_can_not_be_a_key_is_said_with_its_place(tmp_path: Path, toml: str, line: int, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        keys(tmp_path, toml)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'rwk-tui.toml'}:{line}: ")
    assert words in said
    assert "\n" not in said


def test_no_screen_opens_with_bad_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Memory, "hold", lambda self: None)  # This process is not the cockpit's.
    monkeypatch.setattr(Cockpit, "run", lambda self: pytest.fail("a screen opened"))
    (tmp_path / "rwk-tui.toml").write_text('[keys]\nfly = "F5"\n', "utf-8")
    with pytest.raises(BadInput, match="rwk-tui.toml:2: keys.fly: there is no such action"):
        run_cockpit(load_settings(environment={}, directory=tmp_path))


@pytest.fixture
def own(tmp_path: Path) -> KeyMap:
    """Another key for each action of a lab."""
    actions = list(actions_in(replay=False))
    lines = [f'{action.id} = "{key}"' for action, key in zip(actions, "ABCDEFGIJKLMNOPQSTUVWXYZ!%&_;78", strict=False)]
    assert len(lines) == len(actions)
    return keys(tmp_path, "\n".join(["[keys]", *lines]))


def everything(app: Cockpit) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def test_the_users_keys_work_and_the_others_do_not(own: KeyMap) -> None:
    source = FakeSource()
    app = cockpit(frames.partition(), source=source, keys=own)
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        await pilot.press("n", "space", "h", "b", "x", "6")
        await pilot.press(own.key("heal"), own.key("next"))
        await wait_for(pilot, lambda: source.calls == [Heal(), Next()])
        assert not app.main.zoomed
        await pilot.press(own.key("pane-etcd"))
        await wait_for(pilot, lambda: app.main.zoomed and app.main.in_focus == "etcd")
        await pilot.press("escape", own.key("faults"))
        await wait_for(pilot, lambda: isinstance(app.screen, Chooser))
        await pilot.press("escape", "ctrl+q", "q")
        await wait_for(pilot, lambda: source.calls[2:] == [Quit()])
        source.end()


async def test_footer_strip_and_tabs_show_them(own: KeyMap) -> None:
    app = cockpit(frames.reported(), keys=own)
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        await wait_for(pilot, lambda: f"{own.key('next')} next" in everything(app))
        painted = everything(app)
        for action, label in (("chapters", "chapters"), ("faults", "fault"), ("help", "help"), ("quit", "quit")):
            assert f"{own.key(action)} {label}" in painted
            assert f"{USUAL.key(action)} {label}" not in painted
        assert f"violated · {own.key('cards')} " in painted
        await pilot.resize_terminal(80, 24)
        await wait_for(pilot, lambda: f"{own.key('pane-etcd')} etcd" in everything(app))
        assert "2 etcd" not in everything(app)


@pytest.mark.parametrize(
    ("scene", "words"),
    [
        (frames.partition, "{heal} heals"),
        (frames.faults_seen, "{heal} heals · {heal-all} heals all"),
        (not_installed, "{install} gets "),
        (frames.reported, "violated · {cards} "),
    ],
)
async def test_hints_name_them(scene: Any, words: str, own: KeyMap) -> None:
    for shown in (own, USUAL):
        app = cockpit(scene(), keys=shown)
        wanted = words
        for action in actions_in(replay=False):
            wanted = wanted.replace(f"{{{action.id}}}", shown.key(action.id))
        async with app.run_test(size=SIZE) as pilot:
            await wait_for(pilot, lambda app=app, wanted=wanted: wanted in everything(app))  # type: ignore[misc]


async def test_help_and_palette_show_them(own: KeyMap) -> None:
    app = cockpit(frames.calm(), keys=own)
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        offered = {command.title for command in app.get_system_commands(app.screen)}
        assert f"next ({own.key('next')})" in offered
        assert not [title for title in offered if title.endswith(("(n)", "(c)", "(f)", "(?)"))]
        await pilot.press("question_mark", own.key("help"))
        await wait_for(pilot, lambda: isinstance(app.screen, HelpScreen))
        sheet: Any = app.screen.query_one("#sheet")
        await wait_for(pilot, lambda: bool(sheet.shown))
        told = [" ".join(plain(each).split()) for each in sheet.shown]
        for action in actions_in(replay=False):
            assert any(each.startswith(own.key(action.id)) and action.tooltip[:20] in each for each in told), action.id
        await pilot.press("2", own.key("pane-etcd"))
        await wait_for(pilot, lambda: plain(sheet.shown[0]) == "The etcd pane")
        await pilot.press(own.key("help"))
        await wait_for(pilot, lambda: len(app.screen_stack) == 1)


async def test_two_keys_for_one_action_both_work(tmp_path: Path) -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source, keys=keys(tmp_path, '[keys]\nnext = ["F5", "/"]\n'))
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        await pilot.press("n", "space", "f5")
        await wait_for(pilot, lambda: source.calls == [Next()])
        await pilot.press("slash")
        await wait_for(pilot, lambda: source.calls == [Next(), Next()])


MOVED = '[keys]\nquit = "Q"\nnext = "N"\n'


@pytest.mark.parametrize("way_out", ["q", "ctrl+q", "ctrl+c"])
async def test_a_key_that_one_action_gives_up_stays_with_the_others_in_a_replay(tmp_path: Path, way_out: str) -> None:
    source = ReplaySource(CUT)
    app = Cockpit(cockpit().settings, to_fixed(source), replay=source, keys=keys(tmp_path, MOVED))
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        await pilot.press("space")
        assert source.position.state == "paused"
        await pilot.press(way_out)
        await wait_for(pilot, lambda: not app.is_running)


@pytest.mark.parametrize("way_out", ["q", "ctrl+c"])
async def test_and_in_a_view(tmp_path: Path, way_out: str) -> None:
    app = cockpit(frames.calm(), keys=keys(tmp_path, MOVED), viewer=True)
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        await pilot.press(way_out)
        await wait_for(pilot, lambda: not app.is_running)


async def test_another_key_to_leave_a_replay_is_one_more(tmp_path: Path) -> None:
    source = ReplaySource(CUT)
    app = Cockpit(cockpit().settings, to_fixed(source), replay=source, keys=keys(tmp_path, '[keys]\nleave = "Q"\n'))
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        await pilot.press("q")
        assert app.is_running
        await pilot.press("ctrl+c")
        await wait_for(pilot, lambda: not app.is_running)
