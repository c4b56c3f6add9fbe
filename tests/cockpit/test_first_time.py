"""Who opens the cockpit for the first time is told how to begin, once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import cockpit_frames as frames
from support.cockpit_app import cockpit, wait_for
from support.cockpit_frames import NOW

from rwk_tui.board.board import Board
from rwk_tui.cockpit import app as cockpit_app
from rwk_tui.cockpit.contact import Contact
from rwk_tui.cockpit.first_time import MARK, is_first_time, remember
from rwk_tui.cockpit.keymap import USUAL, KeyMap
from rwk_tui.cockpit.memory import Memory
from rwk_tui.cockpit.run import run_cockpit, run_replay
from rwk_tui.cockpit.text import plain
from rwk_tui.cockpit.views import bars
from rwk_tui.settings import Settings
from rwk_tui.tape.source import ReplaySource

SIZE = (120, 40)
TAPE = Path(__file__).parent.parent / "tapes" / "healthy.jsonl"
HINT = "First time here? c chooses a chapter, ? explains what you see"


def test_the_mark_is_made_where_a_lab_lives(tmp_path: Path) -> None:
    settings = Settings(state=tmp_path / "state", engine_cache=tmp_path)
    remember(settings)
    assert is_first_time(settings)
    assert not settings.state.exists()
    settings.state.mkdir()
    remember(settings)
    remember(settings)
    assert not is_first_time(settings)
    assert (settings.state / MARK).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("code", "tape", "second"), [(0, False, False), (1, False, True), (0, True, True)])
def test_it_is_remembered_when_a_lab_was_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, tape: bool, second: bool
) -> None:
    greeted: list[bool] = []

    class Seen:
        """Stands in for a cockpit, and leaves at once."""

        farewell, return_code = "", code

        def __init__(self, *arguments: object, greets: bool, **more: object) -> None:
            greeted.append(greets)

        def run(self) -> None:
            """Show nothing."""

    monkeypatch.setattr(Memory, "hold", lambda self: None)  # This process is not the cockpit's.
    monkeypatch.setattr(cockpit_app, "Cockpit", Seen)
    settings = Settings(state=tmp_path, engine_cache=tmp_path)
    if tape:
        run_replay(settings, ReplaySource(TAPE))
    else:
        run_cockpit(settings)
    run_cockpit(settings)
    assert greeted == [not tape, second]


def strip(app: Any) -> str:
    return " ".join(plain(each) for each in app.query_one("#strip").shown)


@pytest.mark.parametrize("key", ["tab", "c", "question_mark", "z", "2", "escape"])
async def test_the_hint_is_gone_with_the_first_key(key: str) -> None:
    app = cockpit(frames.calm(), greets=True)
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: HINT in strip(app))
        await pilot.press(key)
        await wait_for(pilot, lambda: not strip(app).strip())


async def test_a_click_is_a_beginning_too() -> None:
    app = cockpit(frames.calm(), greets=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, lambda: HINT in strip(app))
        await pilot.click("#story", offset=(5, 5))
        await wait_for(pilot, lambda: not strip(app).strip())


async def test_later_there_is_none() -> None:
    app = cockpit(frames.calm())
    async with app.run_test(size=SIZE) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        await pilot.pause()
        assert "First time" not in strip(app)


def test_what_is_wrong_comes_first_and_own_keys_are_named() -> None:
    board, live = Board(), Contact("live", NOW, NOW)
    board.apply(frames.partition().frame())
    assert bars.strip_view(board, live, NOW, USUAL, greets=True).text.startswith("↯ 1 fault active")
    board = Board()
    board.apply(frames.calm().frame())
    own = KeyMap((("chapters", ("f5",)), ("help", ("h",))))
    assert bars.strip_view(board, live, NOW, own, greets=True).text.startswith(
        "First time here? F5 chooses a chapter, h "
    )
    assert bars.strip_view(board, live, NOW, own).text == ""
