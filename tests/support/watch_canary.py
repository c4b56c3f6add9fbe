"""A canary that writes to a pretended cluster, with everything that runs beside it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from support.watch_etcd import FakeCluster
from support.watch_lab import FakeLab

from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import CanaryRow, MemberRow
from rwk_tui.lab.protocol import Machine
from rwk_tui.watch.aftermath import Aftermath
from rwk_tui.watch.answers import Etcd
from rwk_tui.watch.canary import Canary
from rwk_tui.watch.pace import Pace
from rwk_tui.watch.stalls import Stalls

WAIT = 20.0
PATIENCE = 1.5
"""Seconds: with the fixture `patient` no shorter pause is a gap, so that one of this computer's own makes none."""


class World:
    """A canary and its cluster; `targets` are the machines it may choose."""

    def __init__(self, tmp_path: Path) -> None:
        self.hub = Hub()
        self.pace = Pace()
        self.stalls = Stalls(self.hub.now)
        self.lab = FakeLab()
        self.cluster = FakeCluster()
        self.cluster.lead("core-01", 2, "core-02", "core-03")
        self.targets: list[Machine] = list(self.lab.fakes.values())
        self.path = tmp_path / "ledger"
        self.canary = Canary(self.hub, self.pace, self.stalls, self.path, lambda: self.targets, self.client)
        self.tasks: list[asyncio.Task[None]] = []

    def run_version(self, *versions: str) -> None:
        """Let the members on the board be of these versions."""
        for number, version in enumerate(versions, 1):
            name = f"core-0{number}"
            self.hub.publish(
                MemberRow(
                    seen_at=1.0,
                    id=name,
                    name=name,
                    machine=name,
                    role="follower",
                    health="healthy",
                    since=1.0,
                    version=version,
                )
            )

    async def client(self, machine: Machine) -> Etcd:
        return self.cluster.connect(machine.address, 2379)

    def start(self) -> None:
        self.canary.open()
        self.pace.alert(60)
        self.tasks = [asyncio.create_task(work) for work in (self.canary.run(), self.canary.recount())]

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.canary.close()

    @property
    def row(self) -> CanaryRow:
        self.canary.publish()
        row = self.hub.board.get(CanaryRow, "canary/etcd")
        assert row is not None
        return row

    async def until(self, holds: str, least: int) -> CanaryRow:
        async with asyncio.timeout(WAIT):
            while getattr(self.row, holds) < least:  # noqa: ASYNC110 - the row is made on demand
                await asyncio.sleep(0.02)
        return self.row

    def backup(self) -> tuple[dict[str, str], int]:
        """What is stored now, and its revision."""
        return dict(self.cluster.store), self.cluster.revision

    def restore(self, kept: tuple[dict[str, str], int], cluster_id: str = "beef") -> None:
        """Go back to what was stored then, as a cluster of that ID."""
        self.cluster.store, self.cluster.revision = dict(kept[0]), kept[1]
        self.cluster.cluster_id = cluster_id

    async def aftermath(self) -> Aftermath:
        """Wait until what became of the last epoch is counted."""
        async with asyncio.timeout(WAIT):
            while (found := self.canary.aftermath) is None or found.why:  # noqa: ASYNC110 - it is worked out on demand
                await asyncio.sleep(0.02)
        return found

    def told(self, kind: str, words: str = "") -> list[str]:
        return [event.text for event in self.hub.board.events if event.kind == kind and words in event.text]
