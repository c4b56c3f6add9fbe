"""A real three-member cluster on a real lab, watched: what the tests of watch and faults on real engines stand on."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from support.real_lab import Told, etcd_alone, real_lab
from support.remote_lab import BUSY

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Event
from rwk_tui.board.rows import CanaryRow, MemberRow, QuorumRow
from rwk_tui.cluster.etcd import Static, member_spec, peer_url
from rwk_tui.daemon.compose import Stack
from rwk_tui.engines.find import ETCD_PROGRAMS, find_engines
from rwk_tui.settings import Settings


class RealWorld:
    """The lab, its watcher and its faults, what these wrote down (newest last) and what they complained of."""

    def __init__(self, stack: Stack, told: Told) -> None:
        self.lab, self.hub, self.watcher = stack.lab, stack.hub, stack.watcher
        self.ground, self.faults, self.settings = stack.ground, stack.faults, stack.settings
        self.complaints, self.recorded = told.complaints, told.faults

    def quorum(self) -> QuorumRow:
        return self.hub.board.get(QuorumRow, "quorum") or QuorumRow(seen_at=0, state="none")

    def canary(self) -> CanaryRow:
        self.watcher.canary.publish()
        row = self.hub.board.get(CanaryRow, "canary/etcd")
        assert row is not None
        return row

    def member(self, name: str) -> MemberRow:
        return next(row for row in self.hub.board.rows(MemberRow) if row.name == name)

    def told(self, kind: str) -> list[Event]:
        return [event for event in self.hub.board.events if event.kind == kind]

    def report(self) -> str:
        events = [f"{event.at:.2f} {event.kind}: {event.text}" for event in self.hub.board.events]
        rows = [f"{row.name} {row.role} {row.health} {row.why}" for row in self.hub.board.rows(MemberRow)]
        return "\n".join([*events, *rows, *self.complaints, str(self.quorum()), str(self.canary())])

    async def until(self, holds: Callable[[Board], bool], seconds: float = 20.0) -> None:
        assert await self.hub.wait(holds, seconds * BUSY), self.report()

    async def flowing(self, more: int = 10) -> None:
        """Wait until the canary has had that many more writes acknowledged."""
        goal = self.watcher.canary.acknowledged + more
        await self.holds(lambda: self.watcher.canary.acknowledged >= goal)

    async def holds(self, true: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait for what no row on the board says."""
        try:
            async with asyncio.timeout(seconds * BUSY):
                while not true():  # noqa: ASYNC110 - nothing tells when it changes
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(self.report()) from None

    async def healthy(self, seconds: float = 30.0) -> None:
        await self.until(lambda _: self.quorum().state == "healthy" and self.quorum().voters == 3, seconds)

    async def set_up(self) -> None:
        """Three members at once, statically."""
        static = Static({name: peer_url(machine) for name, machine in self.lab.machines.items()})
        for machine in self.lab.machines.values():
            unit = machine.unit("etcd")
            await unit.configure(member_spec(machine, self.settings, static))
            await unit.start()
        await self.ground.site.look()


@asynccontextmanager
async def real_world(subnet: int) -> AsyncIterator[RealWorld]:
    """A lab on that subnet with three members, watched from the start; everything is gone afterwards."""
    state = Path(tempfile.mkdtemp(prefix="rwk-watch-"))
    engines = os.environ.get("RWK_ENGINES")
    settings = Settings(
        state=state,
        engine_cache=Path(os.environ.get("RWK_ENGINE_CACHE", str(state / "engines"))),
        engines=Path(engines) if engines else None,
        subnet=subnet,
    )
    try:
        found = etcd_alone(find_engines(ETCD_PROGRAMS, settings)["etcd"].path.parent)
        async with real_lab(settings, found) as (stack, told):
            world = RealWorld(stack, told)
            await world.set_up()
            await world.healthy()
            await world.flowing()
            yield world
    finally:
        shutil.rmtree(state, ignore_errors=True)
