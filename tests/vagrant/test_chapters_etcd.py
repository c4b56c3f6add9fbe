"""The chapters of etcd on machines that are not ours."""

from __future__ import annotations

import pytest
from support.remote_story import chapters, played

from rwk_tui.engines.sets import EngineSet
from rwk_tui.settings import Settings

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(2400)]


@pytest.mark.parametrize("chapter", chapters(*range(1, 8)))
async def test_a_chapter_of_etcd_passes(chapter: str, machine_settings: Settings, kube_engines: EngineSet) -> None:
    async with played(chapter, machine_settings, kube_engines):
        pass
