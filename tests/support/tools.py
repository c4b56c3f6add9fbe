"""Tools that some tests take from the computer they run on."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def unavailable(why: str) -> NoReturn:
    """Skip a test that this computer can't run; in CI a promise that nobody tested is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"missing in CI: {why}")
    pytest.skip(why)
