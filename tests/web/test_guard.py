"""Who may ask: names that are ours, and pages that came from us."""

from __future__ import annotations

import socket

import pytest

from rwk_tui.web.guard import is_loopback, is_name, knows, same_site


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.7", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_what_only_this_computer_reaches(host: str, loopback: bool) -> None:
    assert is_loopback(host) == loopback


@pytest.mark.parametrize("asked", ["127.0.0.1:8123", "localhost:8123", "LOCALHOST", "[::1]:8123", "localhost:9"])
def test_on_loopback_its_names_are_known_by_any_port(asked: str) -> None:
    assert knows("127.0.0.1", asked)


@pytest.mark.parametrize(
    "asked",
    [
        *("evil.example", "evil.example:8123", "127.0.0.1.evil.example", "localhost.evil.example", "192.0.2.7"),
        *("", None, ":8123", "localhost:x", "localhost:99999", "a b", "127.0.0.1/..", "u@127.0.0.1", "[::1", "0x7f.1"),
        *("localhost;script-src *", "127.0.0.1,evil", "\x00", "localhost#", "2130706433"),
    ],
)
def test_all_other_names_are_refused(asked: str | None) -> None:
    assert not knows("127.0.0.1", asked)


def test_elsewhere_addresses_and_the_computers_own_name_are_known() -> None:
    for asked in ("192.0.2.7:8123", "[2001:db8::1]:8123", "localhost:8123", f"{socket.gethostname()}:8123"):
        assert knows("0.0.0.0", asked)
    assert knows("demo.example", "demo.example:8123")
    for asked in ("evil.example", "demo.example.evil.example"):
        assert not knows("0.0.0.0", asked) and not knows("demo.example", asked)


def test_names_that_were_given_are_known_wherever_it_listens() -> None:
    for served in ("127.0.0.1", "0.0.0.0"):
        assert knows(served, "lab.example.org:8123", ["Lab.example.org"])
        assert not knows(served, "evil.example", ["lab.example.org"])


@pytest.mark.parametrize("text", ["lab.example.org:80", "http://x", "a b", "", "x/y", "u@x"])
def test_what_is_no_name(text: str) -> None:
    assert is_name("Lab.example.org") and not is_name(text)


@pytest.mark.parametrize(
    ("origin", "same"),
    [
        ("http://127.0.0.1:8123", True),
        ("https://127.0.0.1:8123", True),
        ("http://127.0.0.1:8124", False),
        ("http://localhost:8123", False),
        ("http://evil.example", False),
        ("http://127.0.0.1:8123.evil.example", False),
        ("http://u@127.0.0.1:8123", False),
        ("file://127.0.0.1:8123", False),
        ("null", False),
        ("http://[", False),
        ("", False),
        (None, False),
    ],
)
def test_a_websocket_belongs_to_the_page_that_opened_it(origin: str | None, same: bool) -> None:
    assert same_site(origin, "127.0.0.1:8123") == same
    assert not same_site(origin, None)
