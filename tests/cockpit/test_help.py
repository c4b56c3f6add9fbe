"""Help begins with the pane that has the focus, and explains the words that are read in it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from support import cockpit_frames as frames
from support.cockpit_app import FakeSource, cockpit, wait_for

from rwk_tui.cockpit import marks
from rwk_tui.cockpit.actions import PANES
from rwk_tui.cockpit.app import Cockpit
from rwk_tui.cockpit.lessons import LESSONS
from rwk_tui.cockpit.screens.help import HelpScreen, help_lines, lesson_lines
from rwk_tui.cockpit.text import plain, width_of


def test_every_pane_has_a_lesson() -> None:
    assert tuple(LESSONS) == PANES


@pytest.mark.parametrize("pane", PANES)
def test_a_lesson_is_short(pane: str) -> None:
    lesson = LESSONS[pane]
    assert 2 <= len(re.findall(r"[.](?= |$)", lesson.shows)) <= 6
    words = [word for word, _ in lesson.words]
    assert len(words) == len(set(words)) >= 4
    assert [word for word, meaning in lesson.words if not meaning.endswith(".") or len(meaning) > 200] == []


@pytest.mark.parametrize(
    ("pane", "words"),
    [
        ("machines", {marks.POWER["halted"].word, marks.POWER["off"].word, marks.POWER["gone"].word, marks.CUT.word}),
        ("etcd", {"member", "voter", "learner", marks.LEADER.word, "quorum", "term", "index", "lag"}),
        ("kubernetes", {"node", "lease", "taint", marks.POD["terminating"].word, marks.CORDONED.word, "replica"}),
        ("availability", {"acknowledged", "gap", "lost"}),
    ],
)
def test_words_are_those_that_the_panes_use(pane: str, words: set[str]) -> None:
    assert words <= {word for word, _ in LESSONS[pane].words}


@pytest.mark.parametrize("pane", PANES)
@pytest.mark.parametrize("width", [56, 72, 95])
def test_nothing_is_cut_off(pane: str, width: int) -> None:
    lines = help_lines(pane, width)
    assert [plain(each) for each in lines if width_of(each) > width] == []
    told = " ".join(" ".join(plain(each) for each in lesson_lines(pane, width)).split())
    assert [word for word, meaning in LESSONS[pane].words if f"{word} {meaning}" not in told] == []


def first_line(app: Cockpit) -> str:
    sheet: Any = app.screen.query_one("#sheet")
    return plain(sheet.shown[0]) if sheet.shown else ""


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_it_begins_with_the_pane_in_focus(size: tuple[int, int]) -> None:
    app = cockpit(frames.calm())
    async with app.run_test(size=size) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        await pilot.press("question_mark")
        await wait_for(pilot, lambda: first_line(app) == "The Story pane")
        for key, pane in zip("123456", PANES, strict=True):
            await pilot.press("escape", key, "question_mark")
            await wait_for(pilot, lambda pane=pane: first_line(app) == f"The {LESSONS[pane].title} pane")  # type: ignore[misc]


async def test_tab_moves_what_is_explained() -> None:
    app = cockpit(frames.calm())
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        await pilot.press("tab", "question_mark")
        await wait_for(pilot, lambda: first_line(app) == "The Timeline pane")
        await pilot.press("f1", "shift+tab", "shift+tab", "f1")
        await wait_for(pilot, lambda: first_line(app) == "The Availability pane")


async def test_keys_of_panes_explain_others_and_leave_the_main_screen_alone() -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        await pilot.press("question_mark", "end", "2")
        await wait_for(pilot, lambda: first_line(app) == "The etcd pane")
        assert app.screen.query_one("#sheet").scroll_y == 0
        await pilot.press("n", "9", "6")
        await wait_for(pilot, lambda: first_line(app) == "The Timeline pane")
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("question_mark")
        await wait_for(pilot, lambda: len(app.screen_stack) == 1)
        assert app.main.in_focus == "story"
        assert source.calls == []
