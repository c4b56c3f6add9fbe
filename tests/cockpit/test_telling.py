"""Whose output it is: a step shows what it printed in this telling of its chapter, and nothing from an earlier one."""

from __future__ import annotations

from pathlib import Path

from support.story_fakes import stage

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Output, Step, Story
from rwk_tui.board.hub import Hub
from rwk_tui.cockpit.copying import script
from rwk_tui.cockpit.views.present import narration_view
from rwk_tui.cockpit.views.story import story_view
from rwk_tui.data import data_dir
from rwk_tui.tape.read import Tape

DEMO = data_dir("assets") / "tapes" / "demo.tape"
CHAPTER = """\
title: Demo
goal: To test
steps:
  - title: One
    do:
      - run: {on: core-01, command: echo one}
  - title: Two
    needs: etcd >= 9.9
    do:
      - run: {on: core-01, command: echo two}
"""


def printed(board: Board, stream: str = "command") -> list[list[str]]:
    told = story_view(board, board.at).told
    return [[one.text for one in step.output if one.stream == stream] for step in told]


def test_in_the_tape_that_comes_along_each_step_has_its_own_commands_and_a_waiting_one_has_none() -> None:
    board, told = Board(), 0
    for frame in Tape(DEMO):
        board.apply(frame)
        if frame.story is None:
            continue
        for step, commands in zip(story_view(board, board.at).told, printed(board), strict=True):
            if step.step.status == "waiting":
                assert step.output == ()
            elif step.step.status == "passed" and not board.story.chapter.startswith("fault:"):
                assert len(commands) == len(step.step.commands), (board.story.chapter, step.number)
                told += 1
    assert told > 100


def test_a_title_that_was_told_before_brings_nothing_of_it_along() -> None:
    hub = Hub()

    def tell(chapter: str, command: str) -> None:
        hub.story(Story(chapter=chapter, title=chapter, steps=(Step(title="Restore", status="running"),)))
        hub.print(Output(at=hub.now(), step="Restore", machine="", stream="command", text=command))

    tell("first", "restore one")
    hub.story(Story(chapter="second", title="second", steps=(Step(title="Restore", commands=("restore <two>",)),)))
    assert printed(hub.board) == [[]]
    assert script(hub.board) == "# second: Restore\nrestore <two>\n"
    hub.story(Story(chapter="second", title="second", steps=(Step(title="Restore", status="running"),)))
    assert narration_view(hub.board, frozenset()).command == ""
    tell("second", "restore two")
    assert printed(hub.board) == [["restore two"]]
    assert narration_view(hub.board, frozenset()).command == "restore two"
    assert script(hub.board) == "# second: Restore\nrestore two\n"


async def test_a_step_that_is_told_again_begins_with_nothing(tmp_path: Path) -> None:
    demo = stage(tmp_path, CHAPTER)
    demo.lab.stage["core-01"].answers["echo"] = (0, "one")
    board = demo.context.hub.board
    await demo.director.open("demo")
    await demo.director.settled()
    for _ in range(2):
        await demo.director.next()
        await demo.director.settled()
        assert printed(board)[:1] == [["echo one"]]
        await demo.director.back()
        await demo.director.settled()
        assert printed(board) == [[]]


async def test_a_step_that_is_passed_over_keeps_the_remark_that_says_why(tmp_path: Path) -> None:
    demo = stage(tmp_path, CHAPTER)
    demo.lab.stage["core-01"].answers["echo"] = (0, "one")
    await demo.director.open("demo")
    await demo.director.settled()
    for _ in range(2):
        await demo.director.next()
        await demo.director.settled()
    assert demo.statuses() == ["passed", "skipped"]
    assert [note.startswith("skipped: needs") for note in printed(demo.context.hub.board, "note")[1]] == [True]
