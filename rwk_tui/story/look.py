"""A look at the living cluster: what each member answers right now, with a deadline on every question."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import TracebackType

from rwk_tui.cluster.etcd import CLIENT_PORT, PEER_PORT
from rwk_tui.lab.protocol import LabError
from rwk_tui.story.context import Context
from rwk_tui.watch.answers import Etcd, Member, Status
from rwk_tui.watch.refusals import EtcdError


@dataclass(frozen=True, slots=True)
class Seen:
    """One look: whether it held, what was seen, and whether waiting longer can't help.

    `known` says which bug of the engine explains that it did not hold, "" if none does.
    """

    holds: bool
    saw: str
    final: bool = False
    known: str = ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The member list, and how each machine's member stands; machines whose member doesn't answer are left out."""

    members: tuple[Member, ...]
    statuses: dict[str, Status]
    names: dict[str, str]

    def with_leader(self) -> list[str]:
        """The machines whose member knows a leader."""
        return [name for name, status in self.statuses.items() if status.leader]

    def leader(self) -> str:
        """The machine that leads in the highest term; "" if nobody does."""
        leading = [(s.term, name) for name, s in self.statuses.items() if s.leader and s.leader == s.member_id]
        return max(leading)[1] if leading else ""

    def named(self, *, learner: bool) -> list[str]:
        """The machines of all voters, or of all learners."""
        return sorted(self.names.get(m.id, m.id) for m in self.members if m.learner is learner)


class Look:
    """Connections to the members, for as long as a check takes."""

    def __init__(self, context: Context, timeout: float = 1.0) -> None:
        self._context = context
        self._timeout = timeout
        self._clients: dict[str, Etcd] = {}

    async def __aenter__(self) -> Look:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients.values():
            await client.close()

    async def client(self, machine: str) -> Etcd:
        """A client of that machine's member. Raises LabError where the machine can't be reached at all."""
        if machine not in self._clients:
            host, port = await self._context.lab.machines[machine].reach(CLIENT_PORT)
            site = self._context.site
            access = site.etcd_access() if site.is_secured(machine) else None
            self._clients[machine] = self._context.connect(host, port, access)
        return self._clients[machine]

    async def status(self, machine: str) -> Status | None:
        """How the machine's member stands; None if it doesn't answer."""
        try:
            return await (await self.client(machine)).status(timeout=self._timeout)
        except (EtcdError, LabError):
            return None

    async def cluster(self) -> Cluster:
        """Everything that all members tell; the list is that of the member that knows the newest term."""
        names = list(self._context.lab.machines)
        answers = await asyncio.gather(*(self.status(name) for name in names))
        statuses = {name: status for name, status in zip(names, answers, strict=True) if status is not None}
        members: tuple[Member, ...] = ()
        for name in sorted(statuses, key=lambda n: (statuses[n].leader == "", -statuses[n].applied_index)):
            try:
                members = await (await self.client(name)).members(timeout=self._timeout)
                break
            except (EtcdError, LabError):
                continue
        return Cluster(members, statuses, {member.id: self._machine_of(member) for member in members})

    def _machine_of(self, member: Member) -> str:
        for name, machine in self._context.lab.machines.items():
            urls = {machine.url(PEER_PORT, scheme=scheme) for scheme in ("http", "https")}
            if member.name == name or urls & set(member.peer_urls):
                return name
        return member.name or member.id
