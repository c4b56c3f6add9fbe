"""These tests need machines that a farm made; without one there is nothing to collect."""

from __future__ import annotations

import pytest
from support.remote_lab import KIND, remote_settings

from rwk_tui.settings import Settings

collect_ignore_glob = [] if KIND else ["*"]


@pytest.fixture
def machine_settings(request: pytest.FixtureRequest, subnet: int) -> Settings:
    """Settings of the lab on those machines, with Kubernetes as impatient as it can be."""
    return remote_settings(request.getfixturevalue("machines_state"), subnet=str(subnet), fast="true")
