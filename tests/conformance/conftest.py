"""Every backend that this machine can run, each as a fixture that opens a lab."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from support.lab import PROGRAMS, local_settings
from support.remote_lab import KIND, remote_settings

from rwk_tui.lab.open import open_lab
from rwk_tui.lab.protocol import Lab

LOCAL = ["local-ports", *(["local-loopback"] if sys.platform == "linux" else [])]
BACKENDS = [KIND] if KIND else LOCAL


@pytest.fixture(params=BACKENDS)
def opener(request: pytest.FixtureRequest, tmp_path: Path, subnet: int) -> Callable[[], Lab]:
    """Opens the lab that lives in this test's directory, as a new start of the program would.

    Machines that outlive a lab are the same for all tests of a run: each begins with a reset.
    """
    if KIND:
        settings = remote_settings(request.getfixturevalue("machines_state"), subnet=str(subnet))
        return lambda: open_lab(settings, PROGRAMS)
    plan = request.param.removeprefix("local-")
    return lambda: open_lab(local_settings(tmp_path / "state", plan, subnet=subnet), PROGRAMS)


@pytest.fixture
async def lab(opener: Callable[[], Lab]) -> AsyncIterator[Lab]:
    """A lab of three machines that are up."""
    opened = opener()
    try:
        await opened.reset()
        yield opened
    finally:
        await opened.leave()
