"""A real lab as the daemon puts it together, in this process: what every test on real engines stands on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import FaultRow
from rwk_tui.daemon.compose import Stack, assemble
from rwk_tui.engines.sets import EngineSet
from rwk_tui.engines.upstreams import ETCD_PROGRAMS
from rwk_tui.settings import Settings
from rwk_tui.story.load import load_chapters


@dataclass(frozen=True, slots=True)
class Told:
    """What the stack wrote down before it acted, newest last, and what it complained of."""

    steps: list[tuple[str, int]] = field(default_factory=list)
    faults: list[tuple[FaultRow, ...]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@asynccontextmanager
async def real_lab(settings: Settings, engines: EngineSet) -> AsyncIterator[tuple[Stack, Told]]:
    """The stack with its machines up and watched; let go of afterwards."""
    told = Told()
    stack = assemble(
        settings,
        Hub(),
        engines,
        load_chapters(settings),
        record_story=lambda chapter, step: told.steps.append((chapter, step)),
        record_faults=told.faults.append,
        complain=told.complaints.append,
    )
    try:
        await stack.start()
        yield stack, told
    finally:
        await stack.leave()


def etcd_alone(directory: Path) -> EngineSet:
    """Engines of a lab that has only etcd, from that directory."""
    programs: Mapping[str, Path] = {name: directory / name for name in ETCD_PROGRAMS}
    return EngineSet(programs, {}, {}, {})
