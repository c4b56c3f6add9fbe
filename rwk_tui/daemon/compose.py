"""The composition root: engines, lab, watcher, faults and director, made for one hub.

Imported late, in a thread: what it pulls in takes longer to load than a client should wait for its first frame.
"""

from __future__ import annotations

import asyncio

from rwk_tui.board.hub import Hub
from rwk_tui.daemon.parts import Parts
from rwk_tui.daemon.places import ledger_file
from rwk_tui.daemon.record import Record
from rwk_tui.engines.ask import EngineError
from rwk_tui.engines.find import find_engines
from rwk_tui.faults.catalogue import FaultRefused, Faults
from rwk_tui.lab.open import open_lab
from rwk_tui.lab.protocol import LabError
from rwk_tui.settings import BadInput, Settings
from rwk_tui.story.context import Context
from rwk_tui.story.director import Director, Refused
from rwk_tui.story.load import load_chapters
from rwk_tui.watch.etcd import EtcdError
from rwk_tui.watch.watcher import Watcher

ENGINES = ("etcd", "etcdctl", "etcdutl")


async def compose(settings: Settings, hub: Hub, record: Record) -> Parts:
    """Make all parts. Raises EngineError, LabError or BadInput, each one line for the user."""
    engines = await asyncio.to_thread(find_engines, ENGINES, settings)
    chapters = await asyncio.to_thread(load_chapters, settings)
    lab = open_lab(settings, {name: engine.path for name, engine in engines.items()})
    watcher = Watcher(lab, hub, settings, ledger=ledger_file(settings))
    faults = Faults(lab, hub, watcher, settings, record=record.faults)
    director = Director(Context(lab, hub, watcher, faults, settings), chapters, record.story)
    etcd = engines["etcd"]
    return Parts(
        lab=lab,
        watcher=watcher,
        faults=faults,
        director=director,
        engines=f"etcd {etcd.version}" + (f" ({etcd.verdict})" if etcd.verdict else ""),
        path=tuple(dict.fromkeys(str(engine.path.parent) for engine in engines.values())),
        refusals=(LabError, EngineError, BadInput, FaultRefused, Refused, EtcdError, TimeoutError, OSError),
        resume=director.resume,
    )
