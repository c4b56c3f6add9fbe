"""Why etcd ended: its own words, out of a log that holds several runs, stacks and noise."""

from __future__ import annotations

import json

import pytest

from rwk_tui.faults.last_words import LONGEST, STARTING, complaint, read_entry, reason


def line(level: str, msg: str, error: str = "", ts: object = "2026-11-24T13:08:03.644450Z") -> str:
    given = {"level": level, "ts": ts, "msg": msg}
    return json.dumps(given | ({"error": error} if error else {}))


START = line("info", STARTING)


def of(*lines: str) -> str:
    return reason([read_entry(one) for one in lines])


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ((START, line("fatal", "discovery failed", "walpb: crc mismatch")), "walpb: crc mismatch"),
        (
            (START, line("panic", "failed to open database", "invalid database"), "panic: failed to open database"),
            "failed to open database: invalid database",
        ),
        (
            (START, "panic: tocommit(98) is out of range", "", "goroutine 7 [running]:"),
            "panic: tocommit(98) is out of range",
        ),
        (
            (
                START,
                line("warn", "server error", "the member has been permanently removed from the cluster"),
                line("fatal", "listener failed", "server is stopping"),
            ),
            "the member has been permanently removed from the cluster",
        ),
        ((START, line("fatal", "one"), START, line("info", "two")), ""),
        ((line("fatal", "its beginning is not in the log any more"),), "its beginning is not in the log any more"),
        ((), ""),
    ],
    ids=["fatal", "panic", "bare panic", "removed", "an earlier run", "cut off", "empty"],
)
def test_why_the_newest_run_ended(lines: tuple[str, ...], words: str) -> None:
    assert of(*lines) == words


def test_long_words_are_cut() -> None:
    assert len(of(START, line("fatal", "x" * 1000))) == LONGEST


@pytest.mark.parametrize("text", ["", "not json", "[1]", "17", '{"level": 3, "ts": "yesterday"}', "\x00\xff"])
def test_any_line_can_be_read(text: str) -> None:
    entry = read_entry(text)
    assert entry.at == 0.0


def test_times_are_given_in_two_ways() -> None:
    assert read_entry(line("info", "one", ts=1795525644.5)).at == 1795525644.5
    assert read_entry(line("info", "one", ts="2026-11-24T13:07:24.500Z")).at == 1795525644.5


def test_the_newest_complaint_since_then_is_found() -> None:
    log = [
        read_entry(line("warn", "rejected", "certificate has expired", ts=10.0)),
        read_entry(line("warn", "rejected", "x509: certificate has expired", ts=20.0)),
        read_entry(line("warn", "rejected", "EOF", ts=30.0)),
    ]
    assert complaint(log, ("has expired",), 5.0) == "x509: certificate has expired"
    assert complaint(log, ("has expired",), 20.0) == ""
    assert complaint(log, ("unknown authority",), 5.0) == ""
