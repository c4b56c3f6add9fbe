"""The key for a shell: on which machine, what becomes of the cockpit meanwhile, and where there can be none."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import cockpit_frames as frames
from support.cockpit_app import FakeSource, cockpit, wait_for
from support.lab import eventually
from textual.pilot import Pilot

from rwk_tui.board.board import Board
from rwk_tui.board.kube_rows import LeaseRow
from rwk_tui.cockpit.app import REFUSED, Cockpit
from rwk_tui.cockpit.screens.ask import Ask
from rwk_tui.cockpit.shell import machine_of
from rwk_tui.daemon.protocol import TerminalOf

SIZE = (120, 40)


class Terminals(FakeSource):
    """A source with machines behind it, whose shells run that script."""

    def __init__(self, script: str = "exit 0") -> None:
        super().__init__()
        self.asked: list[str] = []
        self.script = script

    async def terminal(self, machine: str) -> TerminalOf:
        self.asked.append(machine)
        if self.refuse:
            raise RuntimeError(self.refuse)
        argv = ("/bin/sh", "-c", self.script)
        return TerminalOf(id=1, machine=machine, argv=argv, environment={"PATH": "/usr/bin:/bin"}, directory="/")


def makes_room(app: Cockpit, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have the app believe that its driver can be suspended; what it did is noted."""
    done: list[str] = []

    @contextlib.contextmanager
    def suspend() -> Iterator[None]:
        done.append("suspended")
        yield
        done.append("back")

    monkeypatch.setattr(app, "suspend", suspend)
    return done


async def asks_where(pilot: Pilot[None], app: Cockpit) -> None:
    await wait_for(pilot, lambda: app.board.at > 0)
    await pilot.press("exclamation_mark")
    await wait_for(pilot, lambda: isinstance(app.screen, Ask))


def told(app: Cockpit) -> list[str]:
    return [note.message for note in app._notifications if note.title == REFUSED]


def test_the_machine_of_a_thing() -> None:
    board = Board()
    board.apply(frames.calm().frame())
    board.put(LeaseRow(name="scheduler", holder="core-02_x", machine="core-02", seen_at=0.0, since=0.0))
    for key, machine in (
        ("machine/core-03", "core-03"),
        ("unit/core-01/etcd", "core-01"),
        ("lease/scheduler", "core-02"),
        ("quorum", ""),
        ("", ""),
        ("machine/gone", ""),
    ):
        assert machine_of(board, key) == machine, key


@pytest.mark.process
async def test_it_asks_for_the_machine_and_the_stream_goes_on_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "end")
    source = Terminals(f"echo began >{tmp_path}/began; read -r line <{tmp_path}/end")
    app = cockpit(frames.calm(), source=source)
    done = makes_room(app, monkeypatch)
    async with app.run_test(size=SIZE) as pilot:
        await asks_where(pilot, app)
        await pilot.press("2")
        await wait_for(pilot, (tmp_path / "began").exists)
        assert (source.asked, done) == (["core-02"], ["suspended"])
        source.say(frames.partition().frame(seq=2, at=app.board.at + 1))
        await wait_for(pilot, lambda: app.contact.talks and app.board.at == frames.NOW + 1)
        assert app._batch_count > 0, "nothing is painted over the shell"
        (tmp_path / "end").write_text("now\n")
        await wait_for(pilot, lambda: done == ["suspended", "back"])
        await wait_for(pilot, lambda: app._batch_count == 0)
        assert told(app) == []


@pytest.mark.process
async def test_a_picked_row_says_which_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Terminals()
    app = cockpit(frames.calm(), source=source)
    done = makes_room(app, monkeypatch)
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        app.main.query_one("#machines").focus()
        pane: Any = app.main.query_one("#machines")
        await wait_for(pilot, lambda: pane.has_focus)
        pane.pick("machine/core-03")
        await pilot.press("exclamation_mark")
        await wait_for(pilot, lambda: "back" in done)
        assert source.asked == ["core-03"]
        assert len(app.screen_stack) == 1


async def test_esc_asks_for_nothing() -> None:
    source = Terminals()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await asks_where(pilot, app)
        await pilot.press("escape")
        await wait_for(pilot, lambda: len(app.screen_stack) == 1)
        assert (source.asked, told(app)) == ([], [])


@pytest.mark.process
@pytest.mark.parametrize(
    ("source", "room", "words"),
    [
        (FakeSource(), True, "there is no lab behind this screen"),
        (Terminals(), False, "no room for a shell here; in a terminal: rwk-tui shell core-01"),
        (Terminals("exit 255"), True, "the shell on core-01 ended with exit code 255"),
        (Terminals("kill -HUP $$"), True, "the shell on core-01 ended by SIGHUP"),
        (Terminals(""), True, "core-01 is off"),
    ],
)
async def test_where_there_is_none_that_is_one_line(
    source: FakeSource, room: bool, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if words == "core-01 is off":
        source.refuse = words
    app = cockpit(frames.calm(), source=source)
    if room:
        makes_room(app, monkeypatch)
    async with app.run_test(size=SIZE) as pilot:
        await asks_where(pilot, app)
        await pilot.press("1")
        await wait_for(pilot, lambda: bool(told(app)))
        (text,) = told(app)
        assert text.startswith(words) and "\n" not in text


@pytest.mark.process
async def test_who_leaves_takes_the_shell_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hung_up = f"echo hung up >{tmp_path}/end; kill $!; exit"
    source = Terminals(f"trap '{hung_up}' HUP; echo >{tmp_path}/began; sleep 1000 & wait")
    app = cockpit(frames.calm(), source=source)
    makes_room(app, monkeypatch)
    async with app.run_test(size=SIZE) as pilot:
        await asks_where(pilot, app)
        await pilot.press("1")
        await wait_for(pilot, (tmp_path / "began").exists)

    async def written() -> bool:
        return (tmp_path / "end").exists() and bool((tmp_path / "end").read_text())

    await eventually(written, what="what the shell does when it is hung up")  # The app has not waited for it.
    assert (tmp_path / "end").read_text() == "hung up\n"
