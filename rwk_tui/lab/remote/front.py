"""The presenter's own balancer: it leads what the daemon's tools dial to a machine that serves the port well."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rwk_tui.lab.host import procs
from rwk_tui.lab.host.address import Address
from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote.balance import PORT
from rwk_tui.lab.remote.balancer import Balancer


class Front:
    """Listens at `place`; no link lies between it and a machine, so nobody is ever cut off from it."""

    def __init__(self, addresses: Callable[[], Mapping[str, str]], place: Address, port: int = PORT) -> None:
        self._place = place
        self._balancer = Balancer(port, addresses)
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> Address:
        """Where it is dialled."""
        return self._place

    async def open(self) -> None:
        """Listen; harmless when it does. Raises LabError if the address is taken."""
        if self._server is not None:
            return
        loop = asyncio.get_running_loop()
        host, port = self._place.host, self._place.port
        try:
            self._server = await loop.create_server(self._balancer.accept, host, port, reuse_address=True, backlog=512)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise LabError(f"can't listen on {self._place}: {error.strerror or error}") from error
            who = await asyncio.to_thread(procs.holder, self._place)
            raise LabError(f"{self._place} is taken by {who}; end it, then start again") from error

    def steer(self, ready: Sequence[str]) -> None:
        """Prefer these machines from now on, and take connections away from the others."""
        self._balancer.steer(ready)

    async def close(self) -> None:
        """Refuse new dials and break the connections."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._balancer.close()


def front_place(subnet: int, file: Path, system: str = sys.platform) -> Address:
    """Where the presenter's balancer is to listen: an address of its own where all of 127.0.0.0/8 is loopback.

    Elsewhere a free port of 127.0.0.1, which `file` keeps, because kubeconfigs name it. Raises LabError.
    """
    if system == "linux":
        return Address(f"127.0.{subnet}.100", PORT)
    with contextlib.suppress(OSError, ValueError):
        return Address("127.0.0.1", int(file.read_text()))
    try:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(str(port))
    except OSError as error:
        raise LabError(f"can't keep a port in {file}: {error.strerror or error}") from error
    return Address("127.0.0.1", port)
