"""The composition root: engines, lab, site, watcher, faults and director, made for one hub.

Imported late, in a thread: what it pulls in takes longer to load than a client should wait for its first frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import FaultRow
from rwk_tui.cluster.pki import Pki
from rwk_tui.cluster.site import Site
from rwk_tui.daemon.engines import Engines, beside
from rwk_tui.daemon.install import Installs
from rwk_tui.daemon.parts import Parts
from rwk_tui.daemon.places import cards_file, ledger_file, pki_directory
from rwk_tui.daemon.record import Record
from rwk_tui.engines.ask import EngineError
from rwk_tui.engines.sets import EngineSet, find_set
from rwk_tui.faults.book import Book
from rwk_tui.faults.catalogue import FaultRefused, Faults
from rwk_tui.faults.ground import Ground
from rwk_tui.lab.open import open_lab
from rwk_tui.lab.protocol import Lab, LabError
from rwk_tui.settings import BadInput, Settings
from rwk_tui.story.context import Context
from rwk_tui.story.director import Director, Refused
from rwk_tui.story.load import load_chapters
from rwk_tui.story.schema import Chapter
from rwk_tui.watch.etcd import EtcdError
from rwk_tui.watch.watcher import Watcher


@dataclass(frozen=True, slots=True)
class Stack:
    """A lab with what watches it, breaks it and tells its story; made, but not started."""

    settings: Settings
    hub: Hub
    lab: Lab
    site: Site
    watcher: Watcher
    ground: Ground
    faults: Faults
    context: Context
    director: Director

    async def start(self) -> None:
        """Bring the machines up and watch them. Raises LabError."""
        await self.lab.up()
        await self.watcher.start()
        self.faults.kinds()

    async def leave(self) -> None:
        """End the story, the faults and the watching, and let go of the machines; those that are ours are halted."""
        await self.director.close()
        await self.faults.close()
        await self.watcher.stop()
        await self.lab.leave()


def assemble(
    settings: Settings,
    hub: Hub,
    found: EngineSet,
    chapters: Sequence[Chapter],
    *,
    record_story: Callable[[str, int], None],
    record_faults: Callable[[tuple[FaultRow, ...]], None],
    complain: Callable[[str], None],
    take_up: Callable[[], None] = lambda: None,
) -> Stack:
    """Make a lab that runs these engines, with all that stands on it.

    The recorders hear what is about to be done before it is done; `complain` hears what could not be written; `take_up`
    is called before the lab is built anew, when it may get other engines. Raises LabError or BadInput.
    """
    lab = open_lab(settings, found.programs)
    site = Site(lab, Pki(pki_directory(settings)), versions=found.versions)
    watcher = Watcher(
        lab,
        hub,
        settings,
        ledger=ledger_file(settings),
        api_access=site.api_access,
        etcd_access=site.etcd_access,
    )
    ground = Ground(lab, hub, watcher, site, settings)
    faults = Faults(ground, record=record_faults, book=Book(cards_file(settings), complain))
    context = Context(lab, hub, watcher, faults, settings, site)
    director = Director(context, chapters, record_story, take_up)
    return Stack(settings, hub, lab, site, watcher, ground, faults, context, director)


async def compose(settings: Settings, hub: Hub, record: Record) -> Parts:
    """Make all parts of the daemon. Raises EngineError, LabError or BadInput, each one line for the user."""
    found = await asyncio.to_thread(find_set, settings)
    chapters = await asyncio.to_thread(load_chapters, settings)

    def complain(line: str) -> None:
        hub.tell("daemon", line, level="bad")

    engines = Engines(settings, hub, found)
    programs = found.programs

    def take_up() -> None:
        nonlocal programs
        programs = engines.found.programs
        stack.lab.provide(programs)

    stack = assemble(
        settings,
        hub,
        found,
        chapters,
        record_story=record.story,
        record_faults=record.faults,
        complain=complain,
        take_up=take_up,
    )

    def more_is_there() -> None:
        stack.site.versions = engines.found.versions
        if stack.director.is_telling:
            stack.lab.provide(beside(programs, engines.found.programs))
        else:
            take_up()
        stack.director.publish()

    engines.subscribe(more_is_there)
    return Parts(
        lab=stack.lab,
        watcher=stack.watcher,
        faults=stack.faults,
        director=stack.director,
        site=stack.site,
        engines=engines,
        installs=Installs(engines, hub, settings),
        refusals=(LabError, EngineError, BadInput, FaultRefused, Refused, EtcdError, TimeoutError, OSError),
        resume=stack.director.resume,
    )
