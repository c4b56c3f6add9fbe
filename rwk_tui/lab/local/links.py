"""The links between machines, and the network that they make up: fronts, open connections, who may talk to whom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import permutations
from random import Random

from rwk_tui.board.targets import MACHINES
from rwk_tui.lab.host.address import BALANCED
from rwk_tui.lab.limits import check_delay
from rwk_tui.lab.local.addresses import AddressPlan
from rwk_tui.lab.local.balance import Balancer
from rwk_tui.lab.local.proxy import Front
from rwk_tui.lab.local.who import Dialler
from rwk_tui.lab.local.wire import Wire
from rwk_tui.lab.protocol import LabError, Listen

NO_PACKETS = "packets can only be lost where there are packets: here a link is a proxy of streams"


class LocalLink:
    """One direction between two machines; `chance` decides what jitter does."""

    def __init__(self, source: str, target: str, network: Network, chance: Random) -> None:
        self._source = source
        self._target = target
        self._network = network
        self._chance = chance
        self._cut = False
        self._delay_ms = 0.0
        self._jitter_ms = 0.0

    @property
    def source(self) -> str:
        return self._source

    @property
    def target(self) -> str:
        return self._target

    @property
    def is_cut(self) -> bool:
        return self._cut

    @property
    def delay_ms(self) -> float:
        return self._delay_ms

    @property
    def jitter_ms(self) -> float:
        return self._jitter_ms

    @property
    def loss(self) -> float:
        return 0.0

    @property
    def longest(self) -> float:
        """The longest time (s) that it may hold anything back."""
        return (self._delay_ms + self._jitter_ms) / 1000

    def draw(self) -> float:
        """How long (s) it holds back the next piece of data."""
        if not self._jitter_ms:
            return self._delay_ms / 1000
        return (self._delay_ms + self._chance.uniform(-self._jitter_ms, self._jitter_ms)) / 1000

    async def cut(self) -> None:
        """Let nothing through: new dials are refused, bytes on their way wait."""
        self._cut = True
        self._network.changed(self)

    async def delay(self, milliseconds: float, jitter: float = 0.0) -> None:
        """Hold back what goes through by that long, give or take `jitter` (ms). Raises LabError if these are no times.

        What comes in one piece is held back as one piece.
        """
        check_delay(milliseconds, jitter)
        self._delay_ms, self._jitter_ms = milliseconds, jitter
        self._network.changed(self)

    async def lose(self, share: float) -> None:
        """Raises LabError: there are no packets to lose."""
        raise LabError(NO_PACKETS)

    async def reset(self) -> None:
        """Break every connection that is open between the two machines now; new ones are let through."""
        self._network.break_between(self._source, self._target)

    async def heal(self) -> None:
        """Let everything through at once again."""
        self.open()
        self._network.changed(self)

    def open(self) -> None:
        """The same, but nobody is told yet."""
        self._cut, self._delay_ms, self._jitter_ms = False, 0.0, 0.0


class Network:
    """All links, all fronts and all connections that go through them; `told` is called when a link changed."""

    def __init__(self, plan: AddressPlan, dialler: Dialler, told: Callable[[], None], chance: Random) -> None:
        self._plan = plan
        self._dialler = dialler
        self._told = told
        self._links = {(a, b): LocalLink(a, b, self, chance) for a, b in permutations(MACHINES, 2)}
        self._fronts: dict[tuple[str, int], Front] = {}
        self.balancers = {port: Balancer(port, plan, self) for port in BALANCED}
        self.wires: set[Wire] = set()

    @property
    def links(self) -> Sequence[LocalLink]:
        """Every link, both directions."""
        return tuple(self._links.values())

    def link(self, source: str, target: str) -> LocalLink:
        """One link. Raises LabError if there is none such."""
        try:
            return self._links[source, target]
        except KeyError:
            raise LabError(f"there is no link from {source} to {target}") from None

    def between(self, source: str, target: str) -> LocalLink | None:
        """The link that bytes from one to the other pass, None where there is nothing to cut.

        A machine always reaches itself, and whoever is on no machine is the presenter.
        """
        return self._links.get((source, target))

    def is_open(self, source: str, target: str) -> bool:
        """Whether neither direction between the two is cut."""
        links = (self.between(source, target), self.between(target, source))
        return not any(link is not None and link.is_cut for link in links)

    def fronts(self, port: int) -> list[Front]:
        """The machines that have this port open to others, in order."""
        return [self._fronts[name, port] for name in MACHINES if (name, port) in self._fronts]

    def balancer(self, port: int) -> Balancer:
        """The balancer of that port. Raises LabError if it has none."""
        try:
            return self.balancers[port]
        except KeyError:
            raise LabError(f"port {port} is not balanced, only {', '.join(map(str, BALANCED))}") from None

    async def open(self, machine: str, listen: Listen) -> None:
        """Let others dial that port of that machine. Raises LabError if the address is taken."""
        port = listen.port
        if (machine, port) not in self._fronts:
            inside = self._plan.localhost if listen.bound else self._plan.inside
            outside = self._plan.front(machine, port)
            front = Front(machine, port, outside, inside(machine, port), self, self._dialler)
            await front.open()
            self._fronts[machine, port] = front

    def close(self, machine: str, port: int) -> None:
        """Refuse new dials; connections end with the program that serves them."""
        front = self._fronts.pop((machine, port), None)
        if front is not None:
            front.close()

    async def attach(self, source: str) -> None:
        """Let a machine, or the presenter (""), dial the balanced ports. Raises LabError if an address is taken."""
        for balancer in self.balancers.values():
            await balancer.open(source)

    def detach(self, source: str) -> None:
        """End that, and what was dialled so."""
        for balancer in self.balancers.values():
            balancer.close(source)

    def heal_all(self) -> None:
        """Open every link at once, as a reset does."""
        for link in self._links.values():
            link.open()
            self.changed(link)

    async def shut(self) -> None:
        """Close every front and every connection."""
        fronts = list(self._fronts.values())
        for machine, port in list(self._fronts):
            self.close(machine, port)
        for front in fronts:
            await front.settled()
        for balancer in self.balancers.values():
            await balancer.shut()
        for wire in list(self.wires):
            wire.reset()
        self._dialler.close()
        for _ in range(3):  # rounds of the event loop in which transports let go of their sockets
            await asyncio.sleep(0)

    def changed(self, link: LocalLink) -> None:
        """Make the open connections obey a link that changed, and tell of it."""
        if link.is_cut and self._links[link.target, link.source].is_cut:
            self.break_between(link.source, link.target)
        else:
            for wire in self._wires_between(link.source, link.target):
                wire.adjust()
        for balancer in self.balancers.values():
            balancer.move()  # who could reach no ready machine may do so now
        self._told()

    def break_between(self, one: str, other: str) -> None:
        """Break every connection between two machines, whoever dialled it."""
        for wire in self._wires_between(one, other):
            wire.reset()

    def _wires_between(self, one: str, other: str) -> list[Wire]:
        return [wire for wire in self.wires if {wire.dialled_by, wire.served_by} == {one, other}]
