"""What Vagrant prints becomes lines for a screen."""

from __future__ import annotations

import pytest

from rwk_tui.lab.vagrant.output import Clean, Splitter, cleaned


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("==> core-01: Booting VM...", "Booting VM..."),
        ("    core-01: SSH address: 127.0.0.1:2222", "SSH address: 127.0.0.1:2222"),
        ("\x1b[0m\x1b[1m==> core-01: Importing base box 'debian'...\x1b[0m", "Importing base box 'debian'..."),
        ("\x1b]0;title\x07\x1b[KProgress: 20%", "Progress: 20%"),
        ("Bringing machine 'core-01' up ...", "Bringing machine 'core-01' up ..."),
        ("    core-01: ", ""),
        ("\x00\x08tab\there\x7f\x9b", "tab here"),
        ("==> core-01:     core-02: nested", "core-02: nested"),
    ],
)  # fmt: skip
def test_cleaned(raw: str, clean: str) -> None:
    assert cleaned(raw) == clean


def test_splitting() -> None:
    splitter = Splitter()
    assert list(splitter.feed(b"one\ntw")) == ["one"]
    assert list(splitter.feed(b"o\r\n\rProgress: 1%\rProgress: 2%")) == ["two", "", "Progress: 1%"]
    assert list(splitter.feed("\nfünf".encode()[:-3])) == ["Progress: 2%"]
    assert list(splitter.feed("ünf\xff".encode()[1:3])) == []
    assert list(splitter.feed(b"\xff")) == []
    assert list(splitter.feed(b"")) == ["fün\N{REPLACEMENT CHARACTER}"]
    assert list(splitter.feed(b"")) == []


def test_a_line_without_end_is_no_reason_to_wait_for_ever() -> None:
    """Nor to look through it again from each of its characters: this one would take an hour."""
    assert [len(line) for line in Splitter().feed(b"x" * 500_000)] == [500_000]


def test_nothing_is_said_twice_and_progress_is_said_now_and_then() -> None:
    now = 0.0
    told: list[str] = []
    clean = Clean(told.append, clock=lambda: now)
    for second in range(5):
        now = second / 2
        clean.line(f"\x1b[K    core-01: Progress: {second}% (Rate: 5M/s)")
    for line in ("", "==> core-01: Warning: Connection refused. Retrying...") * 3:
        clean.line(line)
    clean.line("    core-01: Machine booted and ready!")
    assert told == [
        "Progress: 0% (Rate: 5M/s)",
        "Progress: 2% (Rate: 5M/s)",
        "Progress: 4% (Rate: 5M/s)",
        "Warning: Connection refused. Retrying...",
        "Machine booted and ready!",
    ]
