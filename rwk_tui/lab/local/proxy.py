"""The front of a public port: it listens where other machines dial and leads to the program behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from rwk_tui.lab.host.address import Address
from rwk_tui.lab.local.listener import Listener
from rwk_tui.lab.local.wire import End, Wire

if TYPE_CHECKING:
    from rwk_tui.lab.local.links import Network
    from rwk_tui.lab.local.who import Dialler

_DIAL_WITHIN = 5.0


class Front:
    """One public port of one machine; open only while the program behind it runs.

    `inside` is where that program listens: the machine's network side, or its localhost if it can listen on one only.
    """

    def __init__(
        self, machine: str, port: int, outside: Address, inside: Address, network: Network, dialler: Dialler
    ) -> None:
        self.machine = machine
        self.port = port
        self._inside = inside
        self._network = network
        self._dialler = dialler
        self._listener = Listener(outside, self._lead)

    async def open(self) -> None:
        """Listen. Raises LabError if the address is taken."""
        await self._listener.open()

    def close(self) -> None:
        """Refuse new dials."""
        self._listener.close()

    async def settled(self) -> None:
        """Until every dial that was being answered at the close is refused."""
        await self._listener.settled()

    async def connect(
        self, client: End, source: str, allowed: Callable[[], bool], *, within: float, balanced: int = 0
    ) -> bool:
        """Connect a client on `source` with the program if that is `allowed` before and after; whether it was done."""
        if not allowed():
            return False
        server = End()
        joined = False
        try:
            async with asyncio.timeout(within):
                await asyncio.get_running_loop().create_connection(lambda: server, self._inside.host, self._inside.port)
            if allowed():
                joined = True
                Wire(
                    client,
                    server,
                    dialled_by=source,
                    served_by=self.machine,
                    balanced=balanced,
                    there=self._network.between(source, self.machine),
                    back=self._network.between(self.machine, source),
                    wires=self._network.wires,
                )
        except OSError:
            return False  # nobody listens inside; TimeoutError is one of these
        finally:
            if not joined:
                server.reset()
        return joined

    async def _lead(self, client: End) -> bool:
        """Find out who dialled, and connect if the link lets it."""
        assert client.transport is not None
        peer = client.transport.get_extra_info("peername")
        try:
            source = await self._dialler.machine_at(Address(*peer[:2]), self._listener.address)
        except OSError:
            return False
        there = self._network.between(source, self.machine)
        return await self.connect(client, source, lambda: there is None or not there.is_cut, within=_DIAL_WITHIN)
