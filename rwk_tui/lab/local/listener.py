"""A listening address of ours: it hands each connection to whoever finds out where that one leads."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Coroutine
from typing import Any

from rwk_tui.lab.host import procs
from rwk_tui.lab.host.address import Address
from rwk_tui.lab.local.wire import End
from rwk_tui.lab.protocol import LabError

_RETRY_FOR = 1.0


class Listener:
    """`lead` says whether it led the client somewhere; if not, the client sees a reset."""

    def __init__(self, address: Address, lead: Callable[[End], Coroutine[Any, Any, bool]]) -> None:
        self.address = address
        self._lead = lead
        self._server: asyncio.Server | None = None
        self._leading: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen. A taken address is tried again for a second; then LabError says who has it."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _RETRY_FOR
        while True:
            try:
                self._server = await loop.create_server(
                    lambda: End(self._accept),
                    self.address.host,
                    self.address.port,
                    reuse_address=True,
                    backlog=512,
                    start_serving=False,  # so that there is no moment at which a cancelled one is left to itself
                )
                await self._server.start_serving()
                return
            except asyncio.CancelledError:
                self.close()
                raise
            except OSError as error:
                self.close()
                if error.errno != errno.EADDRINUSE:
                    raise LabError(f"can't listen on {self.address}: {error.strerror or error}") from error
                if loop.time() > end:
                    who = await asyncio.to_thread(procs.holder, self.address)
                    raise LabError(f"{self.address} is taken by {who}; end it, then start again") from error
            await asyncio.sleep(0.05)

    def close(self) -> None:
        """Refuse new dials, those included that are being answered."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in self._leading:
            task.cancel()

    async def settled(self) -> None:
        """Until every dial that was being answered at the close is refused."""
        while self._leading:
            await asyncio.wait(set(self._leading))

    def _accept(self, client: End) -> None:
        if self._server is None:
            client.reset()
            return
        task = asyncio.get_running_loop().create_task(self._answer(client))
        self._leading.add(task)
        task.add_done_callback(self._leading.discard)

    async def _answer(self, client: End) -> None:
        led = False
        try:
            led = await self._lead(client)
        finally:
            if not led:
                client.reset()
