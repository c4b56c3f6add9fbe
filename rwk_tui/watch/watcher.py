"""The watcher: joins probes, canary and the tellers, and keeps the board true."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import MemberRow, Row
from rwk_tui.cluster.access import Access
from rwk_tui.lab.protocol import Lab, Machine
from rwk_tui.settings import Settings
from rwk_tui.watch.answers import Etcd
from rwk_tui.watch.canary import Canary
from rwk_tui.watch.changes import Changes
from rwk_tui.watch.derive import Deriver
from rwk_tui.watch.differences import Differences, differences
from rwk_tui.watch.effect import Effect, measure
from rwk_tui.watch.etcd import EtcdClient
from rwk_tui.watch.expected import Expected
from rwk_tui.watch.hashes import HashCheck, compare_hashes
from rwk_tui.watch.known_bugs import known_bug, versions_that_run
from rwk_tui.watch.kube.api import KubeApi
from rwk_tui.watch.kube.canary import ApiCanary
from rwk_tui.watch.kube.protocol import ConnectKube, Kube
from rwk_tui.watch.kube.room import KubeRoom
from rwk_tui.watch.kube.tell_leases import LeaseTakeover
from rwk_tui.watch.leadership import Election, Leadership
from rwk_tui.watch.observers import Observers
from rwk_tui.watch.pace import Pace
from rwk_tui.watch.probes import Clients, Connect, Probes
from rwk_tui.watch.refusals import EtcdError
from rwk_tui.watch.sightings import Scene
from rwk_tui.watch.stalls import Stalls

GATHER = 0.01
"""Seconds to wait for further answers before the rows are worked out: probes that share a beat answer together."""
YOUNG = 1.0
"""Seconds for which an equal row need not be put on the board again."""
LEADERLESS = 4.0
"""Election timeouts without a leader after which the quorum counts as lost though enough voters answer."""


class Watcher:
    """Observes the lab and publishes to the hub; `ledger` is the canary's file.

    `api_access` gives what Kubernetes lets us in with, None until there is something, and `etcd_access` the same for
    members that ask for certificates; they are asked for each connection.
    """

    def __init__(
        self,
        lab: Lab,
        hub: Hub,
        settings: Settings,
        *,
        ledger: Path,
        connect: Connect = EtcdClient,
        kube: ConnectKube = KubeApi,
        api_access: Callable[[], Access | None] = lambda: None,
        etcd_access: Callable[[], Access | None] = lambda: None,
    ) -> None:
        self._lab = lab
        self._hub = hub
        self._pace = Pace()
        self._stalls = Stalls(hub.now)
        self._directory = ledger.parent
        self._scene = Scene({name: machine.address for name, machine in lab.machines.items()})
        self._clients = Clients(connect, lambda name: etcd_access() if self._scene.is_secured(name) else None)
        self._deriver = Deriver(self._scene, LEADERLESS * settings.election_ms / 1000 * lab.slack)
        self.expected = Expected(hub.now)
        self._changes = Changes(hub, self.expected)
        self._leadership = Leadership(hub, self.expected)
        self._rows: dict[str, Row] = {}
        self._epoch = 0
        self._targets: list[Machine] = []
        self._work: asyncio.TimerHandle | None = None
        self._observers = Observers(hub)
        self._listeners: list[Callable[[], None]] = []
        self.canary = Canary(
            hub,
            self._pace,
            self._stalls,
            ledger,
            lambda: self._targets,
            self._clients.of,
            slack=lab.slack,
            rate=settings.load,
        )
        self._probes = Probes(
            self._scene, self._clients, self._pace, slack=lab.slack, clock=hub.now, changed=self._changed
        )
        self._kube = KubeRoom(
            lab,
            hub,
            self._scene,
            self._pace,
            self._stalls,
            self.expected,
            connect=kube,
            access=api_access,
            era=lambda: self.canary.epoch,
            listeners=self._tell_listeners,
        )

    async def start(self) -> None:
        """Begin to watch and to write. Raises OSError if the ledger can't be kept."""
        self.canary.open()
        for machine in self._lab.machines.values():
            self._observers.spawn(f"machine {machine.name}", partial(self._probes.watch_machine, machine))
            self._observers.spawn(f"member {machine.name}", partial(self._probes.watch_member, machine))
        self._observers.spawn("member list", lambda: self._probes.watch_list(self._list_sources))
        self._observers.spawn("this computer", self._stalls.watch_loop)
        if not self._lab.outlives:  # what ends with us has its disks here, beside the ledger
            disk = partial(self._stalls.watch_disk, self._directory, self.canary.is_late)
            self._observers.spawn("this computer's disk", disk)
        self._observers.spawn("canary", self.canary.run)
        self._observers.spawn("canary's report", self.canary.report)
        self._observers.spawn("what a restore left", self.canary.recount)
        self._kube.start(self._observers.spawn)

    async def stop(self) -> None:
        """End all watching; rows stay as they are."""
        await self._observers.stop()
        if self._work is not None:
            self._work.cancel()
            self._work = None
        await self.canary.close()
        await self._clients.close()
        await self._kube.close()

    @property
    def api_canary(self) -> ApiCanary:
        """The canary that writes through the API server, as the presenter's kubectl would."""
        return self._kube.canary

    def kube_api(self) -> Kube | None:
        """A client of Kubernetes through the lab's front; None while none is set up, or nothing to be let in with."""
        return self._kube.client()

    async def etcd(self, machine: Machine) -> Etcd:
        """The client of that machine's member that the watcher uses itself. Raises EtcdError if it can't be reached."""
        return await self._clients.of(machine)

    def alert(self, seconds: float = 10.0) -> None:
        """Watch closely (20 questions and 20 writes a second) for that long."""
        self._pace.alert(seconds)

    def refresh(self) -> None:
        """Something was done: ask every source now."""
        self._pace.refresh()

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever a state on the board changed, after it did."""
        self._listeners.append(listener)

    async def measure(self, since: float, deadline: float) -> Effect:
        """What the disturbance at `since` (unix, s) did; waits until writes flow again, at most `deadline` seconds."""
        return await measure(self._hub, self.canary, self._leadership, since, deadline)

    def stood_still(self, start: float, end: float) -> float:
        """For how many seconds between these moments (unix, s) this computer itself stood still."""
        return self._stalls.within(start, end)

    @property
    def elections(self) -> Sequence[Election]:
        """The newest changes of etcd's leader, oldest first."""
        return self._leadership.elections

    def takeovers(self, since: float) -> Sequence[LeaseTakeover]:
        """The moves of the control plane's leases to another machine after `since` (unix, s), oldest first."""
        return self._kube.lease_teller.takeovers(since)

    def early_takeovers(self, since: float) -> Sequence[str]:
        """A line for each lease that was taken after `since` (unix, s) while its holder still had it."""
        return self._kube.lease_teller.early(since)

    def pods_replaced(self, since: float) -> int:
        """How many pods have gone since then (unix, s) and have successors of the same owner that are ready."""
        return self._kube.pod_teller.replacements.count(since)

    async def hashes(self) -> HashCheck:
        """Compare what the members store, and say of which bug a difference is known where one of them has it."""
        rows = [row for row in self._hub.board.rows(MemberRow) if row.fresh and row.machine]
        clients = [await self._clients.of(self._lab.machines[row.machine]) for row in rows]
        compared = await compare_hashes(clients)
        if compared.equal is not False:
            return compared
        return replace(compared, known=known_bug("unequal hashes", versions_that_run(self._hub.board)))

    async def differences(self) -> Differences:
        """Which keys the members that answer store differently, read from each of them."""
        rows = [row for row in self._hub.board.rows(MemberRow) if row.fresh and row.machine and row.health == "healthy"]
        try:
            clients = {row.machine: await self._clients.of(self._lab.machines[row.machine]) for row in rows}
        except EtcdError as error:
            return Differences(members=len(rows), why=str(error))
        return await differences(clients)

    def _changed(self) -> None:
        if self._work is None:
            self._work = asyncio.get_running_loop().call_later(GATHER, self._work_out)

    def _work_out(self) -> None:
        self._work = None
        now = self._hub.now()
        if self._scene.roster is not None and not self._scene.etcd_exists():
            self._scene.forget_cluster()
            self._leadership.forget()
            self.canary.set_up_anew("etcd was set up anew")
        if self.canary.epoch != self._epoch:
            self._epoch = self.canary.epoch
            self._leadership.may_begin_anew()
        old, new = self._rows, self._deriver.rows(self._lab.links, now)
        self._rows = new
        self._choose_targets()
        board = self._hub.board
        changed = old.keys() != new.keys()
        for key, row in new.items():
            known = old.get(key)
            if known is None or known != row or row.seen_at - _seen(board.get(Row, key)) >= YOUNG:
                changed = changed or known is None or not known.same_state(row)
                self._hub.publish(row)
        self._hub.retract(*(old.keys() - new.keys()))
        if changed:
            self._changes.tell(old, new)
        asked = [seen.asked for seen in self._scene.members.values()]
        self._leadership.follow(new, max(asked, default=now) or now)
        if changed:
            self._kube.changed()
            self._tell_listeners()

    def _tell_listeners(self) -> None:
        for listener in self._listeners:
            listener()

    def _choose_targets(self) -> None:
        """Whom the canary writes to: the members that can serve, else those that answer, else all there are."""
        voters = [
            row
            for row in self._rows.values()
            if isinstance(row, MemberRow) and row.role != "learner" and row.machine and row.health != "unstarted"
        ]
        serving = [row for row in voters if row.health == "healthy"] or [row for row in voters if row.fresh] or voters
        self._targets = [self._lab.machines[row.machine] for row in serving if row.machine in self._lab.machines]

    def _list_sources(self) -> list[Machine]:
        """Whom to ask for the member list: those that follow the leader; without one, those that claim to know one.

        A member that was cut off may know an old list, so it is asked only while no list is known at all.
        """
        living, belief = self._scene.living(), self._deriver.belief
        names = [name for name, one in living.items() if belief and one.leader == belief.leader]
        if belief is None:
            names = sorted((name for name, one in living.items() if one.leader), key=lambda name: -living[name].term)
        if not names and self._scene.roster is None:
            names = list(living)
        return [self._lab.machines[name] for name in names]


def _seen(row: Row | None) -> float:
    """When the row on the board was seen; 0 if there is none."""
    return row.seen_at if row is not None else 0.0
