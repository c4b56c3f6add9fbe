"""Playing chapters, their files unchanged, on machines that are not ours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from support.story_kube import report
from support.story_real import Rig, rig_on

from rwk_tui.engines.sets import EngineSet
from rwk_tui.settings import Settings, load_settings
from rwk_tui.story.load import load_chapters


def chapters(*numbers: int) -> list[str]:
    """The names of the chapters with these numbers."""
    found = load_chapters(load_settings({"state": "/nonexistent"}, environment={}))
    return [chapter.name for chapter in found if int(chapter.name[:2]) in numbers]


@asynccontextmanager
async def played(chapter: str, settings: Settings, engines: EngineSet) -> AsyncIterator[Rig]:
    """The lab at the end of a chapter, each step of which passed and shows what it ran."""
    async with rig_on(settings, engines) as stage:
        story = await stage.play(chapter)
        assert story.error == "", report(stage)
        assert {step.status for step in story.steps} == {"passed"}, report(stage)
        assert all(step.commands for step in story.steps), report(stage)
        yield stage
