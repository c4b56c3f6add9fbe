"""A port that any machine may serve: each dial is led to one that does so well now.

The presenter's balancer is this in the daemon. A machine's own is this very file, sent over and run by the Python that
the machine has, so it needs nothing but the standard library of 3.8: `balance.py CONFIG ACKNOWLEDGEMENT`.

Its configuration is JSON: `listen` ([host, port]), `port`, `machines` (addresses by name), `ready` and `cut_off`
(names), `late` (seconds by name) and `token`. It is read at the start and on SIGHUP; its token in the file
ACKNOWLEDGEMENT says that it is in force. SIGUSR1 has it forget which machines are cut off.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

DIAL_WITHIN = 1.0
"""Seconds until the next machine is tried, on top of how late that one answers: who takes longer is stuck."""


class End(asyncio.Protocol):
    """One end of a connection through the balancer: what it receives, its other end sends."""

    def __init__(self, made: Callable[[End], None] | None = None) -> None:
        self.machine = ""
        self.transport: asyncio.Transport | None = None
        self.over = False
        self._made = made
        self._other: End | None = None
        self._early = bytearray()
        self._eof = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        if self._made is not None:
            self.transport.pause_reading()
            self._made(self)

    def join(self, server: End) -> None:
        """Make the two the ends of one connection."""
        assert self.transport is not None and server.transport is not None
        self._other, server._other = server, self
        # Early releases of Python 3.11 read on for a moment when they are told to pause.
        self.data_received(b"")
        server.data_received(b"")
        self.transport.resume_reading()
        for end, other in ((self, server), (server, self)):
            if end._eof:
                other.finish()

    def data_received(self, data: bytes) -> None:
        self._early += data
        other = self._other.transport if self._other is not None else None
        if other is not None and self._early:
            other.write(bytes(self._early))
            self._early.clear()

    def eof_received(self) -> bool:
        self._eof = True
        if self._other is not None:
            self._other.finish()
        return True

    def finish(self) -> None:
        """Send no more; the connection is over when the other direction is, too."""
        assert self.transport is not None
        if not self.transport.is_closing():
            self.transport.write_eof()
            if self._eof:
                self.transport.close()

    def pause_writing(self) -> None:
        if self._other is not None and self._other.transport is not None:
            self._other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self._other is not None and self._other.transport is not None:
            self._other.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self.over = True
        if self._other is None or self._other.transport is None:
            return
        if error is None:
            self._other.transport.close()
        else:
            self._other.reset()

    def reset(self) -> None:
        """Break the connection, so that whoever is at this end sees that it was broken."""
        if self.transport is None or self.over:
            return
        connection = self.transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


class Balancer:
    """Leads dials to that port of one of `machines`, which says their addresses by name."""

    def __init__(self, port: int, machines: Callable[[], Mapping[str, str]]) -> None:
        self._port = port
        self._machines = machines
        self._ready: tuple[str, ...] = ()
        self._cut_off: frozenset[str] = frozenset()
        self._late: Mapping[str, float] = {}
        self._turn = 0
        self._servers: set[End] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def steer(
        self, ready: Sequence[str], cut_off: Collection[str] = (), late: Mapping[str, float] | None = None
    ) -> None:
        """Prefer those that are `ready`, leave out those that are cut off, and wait longer for those that are late."""
        before = set(self._ready), self._cut_off
        self._ready, self._cut_off, self._late = tuple(dict.fromkeys(ready)), frozenset(cut_off), late or {}
        if before != (set(self._ready), self._cut_off):
            self._turn = 0
            self._start(self._move())

    def forget_cuts(self) -> None:
        """Leave out nobody."""
        self.steer(self._ready, (), {})

    def accept(self) -> End:
        """The end of a client that dials: what to make a listening server with."""
        return End(lambda client: self._start(self._lead(client)))

    async def close(self) -> None:
        """Break every connection and end what is being dialled."""
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for server in set(self._servers):
            server.reset()

    async def _lead(self, client: End) -> None:
        server = None
        try:
            for name in self._candidates():
                server = await self._dial(name)
                if server is not None or client.over:
                    break
        finally:
            if server is None or server.over or client.over:
                for end in (server, client):
                    if end is not None:
                        end.reset()
        if server is not None and not server.over and not client.over:
            client.join(server)
            self._servers = {each for each in self._servers if not each.over} | {server}
            if server.machine not in self._ready and self._ready:
                self._start(self._move())  # what was the best may be so no longer

    def _candidates(self) -> list[str]:
        """Who may serve a dial, the best first; dials take turns."""
        known = [name for name in self._machines() if name not in self._cut_off]
        ready = [name for name in self._ready if name in known]
        others = [name for name in known if name not in ready]
        turn, self._turn = self._turn, self._turn + 1
        return _turned(ready, turn) + _turned(others, turn)

    async def _dial(self, name: str) -> End | None:
        """A connection to that machine, None if there is none to be had."""
        server = End()
        server.machine = name
        loop = asyncio.get_running_loop()
        dialling = loop.create_connection(lambda: server, self._machines()[name], self._port)
        try:
            await asyncio.wait_for(dialling, DIAL_WITHIN + self._late.get(name, 0.0))
        except (OSError, asyncio.TimeoutError):  # noqa: UP041  two different things before 3.11
            server.reset()
            return None
        except asyncio.CancelledError:
            server.reset()
            raise
        return server

    async def _move(self) -> None:
        """Break the connections to machines that are not ready, if one that is ready answers a dial.

        Clients dial again then. One that froze would hold them until they lose patience.
        """
        if not any(server.machine not in self._ready and not server.over for server in self._servers):
            return
        for name in self._ready:
            if name in self._cut_off or name not in self._machines():
                continue
            better = await self._dial(name)
            if better is None:
                continue
            assert better.transport is not None
            better.transport.close()
            for server in set(self._servers):
                if name in self._ready and server.machine not in self._ready:
                    server.reset()
            return

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _turned(names: list[str], turn: int) -> list[str]:
    at = turn % len(names) if names else 0
    return names[at:] + names[:at]


def main(config: str, acknowledgement: str) -> None:
    """Be a machine's balancer until a signal ends it."""
    asyncio.run(_serve(config, acknowledgement))


async def _serve(config: str, acknowledgement: str) -> None:
    told: dict[str, Any] = _read(config)
    balancer = Balancer(int(told["port"]), lambda: told["machines"])

    def obey() -> None:
        balancer.steer(told["ready"], told["cut_off"], told["late"])
        new = Path(acknowledgement + ".new")
        new.write_text(str(told["token"]), encoding="ascii")
        new.replace(acknowledgement)

    def hear() -> None:
        try:
            told.update(_read(config))
            obey()
        except (OSError, ValueError, KeyError) as error:
            print(f"what I am told in {config} makes no sense: {error!r}", file=sys.stderr, flush=True)

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, hear)
    loop.add_signal_handler(signal.SIGUSR1, balancer.forget_cuts)
    host, port = told["listen"]
    server = await loop.create_server(balancer.accept, host, port, reuse_address=True, backlog=512)
    obey()
    await server.serve_forever()


def _read(config: str) -> dict[str, Any]:
    return dict(json.loads(Path(config).read_text(encoding="utf-8")))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
