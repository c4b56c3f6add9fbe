"""The chapters of Kubernetes on a real lab, with the newest minor that is pinned and with the older one.

They mostly wait for leases and grace periods, so two labs run at once; each test waits for the end of its own chapter.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest
import pytest_asyncio
from support.story_kube import only, report
from support.story_real import rig
from support.subnets import free_subnet

from rwk_tui.board.kube_rows import ApiServerRow, NodeRow
from rwk_tui.engines.sets import EngineSet

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.timeout(480),
    pytest.mark.asyncio(loop_scope="module"),
]

OLDER = "kubernetes-1.36"
CHAPTERS = (
    ("16-upgrade", ""),
    ("14-ha-control-plane", ""),
    ("09-api-under-etcd-partition", ""),
    ("13-ha-api", ""),
    ("12-worker-failure", OLDER),
    ("10-api-data-loss", ""),
    ("12-worker-failure", ""),
    ("15-cleanup", ""),
    ("11-workers", ""),
    ("08-api-server", OLDER),
    ("08-api-server", ""),
)
"""With the minor that alone is there, or with all of them; the longest first, so that none is left over at the end."""
AT_ONCE = 2

Played = dict[tuple[str, str], asyncio.Task[str]]


async def play(chapter: str, minor: str, engines: EngineSet, gate: asyncio.Semaphore) -> str:
    """Play one chapter on a lab of its own; what is wrong with how that went, "" if nothing is."""
    async with gate:
        with free_subnet() as subnet:
            async with rig(engines, subnet, fast=True) as stage:
                story = await stage.play(chapter)
                if story.error or {step.status for step in story.steps} != {"passed"}:
                    return report(stage)
                if not all(step.commands for step in story.steps):
                    return f"a step shows no command\n{report(stage)}"
                board = stage.context.hub.board
                servers, nodes = board.rows(ApiServerRow), board.rows(NodeRow)
                versions = {row.version for row in servers} | {row.version for row in nodes}
                if minor and versions != {engines.versions[minor]}:
                    return f"versions {versions}\n{report(stage)}"
                return ""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played(request: pytest.FixtureRequest, kube_engines: EngineSet) -> AsyncIterator[Played]:
    """Every chapter that is asked for in this run, being played or in line for it."""
    older = only(kube_engines, OLDER)
    assert not [name for name in older.programs if "kube" in name and "1.36" not in str(older.programs[name])]
    gate = asyncio.Semaphore(AT_ONCE)
    mine = [item for item in request.session.items if isinstance(item, pytest.Function) and item.path == request.path]
    asked = [cast("tuple[str, str]", item.callspec.params["which"]) for item in mine]
    tasks = {
        (chapter, minor): asyncio.create_task(play(chapter, minor, older if minor else kube_engines, gate))
        for chapter, minor in asked
    }
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.parametrize("which", CHAPTERS, ids=lambda which: " on ".join(filter(None, which)))
async def test_a_chapter_passes(which: tuple[str, str], played: Played) -> None:
    wrong = await played[which]
    assert not wrong, wrong
