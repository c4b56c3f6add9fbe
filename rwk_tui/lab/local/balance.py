"""A balanced port: any machine may serve it, and a dial goes to one that does so well now.

The lab has a balancer for the presenter and each machine its own, as /etc/hosts with several addresses is on a host of
its own. What is dialled at a machine's balancer counts as dialled by that machine, so cut links cut it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from rwk_tui.lab.host.address import BALANCED, Address
from rwk_tui.lab.local.addresses import AddressPlan
from rwk_tui.lab.local.listener import Listener
from rwk_tui.lab.local.proxy import Front
from rwk_tui.lab.local.wire import End

if TYPE_CHECKING:
    from rwk_tui.lab.local.links import Network

_DIAL_WITHIN = 1.0
"""Seconds until the next machine is tried: nothing is far away here, so who takes longer is stuck."""


class Balancer:
    """Everything that is balanced at one port; a source of dials is a machine, or "" for the presenter."""

    def __init__(self, port: int, plan: AddressPlan, network: Network) -> None:
        self._port = port
        self._plan = plan
        self._network = network
        self._listeners: dict[str, Listener] = {}
        self._ready: tuple[str, ...] = ()
        self._turn = 0

    def address(self, source: str) -> Address:
        """Where that source dials."""
        return self._plan.localhost(source, BALANCED[self._port]) if source else self._plan.desk(self._port)

    def is_open(self, source: str) -> bool:
        """Whether that source may dial."""
        return source in self._listeners

    async def open(self, source: str) -> None:
        """Let that source dial. Raises LabError if the address is taken."""
        if source in self._listeners:
            return

        async def lead(client: End) -> bool:
            return await self._lead(client, source)

        listener = Listener(self.address(source), lead)
        await listener.open()
        self._listeners[source] = listener

    def close(self, source: str) -> None:
        """Refuse new dials of that source and break its connections."""
        listener = self._listeners.pop(source, None)
        if listener is not None:
            listener.close()
        for wire in list(self._network.wires):
            if wire.balanced == self._port and wire.dialled_by == source:
                wire.reset()

    async def shut(self) -> None:
        """Close for everyone, and wait until the last dial is refused."""
        for source, listener in list(self._listeners.items()):
            self.close(source)
            await listener.settled()

    def steer(self, ready: Sequence[str]) -> None:
        """Prefer these machines, and take connections away from the others."""
        changed = set(ready) != set(self._ready)
        self._ready = tuple(dict.fromkeys(ready))
        if changed:  # else one that is ready but refuses dials would cost the others their clients again and again
            self._turn = 0
            self.move()

    def move(self) -> None:
        """Break the connections to machines that are not ready, where a ready one can be had instead.

        Clients dial again then. One that froze would hold them until they lose patience.
        """
        for wire in list(self._network.wires):
            if wire.balanced != self._port or wire.served_by in self._ready:
                continue
            if any(front.machine in self._ready for front in self._serving(wire.dialled_by)):
                wire.reset()

    def _serving(self, source: str) -> list[Front]:
        """Who has the port open to that source."""
        fronts = self._network.fronts(self._port)
        return [front for front in fronts if self._network.is_open(source, front.machine)]

    def _candidates(self, source: str) -> list[Front]:
        """Who may serve a dial, the best first; dials take turns."""
        serving = {front.machine: front for front in self._serving(source)}
        ready = [serving[name] for name in self._ready if name in serving]
        others = [front for name, front in serving.items() if name not in self._ready]
        turn, self._turn = self._turn, self._turn + 1
        return _turned(ready, turn) + _turned(others, turn)

    async def _lead(self, client: End, source: str) -> bool:
        ready = self._ready
        for front in self._candidates(source):
            allowed = partial(self._network.is_open, source, front.machine)
            if await front.connect(client, source, allowed, within=_DIAL_WITHIN, balanced=self._port):
                if ready != self._ready:
                    self.move()  # what was the best is so no longer
                return True
        return False


def _turned(fronts: list[Front], turn: int) -> list[Front]:
    at = turn % len(fronts) if fronts else 0
    return fronts[at:] + fronts[:at]
