"""What all tests of the cockpit share."""

from __future__ import annotations

import pytest
from support.settling import settle_soon
from support.style_sheets import Parsed, share_style_sheets


@pytest.fixture(scope="session")
def parsed_style_sheets() -> Parsed:
    """What apps of this run have parsed."""
    return {}


@pytest.fixture(autouse=True)
def quick_apps(monkeypatch: pytest.MonkeyPatch, parsed_style_sheets: Parsed) -> None:
    """A pilot knows when the app has done all, whatever else the machine does, and no app begins from nothing."""
    settle_soon(monkeypatch)
    share_style_sheets(monkeypatch, parsed_style_sheets)
