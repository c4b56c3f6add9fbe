"""What went wrong is said in words, and whether a write may have happened is never guessed wrongly."""

from __future__ import annotations

import pytest

from rwk_tui.watch.answers import Alarm, split_errors
from rwk_tui.watch.refusals import translate


@pytest.mark.parametrize(
    ("code", "details", "words", "definite"),
    [
        ("DEADLINE_EXCEEDED", "Deadline Exceeded", "no answer within 1 s", False),
        (
            "UNAVAILABLE",
            "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Connection refused",
            "refused: nothing listens on h:1",
            True,
        ),
        (
            "UNAVAILABLE",
            "failed to connect to all addresses; connection attempt timed out",
            "no connection to h:1",
            True,
        ),
        (
            "UNAVAILABLE",
            "failed to connect to all addresses; last error: UNAVAILABLE: ipv4:127.0.0.1:1: Handshake read failed",
            "no TLS with h:1: one side does not accept the other",
            True,
        ),
        ("UNAVAILABLE", "Socket closed", "the connection to h:1 broke", False),
        (
            "CANCELLED",
            "Stream removed (RST_STREAM (Received RST_STREAM with error code 8))",
            "no answer within 1 s",
            False,
        ),
        ("UNKNOWN", "Stream removed (RST_STREAM with error code 2)", "the connection to h:1 broke", False),
        ("UNAVAILABLE", "etcdserver: no leader", "no leader", False),
        ("UNAVAILABLE", "etcdserver: request timed out", "etcd gave up waiting for a majority", False),
        ("RESOURCE_EXHAUSTED", "etcdserver: mvcc: database space exceeded", "etcd's space quota is used up", True),
        ("FAILED_PRECONDITION", "etcdserver: something new", "something new", True),
    ],
)
def test_words_and_whether_it_surely_was_not_done(code: str, details: str, words: str, definite: bool) -> None:
    error = translate(code, details, where="h:1", timeout=1.0)
    assert str(error) == words
    assert error.definite is definite


def test_alarms_are_told_from_other_errors() -> None:
    errors, alarms = split_errors(("etcdserver: no leader", "memberID:255 alarm:NOSPACE "))
    assert errors == ("no leader",)
    assert alarms == (Alarm("ff", "NOSPACE"),)
