"""What the tests of faults share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.faults_kube import Stage
from support.faults_world import FaultsWorld


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[FaultsWorld]:
    made = FaultsWorld(tmp_path)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def stage(world: FaultsWorld) -> Stage:
    return Stage(world.ground)
