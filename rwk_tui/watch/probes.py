"""The observers: one task a source, each with its own deadline, so that none can delay another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from rwk_tui.cluster.access import Access
from rwk_tui.cluster.etcd import CLIENT_PORT
from rwk_tui.lab.protocol import LabError, Machine
from rwk_tui.watch.answers import Etcd
from rwk_tui.watch.pace import Pace
from rwk_tui.watch.refusals import EtcdError
from rwk_tui.watch.sightings import Roster, Scene


class Connect(Protocol):
    """Makes a client of the member at host and port; with `access` where it asks for certificates."""

    def __call__(self, host: str, port: int, access: Access | None = None, /) -> Etcd: ...


GetAccess = Callable[[str], Access | None]
"""How the member of a machine lets us in, by the machine's name; None where it asks for nothing."""

CALM, CLOSE = 0.25, 0.05
"""Seconds between two questions, in quiet times and around a fault."""
IDLE = 1.0
"""Seconds between two questions to an etcd that the machine says isn't running."""
LIST_CALM, LIST_CLOSE = 1.0, 0.25
DEADLINE = 1.0
"""Seconds until a source counts as not answering, to be multiplied by the backend's slack."""


class Clients:
    """One connection to the etcd of each machine, made anew when its place changes."""

    def __init__(self, connect: Connect, access: GetAccess = lambda _machine: None) -> None:
        self._connect = connect
        self._access = access
        self._open: dict[str, tuple[tuple[str, int, Access | None], Etcd]] = {}

    async def of(self, machine: Machine) -> Etcd:
        """The client of that machine's etcd. Raises EtcdError when the machine can't be reached."""
        try:
            place = (*await machine.reach(CLIENT_PORT), self._access(machine.name))
        except LabError as error:
            raise EtcdError(str(error), definite=True) from None
        known = self._open.get(machine.name)
        if known is not None and known[0] == place:
            return known[1]
        client = self._connect(*place)
        self._open[machine.name] = (place, client)
        if known is not None:
            await known[1].close()
        return client

    async def close(self) -> None:
        """Close every connection."""
        clients, self._open = list(self._open.values()), {}
        for _, client in clients:
            await client.close()


class Probes:
    """Asks all sources and writes what they said into the scene; `changed` is called after each answer."""

    def __init__(
        self,
        scene: Scene,
        clients: Clients,
        pace: Pace,
        *,
        slack: float,
        clock: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        self._scene = scene
        self._clients = clients
        self._pace = pace
        self._deadline = DEADLINE * slack
        self._clock = clock
        self._changed = changed
        self._list_wanted = asyncio.Event()

    async def watch_machine(self, machine: Machine) -> None:
        """Ask one machine how it and its units stand, for ever."""
        seen = self._scene.machines[machine.name]
        while True:
            try:
                async with asyncio.timeout(self._deadline):
                    status = await machine.status()
            except TimeoutError:
                seen.why = f"no answer within {self._deadline:g} s"
            except (LabError, OSError) as error:
                seen.why = str(error)
            else:
                seen.status, seen.why = status, "" if status.seen else status.why
                if status.seen:
                    seen.at = self._clock()
            self._changed()
            await self._pace.beat(CALM, CLOSE)

    async def watch_member(self, machine: Machine) -> None:
        """Ask the etcd of one machine for its status, for ever."""
        name = machine.name
        while True:
            began = time.monotonic()
            try:
                client = await self._clients.of(machine)
                status = await client.status(timeout=self._deadline)
            except EtcdError as error:
                alive = not self._scene.members[name].why
                self._scene.missed(name, str(error), self._clock())
                if alive:
                    self._pace.alert(5.0)
            else:
                self._scene.answered(name, status, self._clock(), (time.monotonic() - began) * 1000)
                if self._is_news(status.member_id, status.learner):
                    self._list_wanted.set()
            self._changed()
            running = self._may_run(name)
            await self._pace.beat(CALM if running else IDLE, CLOSE if running else CALM)

    async def watch_list(self, pick: Callable[[], list[Machine]]) -> None:
        """Fetch the member list from the first machine of `pick()` that gives it, for ever."""
        while True:
            candidates = pick()
            why = "no member answers" if not candidates else ""
            for machine in candidates:
                try:
                    client = await self._clients.of(machine)
                    members = await client.members(timeout=self._deadline)
                except EtcdError as error:
                    why = str(error)
                    continue
                self._scene.roster = Roster(members, self._clock())
                why = ""
                break
            if why and self._scene.roster is not None:
                self._scene.roster.why = why
            self._changed()
            await self._next_list()

    async def _next_list(self) -> None:
        self._list_wanted.clear()
        beat = asyncio.ensure_future(self._pace.beat(LIST_CALM, LIST_CLOSE))
        news = asyncio.ensure_future(self._list_wanted.wait())
        try:
            await asyncio.wait((beat, news), return_when=asyncio.FIRST_COMPLETED)
        finally:
            beat.cancel()
            news.cancel()

    def _is_news(self, member: str, learner: bool) -> bool:
        """Whether a member says something of itself that the list does not know yet."""
        roster = self._scene.roster
        if roster is None:
            return True
        return not any(known.id == member and known.started and known.learner == learner for known in roster.members)

    def _may_run(self, machine: str) -> bool:
        seen = self._scene.machines[machine]
        unit = seen.etcd()
        return bool(seen.why) or seen.status is None or (unit is not None and unit.state in ("running", "paused"))
