"""Playing, pausing, speeds and jumps, with a clock that is set by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Event, Frame
from rwk_tui.board.rows import MachineRow
from rwk_tui.tape import player as playing
from rwk_tui.tape.player import Player
from rwk_tui.tape.read import Tape
from rwk_tui.tape.reel import PACK, Reel

TAPES = Path(__file__).resolve().parent.parent / "tapes"
BEGAN = 1_000.0


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


def frame(number: int, moment: float, *, event: bool = False) -> Frame:
    at = BEGAN + moment
    machine = MachineRow(seen_at=at, name=f"core-{number % 7}", power="up", address="x", since=at)
    told = Event(id=number, at=at, kind="test", level="info", text=f"event {number}")
    return Frame(
        seq=number,
        at=at,
        full=number == 0,
        rows=(machine,),
        gone=(f"machine/core-{(number + 3) % 7}",),
        events=(told,) if event else (),
    )


def reel_of(frames: list[Frame], *, complete: bool = True) -> Reel:
    reel = Reel()
    for one in frames:
        reel.add(one)
    reel.complete = complete
    return reel


def board_of(frames: list[Frame]) -> Board:
    board = Board()
    for one in frames:
        board.apply(one)
    return board


def same(one: Board, other: Board) -> bool:
    """Whether two boards are equal to the last field of each row."""
    return _facts(one) == _facts(other)


def _facts(board: Board) -> tuple[object, ...]:
    rows = sorted((row.key, repr(row)) for row in board.all())
    return rows, list(board.events), list(board.output), board.story, board.at


LONG = [frame(number, number * 0.5, event=number % 40 == 20) for number in range(3 * PACK + 10)]


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def player(hand: Hand) -> Player:
    return Player(reel_of(LONG), clock=hand)


def seqs(player: Player) -> list[int]:
    return [one.seq for one in player.due()]


def test_frames_come_at_the_pace_of_the_run(player: Player, hand: Hand) -> None:
    assert seqs(player) == [0]
    assert player.wait() == pytest.approx(0.5)
    hand.now += 1.1
    assert seqs(player) == [1, 2]
    assert player.now == pytest.approx(BEGAN + 1.1)
    assert player.wait() == pytest.approx(0.4)


def test_faster_and_slower(player: Player, hand: Hand) -> None:
    for _ in range(9):
        player.faster()
    assert player.position.speed == 10.0
    seqs(player)
    hand.now += 0.31
    assert seqs(player) == [1, 2, 3, 4, 5, 6]
    for _ in range(9):
        player.slower()
    assert player.position.speed == 0.5
    hand.now += 1.0
    assert player.position.at == pytest.approx(3.6)


def test_what_is_paused_stands_still_and_so_does_its_time(player: Player, hand: Hand) -> None:
    hand.now += 1.0
    player.pause()
    seqs(player)
    hand.now += 60
    assert (player.now, player.position.state) == (BEGAN + 1.0, "paused")
    assert player.wait() is None
    assert seqs(player) == []
    player.pause()
    hand.now += 0.5
    assert player.now == pytest.approx(BEGAN + 1.5)


def test_whoever_slept_missed_nothing(player: Player, hand: Hand) -> None:
    hand.now += 3600
    assert player.position.at == pytest.approx(playing.LEAP)


@pytest.mark.parametrize("moment", [0.0, 0.2, 63.5, 64.0, 100.3, 190.0, 10_000.0, -5.0])
def test_a_jump_shows_the_board_of_that_moment(player: Player, moment: float) -> None:
    seqs(player)
    player.seek(120.0)
    player.pause()
    list(player.due())
    player.seek(moment)
    (whole,) = player.due()
    assert whole.full
    board = Board()
    board.apply(whole)
    assert same(board, board_of([one for one in LONG if one.at - BEGAN <= max(0.0, moment)]))


def test_after_a_jump_it_plays_on_from_there(player: Player, hand: Hand) -> None:
    player.seek(100.0)
    hand.now += 0.6
    frames = list(player.due())
    assert [one.full for one in frames] == [True, False]
    assert [one.seq for one in frames] == [200, 201]


def test_ten_seconds_back_and_on_end_at_the_ends(player: Player) -> None:
    player.pause()
    player.on()
    assert player.position.at == 10.0
    player.back()
    player.back()
    assert player.position.at == 0.0
    player.end()
    player.on()
    assert player.position.at == player.position.length == LONG[-1].at - BEGAN


def test_from_event_to_event(player: Player, hand: Hand) -> None:
    player.pause()
    places = []
    for _ in range(3):
        player.event_after()
        places.append(player.position.at)
    player.event_before()
    places.append(player.position.at)
    assert places == [10.0, 30.0, 50.0, 30.0]
    player.pause()
    hand.now += 0.5
    player.event_before()
    assert player.position.at == 10.0, "just behind an event, the one before it is meant"
    player.start()
    player.event_before()
    assert player.position.at == 0.0
    player.seek(199.0)
    player.event_after()
    assert player.position.at == player.position.length


def test_events_that_are_close_are_one_place() -> None:
    close = [frame(number, number * 0.25, event=number > 0) for number in range(9)]
    assert reel_of(close).marks == [0.25, 1.25]


def test_at_the_end_it_waits_and_begins_anew_when_asked(player: Player, hand: Hand) -> None:
    player.end()
    seqs(player)
    assert player.position.state == "ended"
    assert player.wait() is None
    player.pause()
    assert (player.position.state, player.position.at) == ("playing", 0.0)
    assert [one.full for one in player.due()] == [True]


def test_while_it_is_read_the_end_is_only_the_end_so_far(hand: Hand) -> None:
    reel = reel_of(LONG[:5], complete=False)
    player = Player(reel, clock=hand)
    seqs(player)
    player.end()
    seqs(player)
    assert (player.position.state, player.position.reading) == ("playing", True)
    assert player.wait() is None
    reel.add(LONG[5])
    hand.now += 0.5
    assert seqs(player) == [5]


def test_a_clock_that_was_set_back_does_not_turn_the_tape_back(hand: Hand) -> None:
    reel = reel_of([frame(0, 0.0), frame(1, 5.0), frame(2, 3.0), frame(3, 6.0)])
    assert [reel.moment(number) for number in range(4)] == [0.0, 5.0, 5.0, 6.0]


@pytest.mark.parametrize("name", ["leader-power-cut", "story"])
def test_a_real_run_ends_on_the_same_board_with_the_same_events(name: str, hand: Hand) -> None:
    frames = list(Tape(TAPES / f"{name}.jsonl"))
    player, replayed = Player(reel_of(frames), clock=hand), Board()
    events: list[Event] = []
    while True:
        for one in player.due():
            replayed.apply(one)
            events += one.events
        wait = player.wait()
        if wait is None:
            break
        hand.now += min(wait, playing.LEAP)
    assert same(replayed, board_of(frames))
    assert events == [event for one in frames for event in one.events]
    player.seek(0.5)
    player.end()
    (whole,) = player.due()
    replayed.apply(whole)
    assert same(replayed, board_of(frames))
