"""The front of a public port: it listens where other machines dial and leads to the machine's network side."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING

from rwk_tui.lab.local import procs
from rwk_tui.lab.local.addresses import Address
from rwk_tui.lab.local.wire import End, Wire
from rwk_tui.lab.protocol import LabError

if TYPE_CHECKING:
    from rwk_tui.lab.local.links import Network
    from rwk_tui.lab.local.who import Dialler

_RETRY_FOR = 1.0
_DIAL_WITHIN = 5.0


class Front:
    """One listening address; open only while the program behind it runs."""

    def __init__(self, machine: str, outside: Address, inside: Address, network: Network) -> None:
        self._machine = machine
        self._outside = outside
        self._inside = inside
        self._network = network
        self._server: asyncio.Server | None = None
        self._dialler: Dialler | None = None
        self._accepting: set[asyncio.Task[None]] = set()

    async def open(self, dialler: Dialler) -> None:
        """Listen. A taken address is tried again for a second; then LabError says who has it."""
        self._dialler = dialler
        loop = asyncio.get_running_loop()
        end = loop.time() + _RETRY_FOR
        while True:
            try:
                self._server = await loop.create_server(
                    lambda: End(self._accept), self._outside.host, self._outside.port, reuse_address=True, backlog=512
                )
                return
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise LabError(f"can't listen on {self._outside}: {error.strerror or error}") from error
                if loop.time() > end:
                    who = await asyncio.to_thread(procs.holder, self._outside)
                    raise LabError(f"{self._outside} is taken by {who}; end it, then start again") from error
            await asyncio.sleep(0.05)

    def close(self) -> None:
        """Refuse new dials."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in self._accepting:
            task.cancel()

    async def settled(self) -> None:
        """Until every dial that was being answered at the close is refused."""
        while self._accepting:
            await asyncio.wait(set(self._accepting))

    def _accept(self, client: End) -> None:
        if self._server is None:
            client.reset()
            return
        task = asyncio.get_running_loop().create_task(self._lead(client))
        self._accepting.add(task)
        task.add_done_callback(self._accepting.discard)

    async def _lead(self, client: End) -> None:
        """Find out who dialled and, if the link lets it, connect with the inside; else the dialler sees a reset."""
        assert client.transport is not None
        assert self._dialler is not None
        server = End()
        joined = False
        try:
            peer = client.transport.get_extra_info("peername")
            source = await self._dialler.machine_at(Address(*peer[:2]), self._outside)
            there = self._network.between(source, self._machine)
            if there is not None and there.is_cut:
                return
            async with asyncio.timeout(_DIAL_WITHIN):
                await asyncio.get_running_loop().create_connection(lambda: server, self._inside.host, self._inside.port)
            if there is not None and there.is_cut:
                return
            joined = True
            Wire(
                client,
                server,
                dialled_by=source,
                served_by=self._machine,
                there=there,
                back=self._network.between(self._machine, source),
                wires=self._network.wires,
            )
        except OSError:
            return  # nobody listens inside, as the reset tells the dialler; TimeoutError is one of these
        finally:
            if not joined:
                client.reset()
                server.reset()
