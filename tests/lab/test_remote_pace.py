"""How far an upload may be ahead of the machine that takes it, on lines that are fast, slow, long, and change."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator

import pytest

from rwk_tui.lab.remote.pace import BLOCK, Pace

MB = 1024 * 1024


def sent_on(per_block: Iterator[float], distance: float) -> Iterator[tuple[float, float]]:
    """When each block is known to have been taken, and how long what was sent last then waits for what was before it.

    A block takes so many seconds to be taken; `distance` is what lies between its being sent and our hearing of it.
    """
    pace, now, free_at, sent = Pace(), 0.0, 0.0, 0
    heard: deque[tuple[float, int]] = deque()
    while True:
        while pace.is_open:
            sent += BLOCK
            pace.sent(BLOCK, now)
            free_at = max(free_at, now) + next(per_block)
            heard.append((free_at + distance, sent))
        waits = free_at - now
        now, taken = heard.popleft()
        pace.took(taken, now)
        yield now, waits


def test_nothing_is_sent_beyond_the_first_block_until_that_is_taken() -> None:
    pace = Pace()
    states = [pace.is_open]
    pace.sent(BLOCK, 0.0)
    pace.took(0, 60.0)  # the other side says only that it runs
    states.append(pace.is_open)
    pace.took(BLOCK, 60.1)
    states.append(pace.is_open)
    assert states == [True, False, True]


@pytest.mark.parametrize("distance", [0.0, 0.1, 0.6])
@pytest.mark.parametrize("per_block", [0.001, 0.005, 0.02, 0.1, 0.4])
def test_however_slow_a_line_nobody_waits_long_on_it(per_block: float, distance: float) -> None:
    line = sent_on(itertools.repeat(per_block), distance)
    assert max(waits for _, waits in itertools.islice(line, 2000)) <= 1.5  # three missing signs of life are too many


def test_a_line_that_becomes_slow_is_left_free_again() -> None:
    line = sent_on(itertools.chain([0.001] * 1000, itertools.repeat(0.1)), 0.01)
    waits = [waits for _, waits in itertools.islice(line, 1500)]
    assert max(waits) <= 2  # what was under way when it changed
    assert max(waits[1100:]) <= 1.5


@pytest.mark.parametrize(("distance", "within"), [(0.0, 10.1), (0.1, 12), (0.6, 65)])
def test_a_line_is_used(distance: float, within: float) -> None:
    """A hundred megabytes at ten a second, or one in the time that it takes to hear of them."""
    line = sent_on(itertools.repeat(BLOCK / (10 * MB)), distance)
    *_, (now, _) = itertools.islice(line, 100 * MB // BLOCK)
    assert now <= within
