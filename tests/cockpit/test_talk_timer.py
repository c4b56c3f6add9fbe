"""The talk timer as a value."""

from __future__ import annotations

import pytest

from rwk_tui.cockpit.talk_timer import TalkTimer


def test_a_pause_does_not_count() -> None:
    timer = TalkTimer(100.0)
    assert timer.elapsed(130.0) == 30
    paused = timer.toggled(130.0)
    assert paused.elapsed(500.0) == 30
    assert paused.toggled(500.0).elapsed(510.0) == 40


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0:00"), (59.9, "0:59"), (245, "4:05"), (3723, "1:02:03"), (-5, "0:00")]
)
def test_words(seconds: float, words: str) -> None:
    assert TalkTimer(1000.0).words(1000.0 + seconds) == words
