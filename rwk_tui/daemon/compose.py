"""The composition root: engines, lab, site, watcher, faults and director, made for one hub.

Imported late, in a thread: what it pulls in takes longer to load than a client should wait for its first frame.
"""

from __future__ import annotations

import asyncio

from rwk_tui.board.hub import Hub
from rwk_tui.cluster.pki import Pki
from rwk_tui.cluster.site import Site
from rwk_tui.daemon.engines import Engines
from rwk_tui.daemon.install import Installs
from rwk_tui.daemon.parts import Parts
from rwk_tui.daemon.places import cards_file, ledger_file, pki_directory
from rwk_tui.daemon.record import Record
from rwk_tui.engines.ask import EngineError
from rwk_tui.engines.sets import find_set
from rwk_tui.faults.book import Book
from rwk_tui.faults.catalogue import FaultRefused, Faults
from rwk_tui.faults.ground import Ground
from rwk_tui.lab.open import open_lab
from rwk_tui.lab.protocol import LabError
from rwk_tui.settings import BadInput, Settings
from rwk_tui.story.context import Context
from rwk_tui.story.director import Director, Refused
from rwk_tui.story.load import load_chapters
from rwk_tui.watch.etcd import EtcdError
from rwk_tui.watch.watcher import Watcher


async def compose(settings: Settings, hub: Hub, record: Record) -> Parts:
    """Make all parts. Raises EngineError, LabError or BadInput, each one line for the user."""
    found = await asyncio.to_thread(find_set, settings)
    chapters = await asyncio.to_thread(load_chapters, settings)
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
    book = Book(cards_file(settings), lambda line: hub.tell("daemon", line, level="bad"))
    faults = Faults(Ground(lab, hub, watcher, site, settings), record=record.faults, book=book)
    engines = Engines(settings, hub, found)
    director = Director(Context(lab, hub, watcher, faults, settings, site), chapters, record.story)

    def more_is_there() -> None:
        lab.provide(engines.found.programs)
        site.versions = engines.found.versions
        director.publish()

    engines.subscribe(more_is_there)
    return Parts(
        lab=lab,
        watcher=watcher,
        faults=faults,
        director=director,
        site=site,
        engines=engines,
        installs=Installs(engines, hub, settings),
        refusals=(LabError, EngineError, BadInput, FaultRefused, Refused, EtcdError, TimeoutError, OSError),
        resume=director.resume,
    )
