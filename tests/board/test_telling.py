"""When steps began: said by the hub, worked out by a board for tapes that do not say it, kept by whole boards."""

from __future__ import annotations

from itertools import count
from typing import Any

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Frame, Step, StepStatus, Story
from rwk_tui.board.hub import Hub


def story(*statuses: StepStatus, chapter: str = "x", **values: Any) -> Story:
    steps = tuple(Step(title=f"step {number}", status=status) for number, status in enumerate(statuses))
    return Story(chapter=chapter, steps=steps, **values)


def began(board: Board) -> list[float]:
    return [step.began for step in board.story.steps]


def test_a_board_takes_the_frame_before_for_the_beginning_of_a_step() -> None:
    board, seq = Board(), count(1)

    def hear(at: float, told: Story | None = None) -> list[float]:
        board.apply(Frame(seq=next(seq), at=at, story=told))
        return began(board)

    hear(10.0)
    assert hear(11.0, story("waiting", "waiting")) == [0.0, 0.0]
    assert hear(12.0, story("running", "waiting")) == [11.0, 0.0]
    assert hear(13.0, story("running", "waiting", busy="still")) == [11.0, 0.0]
    assert hear(14.0, story("passed", "running")) == [11.0, 13.0]
    assert hear(15.0, story("running", "failed")) == [14.0, 13.0], "told once more without having waited"
    assert hear(16.0, story("waiting", "waiting")) == [0.0, 0.0]
    assert hear(17.0, story("skipped", "waiting")) == [16.0, 0.0]
    assert hear(18.0, story("passed", "waiting", chapter="y")) == [17.0, 0.0], "of another chapter"


def test_a_whole_board_keeps_what_is_known_and_makes_nothing_up() -> None:
    board, again = Board(), Board()
    board.apply(Frame(seq=1, at=10.0))
    board.apply(Frame(seq=2, at=11.0, story=story("running", "waiting")))
    again.apply(Frame(seq=1, at=99.0))
    again.apply(board.snapshot(2, 11.0))
    assert began(again) == [10.0, 0.0]
    again.apply(Frame(seq=3, at=100.0, full=True, story=story("passed", "running")))
    assert began(again) == [0.0, 0.0]


def test_the_hub_says_when_each_step_began_and_sends_an_equal_story_once() -> None:
    now = count(100)
    hub = Hub(clock=lambda: float(next(now)))
    hub.story(story("running", "waiting"))
    sent = hub.drain().story
    assert sent is not None and [step.began for step in sent.steps] == began(hub.board)
    first = began(hub.board)[0]
    assert first >= 100.0
    hub.story(story("running", "waiting"))
    assert hub.drain().story is None
    hub.story(story("passed", "running"))
    assert began(hub.board)[0] == first and began(hub.board)[1] > first
