"""Who is a member of the cluster, read from any live one, and operations that need to know."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from rwk_tui.cluster.etcd import PLAIN, UNIT, Static, Style, member_spec, peer_url
from rwk_tui.cluster.etcdctl import etcdctl
from rwk_tui.cluster.ops import OpResult, RunOp, Tell, UnitOp, ask
from rwk_tui.lab.protocol import LabError, Machine, UnitSpec
from rwk_tui.settings import Settings


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of the member list; one that never started has no name, only its peer URLs. `id` is hexadecimal."""

    id: str
    name: str
    peer_urls: tuple[str, ...]
    client_urls: tuple[str, ...] = ()
    learner: bool = False


class _WireMember(msgspec.Struct):
    # etcdctl writes IDs as decimal numbers and leaves out what is empty
    id: int = msgspec.field(name="ID")
    name: str = ""
    peer_urls: tuple[str, ...] = msgspec.field(name="peerURLs", default=())
    client_urls: tuple[str, ...] = msgspec.field(name="clientURLs", default=())
    learner: bool = msgspec.field(name="isLearner", default=False)


class _WireList(msgspec.Struct):
    members: tuple[_WireMember, ...] = ()


def read_members(text: str) -> tuple[Member, ...]:
    """Read what `etcdctl member list -w json` prints; LabError if it is something else."""
    try:
        wire = msgspec.json.decode(text, type=_WireList)
    except msgspec.DecodeError as error:
        raise LabError(f"etcdctl member list printed something unexpected: {error}") from error
    return tuple(Member(f"{m.id:x}", m.name, m.peer_urls, m.client_urls, m.learner) for m in wire.members)


Live = Callable[[Machine], Awaitable[Sequence[Member]]]
"""Ask one machine's member who the members are. Best without a quorum, which etcdctl's own list needs."""


async def list_members(via: Machine) -> tuple[Member, ...]:
    """Ask the member on that machine through etcdctl, which needs a quorum; LabError if it doesn't answer."""
    result = await ask(via, etcdctl(via, "member", "list", "-w", "json", public=False))
    if result.exit_code != 0:
        last = result.stderr.strip().splitlines()[-1:] or ["no answer"]
        raise LabError(f"{via.name} can't tell who the members are: {last[0]}")
    return read_members(result.stdout)


async def list_from_any(machines: Iterable[Machine]) -> tuple[Member, ...]:
    """The members as the first machine that answers knows them; LabError if none does."""
    reasons: list[str] = []
    for machine in machines:
        try:
            return await list_members(machine)
        except (LabError, TimeoutError) as error:
            reasons.append(str(error) or f"{machine.name} took too long")
    raise LabError("no member answers: " + "; ".join(reasons))


def find(members: Iterable[Member], machine: Machine) -> Member | None:
    """The member that belongs to a machine, by its name or by the peer URL that it was added with."""
    urls = {peer_url(machine, scheme=scheme) for scheme in ("http", "https")}
    return next((m for m in members if m.name == machine.name or urls & set(m.peer_urls)), None)


@dataclass(slots=True)
class MemberOp:
    """An etcdctl command about one member, whose ID is taken from the live list just before it runs.

    `known` guesses the ID for previews ("" where it has no idea).
    """

    via: Machine
    member: Machine
    arguments: Callable[[str], Sequence[str]]
    known: Callable[[str], str]
    live: Live = list_members
    public: bool = True
    style: Style = PLAIN
    _id: str = field(default="", init=False)

    @property
    def machine(self) -> str:
        return self.via.name

    async def resolve(self) -> None:
        found = find(await self.live(self.via), self.member)
        if found is None:
            raise LabError(f"{self.member.name} is not in the member list of {self.via.name}")
        self._id = found.id

    def _run(self) -> RunOp:
        shown = self._id or self.known(self.member.name) or f"<ID of {self.member.name}>"
        how = self.style
        command = etcdctl(self.via, *self.arguments(shown), public=self.public, scheme=how.scheme, slack=how.slack)
        return RunOp(self.via, command)

    def command(self) -> str:
        return self._run().command()

    async def run(self, tell: Tell) -> OpResult:
        if not self._id:
            await self.resolve()
        return await self._run().run(tell)


@dataclass(slots=True)
class JoinOp:
    """Start etcd on a machine that was added to a living cluster; whom it joins is taken from the live list.

    `known` guesses the other members, name to peer URL, for previews.
    """

    via: Machine
    member: Machine
    settings: Settings
    known: Callable[[], Mapping[str, str]]
    live: Live = list_members
    style: Style = PLAIN
    _members: dict[str, str] = field(default_factory=dict, init=False)

    @property
    def machine(self) -> str:
        return self.member.name

    async def resolve(self) -> None:
        # A member that never started has no name in the list: it can only be the one that joins now.
        listed = await self.live(self.via)
        self._members = dict(sorted((m.name or self.member.name, m.peer_urls[0]) for m in listed if m.peer_urls))

    def _spec(self) -> UnitSpec:
        known = {**self.known(), self.member.name: peer_url(self.member, scheme=self.style.scheme)}
        members = self._members or dict(sorted(known.items()))
        return member_spec(self.member, self.settings, Static(members, existing=True), style=self.style)

    def command(self) -> str:
        return self.member.unit(UNIT).show_spec("start", self._spec())

    async def run(self, tell: Tell) -> OpResult:
        if not self._members:
            await self.resolve()
        return await UnitOp(self.member, UNIT, "start", self._spec()).run(tell)
