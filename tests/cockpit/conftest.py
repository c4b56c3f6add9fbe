"""What all tests of the cockpit share."""

from __future__ import annotations

import pytest
from support.settling import settle_soon


@pytest.fixture(autouse=True)
def settling(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pilot knows when the app has done all, whatever else the machine does."""
    settle_soon(monkeypatch)
