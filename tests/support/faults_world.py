"""Faults over a pretended lab with a pretended etcd: what the unit tests of the catalogue and its kinds stand on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from support.watch_etcd import FakeCluster
from support.watch_lab import FakeLab

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import CardRow
from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import FaultKindRow, FaultRow, QuorumRow
from rwk_tui.cluster.pki import Pki
from rwk_tui.cluster.site import Site
from rwk_tui.faults.base import Case
from rwk_tui.faults.book import Book
from rwk_tui.faults.catalogue import Faults
from rwk_tui.faults.ground import Ground
from rwk_tui.lab.protocol import UnitStatus
from rwk_tui.settings import Settings, Timeouts
from rwk_tui.watch.watcher import Watcher

WAIT = 20.0
ALL = ("core-01", "core-02", "core-03")


class FaultsWorld:
    """core-02 leads core-01 and core-03; `journal` is the order of what was recorded and done."""

    def __init__(self, tmp_path: Path, lab: FakeLab | None = None, cluster: FakeCluster | None = None) -> None:
        self.lab = lab or FakeLab()
        self.cluster = cluster or FakeCluster()
        self.cluster.lead("core-02", 2, "core-01", "core-03")
        self.hub = Hub()
        settings = Settings(state=tmp_path, engine_cache=tmp_path, timeouts=Timeouts(election=2.0, member_start=2.0))
        self.watcher = Watcher(self.lab, self.hub, settings, ledger=tmp_path / "ledger", connect=self.cluster.connect)
        self.journal: list[str] = []
        self.ground = Ground(self.lab, self.hub, self.watcher, Site(self.lab, Pki(tmp_path / "pki")), settings)
        self.faults = Faults(self.ground, record=self.record, book=Book(tmp_path / "cards", self.journal.append))
        for machine in self.lab.machines.values():
            machine.units["etcd"] = UnitStatus("running", pid=1)
            machine.done = self.journal

    def record(self, rows: tuple[FaultRow, ...]) -> None:
        self.journal.append("record " + ",".join(f"{row.fault}:{row.target}" for row in rows))

    async def start(self) -> None:
        await self.watcher.start()
        self.watcher.alert(60)
        self.faults.kinds()
        await self.until(lambda board: self.leader(board) == "core-02")

    async def stop(self) -> None:
        await self.faults.close()
        await self.watcher.stop()

    async def until(self, holds: Callable[[Board], bool], seconds: float = WAIT) -> None:
        events = (f"{event.kind}: {event.text}" for event in self.hub.board.events)
        assert await self.hub.wait(holds, seconds), "\n".join(events)

    def case(self, target: str, at: float = 0.0) -> Case:
        """A fault on that target that the catalogue knows nothing of."""
        return Case("x1", target, self.ground, at or self.hub.now())

    def leader(self, board: Board) -> str:
        row = board.get(QuorumRow, "quorum")
        return row.leader if row is not None else ""

    def targets(self, kind: str) -> tuple[str, ...]:
        row = self.hub.board.get(FaultKindRow, f"fault-kind/{kind}")
        assert row is not None
        return row.targets

    def told(self, kind: str) -> list[str]:
        return [event.text for event in self.hub.board.events if event.kind == kind]

    def cards(self) -> list[CardRow]:
        return self.hub.board.rows(CardRow)

    def cut(self) -> set[tuple[str, str]]:
        """The links that are cut, as source and target."""
        return {(wire.source, wire.target) for wire in self.lab.wires if wire.is_cut}
