"""The chapters of Kubernetes on a real lab, with the newest minor that is pinned and with the older one."""

from __future__ import annotations

import pytest
from support.story_kube import only, report
from support.story_real import rig

from rwk_tui.board.kube_rows import ApiServerRow, NodeRow
from rwk_tui.engines.sets import EngineSet

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.kubernetes, pytest.mark.timeout(900)]

OLDER = "kubernetes-1.36"
CHAPTERS = (
    ("08-api-server", ""),
    ("09-api-under-etcd-partition", ""),
    ("10-api-data-loss", ""),
    ("12-worker-failure", ""),
    ("12-worker-failure", OLDER),
    ("13-ha-api", ""),
    ("14-ha-control-plane", ""),
    ("15-cleanup", ""),
    ("16-upgrade", ""),
)
"""With all minors, or as if that one alone were there. test_story_prepare_kube.py plays 11-workers."""


@pytest.mark.parametrize("which", CHAPTERS, ids=lambda which: " on ".join(filter(None, which)))
async def test_a_chapter_passes(which: tuple[str, str], kube_engines: EngineSet, subnet: int) -> None:
    chapter, minor = which
    engines = only(kube_engines, minor) if minor else kube_engines
    if minor:
        assert not [name for name in engines.programs if "kube" in name and "1.36" not in str(engines.programs[name])]
    async with rig(engines, subnet, fast=True) as stage:
        story = await stage.play(chapter)
        assert story.error == "", report(stage)
        assert {step.status for step in story.steps} == {"passed"}, report(stage)
        assert all(step.commands for step in story.steps), report(stage)
        board = stage.context.hub.board
        if minor:
            versions = {row.version for row in board.rows(ApiServerRow)}
            versions |= {row.version for row in board.rows(NodeRow)}
            assert versions == {engines.versions[minor]}, report(stage)
