"""What tests of the watch share."""

from __future__ import annotations

import pytest
from support.watch_canary import PATIENCE


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a pause that is longer than any of this computer's own is a gap."""
    monkeypatch.setattr("rwk_tui.watch.gaps.FLOOR", PATIENCE)
