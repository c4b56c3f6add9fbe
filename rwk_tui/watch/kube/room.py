"""The Kubernetes half of the watch: API servers, informers, tellers and canary, joined."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from msgspec.structs import replace

from rwk_tui.board.hub import Hub
from rwk_tui.board.kube_rows import ApiServerRow, KubeRow
from rwk_tui.board.rows import QuorumRow
from rwk_tui.cluster.access import Access
from rwk_tui.lab.protocol import Lab
from rwk_tui.watch.expected import Expected
from rwk_tui.watch.kube import kinds
from rwk_tui.watch.kube.canary import ApiCanary
from rwk_tui.watch.kube.front import Doors
from rwk_tui.watch.kube.holders import Holders
from rwk_tui.watch.kube.informer import Informer
from rwk_tui.watch.kube.moments import Moments
from rwk_tui.watch.kube.protocol import ConnectKube, Kube
from rwk_tui.watch.kube.refusals import KubeError
from rwk_tui.watch.kube.servers import CALM, CLOSE, Servers
from rwk_tui.watch.kube.shelves import EventShelf, NodeShelf, deployment_shelf, lease_shelf, pod_shelf, same
from rwk_tui.watch.kube.tell_api import ApiTeller
from rwk_tui.watch.kube.tell_leases import LeaseTeller
from rwk_tui.watch.kube.tell_nodes import NodeTeller
from rwk_tui.watch.kube.tell_pods import PodTeller
from rwk_tui.watch.pace import Pace
from rwk_tui.watch.sightings import Scene
from rwk_tui.watch.stalls import Stalls

GATHER = 0.02
"""Seconds in which changes are gathered before what follows from them is worked out."""
AGAIN = 0.1
"""Seconds until it is worked out again where something waits for mere time to pass."""
LISTEN = 0.25
"""Seconds between two calls of the listeners for mere changes of pods and the like, of which there may be thousands."""

Spawn = Callable[[str, Callable[[], Coroutine[Any, Any, None]]], None]


class KubeRoom:
    """Watches Kubernetes as soon as an API server is set up on any machine, and forgets it when none is any more.

    `era` is the etcd canary's epoch; `listeners` is called after something on the board changed.
    """

    def __init__(
        self,
        lab: Lab,
        hub: Hub,
        scene: Scene,
        pace: Pace,
        stalls: Stalls,
        expected: Expected,
        *,
        connect: ConnectKube,
        access: Callable[[], Access | None],
        era: Callable[[], int],
        listeners: Callable[[], None],
    ) -> None:
        self._lab = lab
        self._hub = hub
        self._scene = scene
        self._pace = pace
        self._listeners = listeners
        self._work: asyncio.TimerHandle | None = None
        self._open = asyncio.Event()
        self._exists = False
        self._was_ready = False
        self._synced_at = 0.0
        self._server_rows: dict[str, ApiServerRow] = {}
        self._kube = KubeRow(seen_at=0.0, state="none", why="no API server is set up")
        self._doors = Doors(lab, connect, access)
        self._servers = Servers(lab, scene, self._doors, pace, hub.now, self.changed)
        moments = Moments(hub, expected)
        machines = tuple(lab.machines)
        self._api_teller = ApiTeller(hub, expected)
        self.pod_teller = PodTeller(hub, expected, lambda name: self._nodes.rows.get(name))
        self._node_teller = NodeTeller(hub, expected, moments, self.pod_teller.node_failed)
        self.lease_teller = LeaseTeller(hub, moments, lambda: self._lease_informer.in_step)
        self._nodes = NodeShelf(hub, machines, self._node_teller.heard)
        self._pods = pod_shelf(hub, self.pod_teller.pod)
        self._deployments = deployment_shelf(hub, self.pod_teller.deployment)
        self._holders = Holders(lab, hub)
        self._leases = lease_shelf(hub, machines, self._holders.known, self.lease_teller.heard)
        self._events = EventShelf(hub)
        self._shelves = (self._nodes, self._pods, self._deployments, self._leases, self._events)
        self._heard_of, self._heard_at = 0, 0.0
        self._lease_informer = self._informer(kinds.CONTROL_LEASES, self._leases)
        self._informers: tuple[Informer[Any], ...] = (
            self._informer(kinds.NODES, self._nodes),
            self._informer(kinds.NODE_LEASES, self._nodes.leases),
            self._informer(kinds.DEPLOYMENTS, self._deployments),
            self._informer(kinds.PODS, self._pods),
            self._lease_informer,
            self._informer(kinds.EVENTS, self._events),
        )
        self.canary = ApiCanary(hub, pace, stalls, self._doors.front, self._may_write, era, slack=lab.slack)

    def start(self, spawn: Spawn) -> None:
        """Begin to watch and to write, each source in a task that `spawn` makes and guards."""
        for machine in self._lab.machines.values():
            spawn(f"API server {machine.name}", partial(self._servers.watch, machine))
        for informer in self._informers:
            spawn(f"the {informer.words}", informer.run)
        spawn("holders of leases", self._holders.run)
        spawn("API canary", self.canary.run)
        spawn("API canary's report", self.canary.report)
        self.changed()

    async def close(self) -> None:
        """Let go of every connection, once the tasks have ended; rows stay as they are."""
        if self._work is not None:
            self._work.cancel()
            self._work = None
        await self.canary.close()
        await self._doors.close()

    def client(self) -> Kube | None:
        """A client through the lab's front; None while there is no Kubernetes, or nothing to be let in with."""
        if not self._servers.exist():
            return None
        try:
            return self._doors.front()
        except KubeError:
            return None

    def changed(self) -> None:
        """Something may have changed: work it out soon."""
        self._later(GATHER)

    def _later(self, seconds: float) -> None:
        if self._work is None:
            self._work = asyncio.get_running_loop().call_later(seconds, self._work_out)

    def _informer(self, kind: kinds.Kind[Any], shelf: Any) -> Informer[Any]:
        return Informer(kind, shelf, self._connect, self.changed, slack=self._lab.slack)

    async def _connect(self) -> Kube:
        await self._open.wait()
        return self._doors.front()

    def _may_write(self) -> bool:
        return self._exists and self._was_ready

    def _work_out(self) -> None:
        self._work = None
        now = self._hub.now()
        exists = self._servers.exist()
        if exists != self._exists:
            self._exists = exists
            if exists:
                self._open.set()
            else:
                self._forget()
        old = self._kube
        servers = self._servers.rows()
        news = self._publish_servers(servers)
        self._kube = self._kube_row(now)
        became_ready = self._kube.state == "ready" and old.state != "ready"
        if became_ready:
            self._ready_again()
            self._kube = self._kube_row(now)
        if not old.seen_at or not same(self._kube, replace(old, synced_at=self._kube.synced_at)):
            self._hub.publish(self._kube)
            news = True
        resolution = self._pace.interval(CALM, CLOSE) * 1000
        waits = self._api_teller.work_out(servers, self._kube, now, resolution)
        self._go_live()
        waits = self._node_teller.work_out(now) or waits
        waits = self.pod_teller.work_out(now) or waits
        waits = self._tell_listeners(news, now) or waits
        if waits:
            self._later(AGAIN)

    def _tell_listeners(self, news: bool, now: float) -> bool:
        """Tell the listeners what is news at once, and other changes of state now and then; True if that is due."""
        changes = sum(shelf.changes for shelf in self._shelves)
        if not news and changes == self._heard_of:
            return False
        if not news and now - self._heard_at < LISTEN:
            return True
        self._heard_of, self._heard_at = changes, now
        self._listeners()
        return False

    def _publish_servers(self, servers: list[ApiServerRow]) -> bool:
        """Put the rows of the API servers on the board; True if the state of one changed."""
        rows = {row.key: row for row in servers}
        old, self._server_rows = self._server_rows, rows
        changed = [row for key, row in rows.items() if key not in old or not same(row, old[key])]
        if changed:
            self._hub.publish(*changed)
        if gone := old.keys() - rows.keys():
            self._hub.retract(*gone)
        return bool(gone) or any(row.key not in old or not row.same_state(old[row.key]) for row in changed)

    def _kube_row(self, now: float) -> KubeRow:
        quorum = self._hub.board.get(QuorumRow, "quorum")
        lost = quorum is not None and quorum.state in ("lost", "none")
        state, why = self._servers.together(quorum_lost=lost)
        apart = [one.why for one in self._informers if not one.in_step]
        if state == "ready":
            why = apart[0] if apart else ""
        fresh = state == "none" or (state == "ready" and not apart)
        if fresh:
            self._synced_at = now
        versions = sorted({row.version for row in self._server_rows.values() if row.state == "ready" and row.version})
        return KubeRow(
            seen_at=max((one.asked for one in self._servers.seen.values()), default=now),
            fresh=fresh,
            why=why,
            state=state,
            since=self._kube.since if self._kube.state == state and self._kube.since else now,
            version=", ".join(versions) or (self._kube.version if state != "none" else ""),
            kubelet=self._scene.kubelet(),
            synced_at=self._synced_at if state != "none" else 0.0,
        )

    def _ready_again(self) -> None:
        """An API is there (again): whoever waits goes on at once, and no watch from before is trusted."""
        self._was_ready = True
        for informer in self._informers:
            informer.renew()

    def _go_live(self) -> None:
        """From the first time that everything is in step, changes are told."""
        self.pod_teller.in_step = self._kube.fresh
        if not self._kube.fresh or self._kube.state != "ready":
            return
        for teller in (self._node_teller, self.pod_teller, self.lease_teller):
            teller.live = True

    def _forget(self) -> None:
        """No API server is set up any more: nothing that was known of Kubernetes holds."""
        self._open.clear()
        self._servers.forget()
        for informer in self._informers:
            informer.renew()
        for shelf in self._shelves:
            shelf.clear()
        for teller in (self._api_teller, self._node_teller, self.pod_teller, self.lease_teller):
            teller.forget()
        self._was_ready, self._synced_at = False, 0.0
        self.canary.forget()
        self._doors.forget()
