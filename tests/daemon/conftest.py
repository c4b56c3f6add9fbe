"""A state directory with a short path, and settings for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.daemon_fake import make_settings, short_directory

from rwk_tui.settings import Settings


@pytest.fixture
def settings() -> Iterator[Settings]:
    with short_directory() as directory:
        yield make_settings(directory / "state", linger=0.3)
