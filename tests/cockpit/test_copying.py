"""The commands of the shown step are taken along: to the clipboard and into a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from support import cockpit_frames as frames
from support.cockpit_app import cockpit, wait_for

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Frame, Output, Step, Story
from rwk_tui.cockpit.app import Cockpit
from rwk_tui.cockpit.copying import FILE, TITLE, script

PLAY = Story(
    chapter="x",
    title="Growing",
    steps=(
        Step(title="one", status="passed", commands=("etcdctl member add <ID>",)),
        Step(title="two", status="running", commands=("a \\\n  --b", "c")),
        Step(title="three", commands=("d",)),
        Step(title="quiet"),
    ),
)
PRINTED = (
    Output(at=1.0, step="one", machine="core-01", stream="command", text="etcdctl member add 1f"),
    Output(at=1.0, step="one", machine="core-01", stream="out", text="done"),
    Output(at=1.0, step="two", machine="core-01", stream="command", text="a \\\n  --b"),
)


def board_at(step: int) -> Board:
    board = Board()
    story = Story(chapter=PLAY.chapter, title=PLAY.title, steps=PLAY.steps, step=step)
    board.apply(Frame(seq=1, at=1.0, full=True, story=story, output=PRINTED))
    return board


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, "# Growing: one\netcdctl member add 1f\n"),  # as it was run, with what was not known before
        (1, "# Growing: two\na \\\n  --b\nc\n"),
        (2, "# Growing: three\nd\n"),
        (3, ""),
        (4, ""),
    ],
)
def test_what_is_copied(step: int, expected: str) -> None:
    assert script(board_at(step)) == expected


def test_nothing_is_open() -> None:
    assert script(Board()) == ""


def said(app: Cockpit) -> list[str]:
    return [one.message for one in app._notifications if one.title == TITLE]


async def test_y_copies(tmp_path: Path) -> None:
    app = cockpit(frames.calm())
    app.settings = replace(app.settings, state=tmp_path / "new")
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        await pilot.press("y")
        await wait_for(pilot, lambda: bool(said(app)))
        expected = script(app.board)
        assert expected and app.clipboard == expected
        file = tmp_path / "new" / FILE
        assert file.read_text() == expected and file.stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
        assert str(file) in said(app)[0]


async def test_a_disk_that_takes_nothing_is_told(tmp_path: Path) -> None:
    app = cockpit(frames.calm())
    (tmp_path / "file").write_text("in the way")
    app.settings = replace(app.settings, state=tmp_path / "file" / "state")
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        await pilot.press("y")
        await wait_for(pilot, lambda: bool(said(app)))
        assert said(app)[0].startswith("To the clipboard only") and app.clipboard
