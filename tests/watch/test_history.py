"""Whether history went forward: what an acknowledged write proves, and what it does not."""

from __future__ import annotations

import pytest

from rwk_tui.watch.answers import Written
from rwk_tui.watch.history import Course, History, Place, judge


def written(revision: int, term: int = 2) -> Written:
    return Written(revision, "cafe", term)


@pytest.mark.parametrize(
    ("revision", "term", "course"),
    [
        (11, 2, "forward"),
        (11, 3, "forward"),
        (10, 2, "doubtful"),  # the same cluster, or one that was set up again
        (3, 2, "doubtful"),
        (900, 1, "doubtful"),
        (10, 3, "backward"),  # the cluster went on and lost something
        (3, 3, "backward"),
    ],
)
def test_a_write_that_was_sent_after_revision_10_in_term_2(revision: int, term: int, course: Course) -> None:
    assert judge(written(revision, term), Place(10, 7, 2, 10, 7)) == course


def test_before_anything_is_known_everything_goes_forward() -> None:
    assert judge(written(1, 1), Place()) == "forward"


def test_after_a_restart_of_the_daemon_only_the_revision_is_known_and_nothing_is_accused() -> None:
    history = History()
    history.restart(seq=7, revision=10)
    assert judge(written(11, 5), history.place) == "forward"
    assert judge(written(10, 5), history.place) == "doubtful"


def test_writes_that_are_under_way_together_may_be_acknowledged_in_any_order() -> None:
    history = History()
    history.take(1, written(10))
    before = history.place
    history.take(3, written(12))
    history.take(2, written(11))
    assert judge(written(11), before) == judge(written(12), before) == "forward"
    assert history.place == Place(12, 3, 2, 12, 3)
    assert judge(written(12), history.place) == "doubtful"


def test_what_follows_a_loss_is_known_to_follow_it() -> None:
    history = History()
    history.take(1, written(100))
    history.take(2, written(5, 3))
    assert history.place == Place(100, 1, 3, 5, 2)
    assert judge(written(6, 3), history.place) == "backward"
    assert judge(written(5, 3), history.place) == "doubtful"
    assert judge(written(101, 3), history.place) == "forward"


def test_the_newest_violations_are_kept_with_their_time() -> None:
    history = History()
    for number in range(60):
        history.violated(float(number), number, "core-02", written(3, 3), Place(10, 7, 2))
    assert len(history.backward(0.0)) == 50
    assert history.backward(58.0) == [
        "write 59, through core-02, got revision 3, though write 7 had got 10 before it was sent"
    ]
