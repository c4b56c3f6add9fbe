"""What modules share whose tests stand on one lab with Kubernetes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from support.story_real import Rig, rig
from support.subnets import free_subnet

from rwk_tui.engines.sets import EngineSet


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_rig(kube_engines: EngineSet) -> AsyncIterator[Rig]:
    """A rig for all tests of a module that carries the marks `ONE_KUBERNETES`; no chapter is open yet."""
    with free_subnet() as subnet:
        async with rig(kube_engines, subnet, fast=True) as made:
            yield made
