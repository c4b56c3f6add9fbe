"""Reading once, in the very rows that the watch makes: what a check of the story asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection
from time import time

from rwk_tui.board.kube_rows import DeploymentRow, LeaseRow, NodeRow, PodRow
from rwk_tui.watch.kube.kinds import CONTROL_LEASES, DEPLOYMENTS, NODE_LEASES, NODES, PODS, Kind, Page
from rwk_tui.watch.kube.protocol import PAGE
from rwk_tui.watch.kube.refusals import KubeError
from rwk_tui.watch.kube.to_rows import deployment_row, lease_row, node_row, pod_row
from rwk_tui.watch.kube.wire import T


class Reads:
    """The typed reads of a client, on top of its `get` and `pages`; `machines` are the names of the lab's."""

    machines: Collection[str] = ()

    def pages(self, kind: Kind[T], *, limit: int = PAGE, timeout: float = 10.0) -> AsyncGenerator[Page[T], None]:
        raise NotImplementedError

    async def get(self, path: str, *, timeout: float = 5.0) -> bytes:
        raise NotImplementedError

    async def all(self, kind: Kind[T], *, timeout: float = 5.0) -> list[T]:
        """Every object of a kind; `timeout` (s) holds for each page."""
        found: list[T] = []
        async for page in self.pages(kind, timeout=timeout):
            found.extend(page.items)
            await asyncio.sleep(0)
        return found

    async def nodes(self, *, timeout: float = 5.0) -> list[NodeRow]:
        leases = {lease.metadata.name: lease for lease in await self.all(NODE_LEASES, timeout=timeout)}
        nodes = await self.all(NODES, timeout=timeout)
        now = time()
        return [node_row(node, leases.get(node.metadata.name), self.machines, now) for node in nodes]

    async def pods(self, namespace: str = "", *, timeout: float = 5.0) -> list[PodRow]:
        pods = await self.all(PODS.within(namespace) if namespace else PODS, timeout=timeout)
        now = time()
        return [pod_row(pod, now) for pod in pods]

    async def deployments(self, namespace: str = "", *, timeout: float = 5.0) -> list[DeploymentRow]:
        kind = DEPLOYMENTS.within(namespace) if namespace else DEPLOYMENTS
        deployments = await self.all(kind, timeout=timeout)
        now = time()
        return [deployment_row(deployment, now) for deployment in deployments]

    async def lease(self, name: str, *, timeout: float = 5.0) -> LeaseRow | None:
        try:
            body = await self.get(f"{CONTROL_LEASES.path}/{name}", timeout=timeout)
        except KubeError as error:
            if error.missing:
                return None
            raise
        return lease_row(CONTROL_LEASES.one.decode(body), self.machines, time())
