"""What is printed for onlookers is what they can go to."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from urllib.parse import urlsplit

import psutil
import pytest

from rwk_tui.web.address import addresses
from rwk_tui.web.guard import knows


def test_an_address_stays_as_it_is() -> None:
    assert addresses("127.0.0.1", 80) == ["http://127.0.0.1:80"]
    assert addresses("::1", 80, ["lab.example.org"]) == ["http://lab.example.org:80", "http://[::1]:80"]


@pytest.mark.parametrize(
    ("wildcard", "found"),
    [
        ("0.0.0.0", ["http://198.51.100.7:8123", "http://desk:8123"]),
        ("::", ["http://[2001:db8::7]:8123", "http://desk:8123"]),
    ],
)
def test_for_all_addresses_those_are_said_that_others_reach(
    wildcard: str, found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    four, six = socket.AF_INET, socket.AF_INET6
    have: dict[str, list[tuple[int, str]]] = {
        "lo": [(four, "127.0.0.1"), (six, "::1")],
        "eth0": [(four, "198.51.100.7"), (six, "2001:db8::7"), (six, "fe80::1%eth0"), (17, "02:fc:00:00:00:01")],
        "eth1": [(four, "198.51.100.8")],
    }
    cards = {name: [SimpleNamespace(family=family, address=of) for family, of in each] for name, each in have.items()}
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: cards)
    monkeypatch.setattr(psutil, "net_if_stats", lambda: {name: SimpleNamespace(isup=name != "eth1") for name in have})
    monkeypatch.setattr(socket, "gethostname", lambda: "desk")
    assert addresses(wildcard, 8123) == found
    assert all(knows(wildcard, urlsplit(each).netloc) for each in found)
