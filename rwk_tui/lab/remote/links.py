"""The links between machines that are reached over SSH: what is wanted of them, and which machines have to hear it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING, Protocol

from rwk_tui.lab.limits import check_delay
from rwk_tui.lab.protocol import LabError, MachineDown, Narrator
from rwk_tui.lab.remote.deadman import REARM_EVERY
from rwk_tui.lab.remote.enforcer import Enforcer
from rwk_tui.lab.remote.filter import Flow, Peer
from rwk_tui.lab.remote.shaper import FIRST_BAND

if TYPE_CHECKING:
    from rwk_tui.lab.remote.agent import Done


class Host(Protocol):
    """A machine, as far as its network and its balancer go.

    All three raise MachineDown where the machine can't be reached at all: it is brought up to date when it is back. Any
    other LabError is one of a machine that is up.
    """

    @property
    def name(self) -> str: ...

    @property
    def address(self) -> str:
        """The IP address under which the other machines reach it."""

    @property
    def also(self) -> Sequence[str]:
        """Further addresses and ranges that are this machine's, those of its pods: "10.0.1.0/24"."""

    async def exec(self, *argv: str, input: bytes = b"", within: float = 10.0) -> Done:
        """Run a command as root, without a shell. Raises LabError if it can't start or does not end in time (s)."""

    async def put(self, path: str, content: bytes, mode: int = 0o600) -> None:
        """Write a file at once or not at all. Raises LabError."""

    async def get(self, path: str) -> bytes:
        """Read a file. Raises LabError if there is none."""


class Told(Protocol):
    """Who hears which machines one can't reach, and which are reached late: its balancer."""

    async def reach(self, machine: str, cut_off: Iterable[str], late: Mapping[str, float]) -> None:
        """`cut_off` are those with no way there and back, `late` is how late answers are (s). Raises LabError."""


class RemoteLink:
    """One direction between two machines."""

    def __init__(self, source: str, target: str, links: Links) -> None:
        self._source = source
        self._target = target
        self._links = links
        self.flow = Flow()

    @property
    def source(self) -> str:
        return self._source

    @property
    def target(self) -> str:
        return self._target

    @property
    def is_cut(self) -> bool:
        return self.flow.cut

    @property
    def delay_ms(self) -> float:
        return self.flow.delay_ms

    @property
    def jitter_ms(self) -> float:
        return self.flow.jitter_ms

    @property
    def loss(self) -> float:
        return self.flow.loss

    async def cut(self) -> None:
        """Let nothing through: new dials get no answer, bytes on their way wait. Raises LabError."""
        await self._links.change(self, replace(self.flow, cut=True))

    async def delay(self, milliseconds: float, jitter: float = 0.0) -> None:
        """Hold back every packet by that long, give or take `jitter` (ms).

        Raises LabError if these are no times, or if the machine's kernel can't do that.
        """
        check_delay(milliseconds, jitter)
        await self._links.change(self, replace(self.flow, delay_ms=milliseconds, jitter_ms=jitter))

    async def lose(self, share: float) -> None:
        """Lose that share (0 to 1) of the packets. Raises LabError if it is none."""
        if not 0 <= share <= 1:
            raise LabError(f"a loss of {share:g} is not within 0 and 1")
        await self._links.change(self, replace(self.flow, loss=share))

    async def reset(self) -> None:
        """Break every connection that is open between the two machines now; new ones pass. Raises LabError."""
        await self._links.break_between(self)

    async def heal(self) -> None:
        """Let everything through at once again. Raises LabError."""
        await self._links.change(self, Flow())


class Links:
    """All links of a lab; `told` is called when one has changed, `complain` hears of what does not stop us.

    What is wanted is noted first and then brought to the two machines that it concerns, one change at a time on each. A
    machine that is down hears of it when it is back; one that is up and can't obey takes the wish back.
    """

    def __init__(
        self,
        hosts: Mapping[str, Host],
        told: Callable[[], None],
        balancers: Told,
        complain: Narrator,
        rearm_every: float = REARM_EVERY,
    ) -> None:
        self._hosts = hosts
        self._told = told
        self._balancers = balancers
        self._complain = complain
        self._rearm_every = rearm_every
        self._links = {(a, b): RemoteLink(a, b, self) for a, b in permutations(hosts, 2)}
        self._enforcers = {name: Enforcer(host) for name, host in hosts.items()}
        self._rearming: asyncio.Task[None] | None = None
        self._guarding: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def links(self) -> Sequence[RemoteLink]:
        """Every link, both directions."""
        return tuple(self._links.values())

    def link(self, source: str, target: str) -> RemoteLink:
        """One link. Raises LabError if there is none such."""
        try:
            return self._links[source, target]
        except KeyError:
            raise LabError(f"there is no link from {source} to {target}") from None

    def wanted(self, machine: str) -> bool:
        """Whether any of its links is not plain."""
        return any(machine in ends and link.flow != Flow() for ends, link in self._links.items())

    async def apply(self, machine: str) -> None:
        """Bring a machine of which nothing is known to what is wanted, as after each connect. Raises LabError.

        What an earlier run left in force there goes too. A machine that is down is left alone.
        """
        try:
            await self._bring(machine, anew=True)
            await self._rely_on(machine)
        except MachineDown:
            return

    def lost(self, machine: str) -> None:
        """A machine may be back without what it enforced, so the others enforce all of it until it does."""
        if machine in self._guarding:
            self._guarding.discard(machine)
            task = asyncio.get_running_loop().create_task(self._rely_on(machine))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def change(self, link: RemoteLink, flow: Flow) -> None:
        """Want that of a link. Raises LabError if a machine that is up can't do it; then it stays as it was."""
        before, link.flow = link.flow, flow
        # Both enforce a cut, so that one that restarts does not heal it; the source relies on what the target does.
        failures = await self._bring_all([link.target]) + await self._bring_all([link.source])
        if failures and link.flow is flow:
            link.flow = before
            await self._bring_all((link.target, link.source))
        self._keep_armed()
        self._told()
        if failures:
            raise failures[0]

    async def break_between(self, link: RemoteLink) -> None:
        """Close what is open between the two. The target hears of it as a reset, unless it can't be told so."""
        try:
            await self._enforcers[link.source].sever(self._peer(link.source, link.target))
            if link.flow == Flow():
                return
        except MachineDown:
            pass
        try:
            await self._enforcers[link.target].sever(self._peer(link.target, link.source))
        except MachineDown:
            return

    async def heal_all(self) -> None:
        """Open every link at once. Machines that can't be reached heal by themselves, or when they are back.

        Raises LabError if one that is up did not, when all others have.
        """
        for link in self._links.values():
            link.flow = Flow()
        failures = await self._bring_all(self._hosts)
        self._keep_armed()
        self._told()
        if failures:
            raise failures[0]

    async def close(self) -> None:
        """Let go of the machines: whatever is still in force heals by itself."""
        tasks = {*self._tasks, *([self._rearming] if self._rearming is not None else [])}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._rearming = None

    async def _rely_on(self, machine: str) -> None:
        """Have those whose links to it are cut enforce as much as is needed, as it does its part or may not."""
        await self._bring_all(
            source for (source, target), link in self._links.items() if target == machine and link.is_cut
        )

    async def _bring_all(self, machines: Iterable[str]) -> list[LabError]:
        """What failed on machines that are up."""
        failures: list[LabError] = []

        async def bring(machine: str) -> None:
            try:
                await self._bring(machine)
            except MachineDown:
                self._guarding.discard(machine)
            except LabError as error:
                failures.append(error)

        await asyncio.gather(*map(bring, machines))
        return failures

    async def _bring(self, machine: str, anew: bool = False) -> None:
        await self._enforcers[machine].enforce(lambda: self._peers(machine), anew=anew)
        self._guarding.add(machine)
        cut_off, late = [], {}
        for peer in self._peers(machine):
            if peer.away.cut or peer.back.cut:
                cut_off.append(peer.name)
            if latest := sum(flow.delay_ms + flow.jitter_ms for flow in (peer.away, peer.back)):
                late[peer.name] = latest / 1000
        try:
            await self._balancers.reach(machine, cut_off, late)
        except MachineDown:
            raise
        except LabError as error:
            # It dials in vain a little longer, until it is told with the next word. A link must open all the same, also
            # where a full disk takes nothing.
            self._complain(machine, str(error))
        self._keep_armed()

    def _peers(self, machine: str) -> tuple[Peer, ...]:
        return tuple(self._peer(machine, other) for other in self._hosts if other != machine)

    def _peer(self, machine: str, other: str) -> Peer:
        host = self._hosts[other]
        away, back = self._links[machine, other].flow, self._links[other, machine].flow
        band = FIRST_BAND + list(self._hosts).index(other)
        return Peer(other, (host.address, *host.also), band, away, back, other in self._guarding)

    def _keep_armed(self) -> None:
        idle = self._rearming is None or self._rearming.done()
        if idle and any(map(self.wanted, self._hosts)):
            self._rearming = asyncio.get_running_loop().create_task(self._rearm())

    async def _rearm(self) -> None:
        """While anything is wanted, tell the machines that it still is, and those that have forgotten what it is."""
        while True:
            await asyncio.sleep(self._rearm_every)
            wanted = [machine for machine in self._hosts if self.wanted(machine)]
            if not wanted:
                return
            await asyncio.gather(*map(self._still, wanted))

    async def _still(self, machine: str) -> None:
        try:
            if not await self._enforcers[machine].still():
                await self._bring(machine, anew=True)
        except LabError:
            return  # down, or it heals by itself: nobody asked for anything now
