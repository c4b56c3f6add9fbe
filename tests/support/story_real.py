"""Plays chapters in this process on a real lab; run as a program, it prints the time of every step.

python tests/support/story_real.py --subnet 50 [CHAPTER...] [--runs 5] [--fast]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from support.real_lab import etcd_alone, real_lab
from support.remote_lab import KEPT, KIND, remote_settings

from rwk_tui.board.frames import Story
from rwk_tui.engines.sets import EngineSet, find_set
from rwk_tui.faults.catalogue import Faults
from rwk_tui.settings import Settings, load_settings
from rwk_tui.story.context import Context
from rwk_tui.story.director import Director
from rwk_tui.story.load import load_chapters


@dataclass(frozen=True, slots=True)
class Rig:
    """A real lab with everything that a story needs, and what the director recorded."""

    context: Context
    director: Director
    faults: Faults
    recorded: list[tuple[str, int]]

    @property
    def story(self) -> Story:
        return self.context.hub.board.story

    async def play(self, chapter: str, *, until: int | None = None) -> Story:
        """Open a chapter and run its steps, as far as `until` (an index) if that is given."""
        await self.director.open(chapter)
        await self.director.settled()
        while not self.story.error and self.story.step < (len(self.story.steps) if until is None else until):
            await self.director.next()
            await self.director.settled()
        return self.story


@asynccontextmanager
async def rig(engines: EngineSet | Path, subnet: int, *, fast: bool = False) -> AsyncIterator[Rig]:
    """A rig on that subnet, cleaned up afterwards; `engines` may be a directory that holds etcd alone."""
    with tempfile.TemporaryDirectory(prefix="rwk-story-") as directory:
        state = Path(directory)
        settings = Settings(state=state, engine_cache=state / "engines", subnet=subnet, fast=fast)
        async with rig_on(settings, engines) as made:
            yield made


@asynccontextmanager
async def rig_on(settings: Settings, engines: EngineSet | Path) -> AsyncIterator[Rig]:
    """A rig on a lab with these settings; it is left as it is when nobody holds it."""
    found = etcd_alone(engines) if isinstance(engines, Path) else engines
    async with real_lab(settings, found) as (stack, told):
        yield Rig(stack.context, stack.director, stack.faults, told.steps)


async def _main(arguments: argparse.Namespace) -> int:
    failed = 0
    found = arguments.engines or find_set(load_settings())
    if KIND:
        settings = remote_settings(Path(KEPT), subnet=str(arguments.subnet), fast=str(arguments.fast).lower())
        made = rig_on(settings, found)
    else:
        made = rig(found, arguments.subnet, fast=arguments.fast)
    async with made as stage:
        chapters = arguments.chapters or [c.name for c in load_chapters(stage.context.settings)]
        for run in range(arguments.runs):
            for chapter in chapters:
                story = await stage.play(chapter)
                for step in story.steps:
                    saw = "; ".join(
                        f"{c.expect} → {c.saw}"
                        for c in step.checks
                        if c.status == "failed" or "gap" in c.expect or "gone" in c.expect
                    )
                    print(
                        f"{run + 1} {chapter:20} {step.status:8} {step.seconds:6.2f} s  {step.title}  {saw}", flush=True
                    )
                if story.error:
                    failed += 1
                    print(f"  {story.error}")
                if arguments.verbose or story.error:
                    for line in stage.context.hub.board.output:
                        print(f"    {line.machine:8} {line.stream:8} {line.text}")
                stage.context.hub.board.output.clear()
    return 1 if failed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("chapters", nargs="*")
    parser.add_argument("--engines", type=Path)
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--subnet", type=int, default=50)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    sys.exit(asyncio.run(_main(parser.parse_args())))
