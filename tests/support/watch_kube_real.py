"""A real Kubernetes on a real lab, watched: one secured etcd member, a control plane beside it, and workers."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from support.real_lab import real_lab
from support.remote_lab import BUSY

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Event
from rwk_tui.board.kube_rows import ApiServerRow, KubeRow, LeaseRow, NodeRow, PodRow
from rwk_tui.board.rows import CanaryRow
from rwk_tui.cluster.etcd import Static, Style, member_spec, peer_url
from rwk_tui.cluster.kubernetes.setup import api_server, controllers, secure_member, worker
from rwk_tui.cluster.ops import Op
from rwk_tui.daemon.compose import Stack
from rwk_tui.engines.sets import find_set
from rwk_tui.lab.protocol import Machine
from rwk_tui.settings import Settings, Timeouts
from rwk_tui.watch.kube.protocol import Kube

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


def web(replicas: int) -> dict[str, object]:
    """A deployment of that many pods; there is no image behind it where kwok stands for the kubelet."""
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


class KubeWorld:
    """The lab with what watches it."""

    def __init__(self, stack: Stack) -> None:
        self.lab, self.hub, self.watcher = stack.lab, stack.hub, stack.watcher
        self.site, self.settings = stack.site, stack.settings
        self.began = 0.0
        """Since when (hub's clock) what is told counts."""

    @property
    def api(self) -> Kube:
        found = self.watcher.kube_api()
        assert found is not None
        return found

    def machine(self, number: int) -> Machine:
        return self.lab.machines[f"core-0{number}"]

    def kube(self) -> KubeRow:
        return self.hub.board.get(KubeRow, "kube") or KubeRow(seen_at=0, state="none")

    def canary(self) -> CanaryRow:
        self.watcher.api_canary.publish()
        row = self.hub.board.get(CanaryRow, "canary/api")
        assert row is not None
        return row

    def node(self, name: str) -> NodeRow:
        row = self.hub.board.get(NodeRow, f"node/{name}")
        assert row is not None
        return row

    def pods(self, node: str, *, state: str = "running") -> list[PodRow]:
        rows = self.hub.board.rows(PodRow)
        return [row for row in rows if row.node == node and row.state == state and row.owner == "web"]

    def report(self) -> str:
        events = [f"{event.at:.2f} {event.kind}: {event.text}" for event in self.hub.board.events]
        kinds = (ApiServerRow, NodeRow, LeaseRow)
        rows = [str(row) for kind in kinds for row in self.hub.board.rows(kind)]
        return "\n".join([*events, *rows, str(self.kube())])

    async def until(self, holds: Callable[[Board], bool], seconds: float = 30.0) -> None:
        assert await self.hub.wait(holds, seconds * BUSY), self.report()

    async def ready(self, seconds: float = 60.0) -> None:
        await self.until(lambda _: self.kube().state == "ready" and self.kube().fresh, seconds)

    async def told(self, kind: str, words: str, seconds: float = 60.0) -> Event:
        def find() -> list[Event]:
            return [
                event
                for event in self.hub.board.events
                if event.kind == kind and words in event.text and event.at >= self.began
            ]

        await self.until(lambda _: bool(find()), seconds)
        return find()[-1]

    async def do(self, ops: Sequence[Op]) -> None:
        """Do these operations in their order."""
        said: list[str] = []
        for op in ops:
            await op.resolve()
            result = await op.run(lambda stream, text: said.append(text))
            assert result.exit_code == 0, "\n".join([op.command(), *said])

    async def set_up(self) -> None:
        """One secured member on core-01 and a control plane beside it."""
        first, style = self.machine(1), Style(secured=True)
        alone = Static({first.name: peer_url(first, scheme="https")})
        await self.do(secure_member(first, self.site))
        unit = first.unit("etcd")
        await unit.configure(member_spec(first, self.settings, alone, style=style))
        await unit.start()
        await self.do(api_server(first, self.site, self.settings))
        await self.lab.desk.set_profile(self.site.variables())
        await self.ready()
        await self.do(controllers(first, self.site, self.settings))

    async def join(self, number: int) -> None:
        """Let a machine join as a worker."""
        await self.do(worker(self.machine(number), self.site, self.settings))
        name = f"core-0{number}"
        await self.until(lambda board: any(row.name == name and row.state == "ready" for row in board.rows(NodeRow)))


@asynccontextmanager
async def kube_world(subnet: int, engine_settings: Settings) -> AsyncIterator[KubeWorld]:
    """A lab on that subnet with one control plane and no worker, watched; everything is gone afterwards."""
    state = Path(tempfile.mkdtemp(prefix="rwk-kube-"))
    settings = Settings(
        state=state,
        engine_cache=engine_settings.engine_cache,
        engines=engine_settings.engines,
        subnet=subnet,
        fast=True,
        timeouts=Timeouts(stop=3.0),
    )
    try:
        async with real_lab(settings, find_set(settings)) as (stack, _):
            stack.site.secure_next = True
            world = KubeWorld(stack)
            await world.set_up()
            yield world
    finally:
        shutil.rmtree(state, ignore_errors=True)
