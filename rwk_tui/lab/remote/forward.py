"""A port of a machine that only the machine itself may dial, at a port of the presenter."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import asyncssh

from rwk_tui.lab.protocol import LabError

_BLOCK = 64 * 1024
_DIAL_WITHIN = 10.0


class Forward:
    """A listener on 127.0.0.1 that outlives connections to the machine; while there is none, it hangs up at once."""

    def __init__(self, port: int, ssh: Callable[[], asyncssh.SSHClientConnection | None]) -> None:
        self._port = port
        self._ssh = ssh
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def listen(self) -> tuple[str, int]:
        """Where it listens. Raises LabError if it can't."""
        if self._server is None:
            try:
                self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
            except OSError as error:
                raise LabError(f"can't listen on 127.0.0.1: {error.strerror}") from error
        host, port = self._server.sockets[0].getsockname()
        return host, port

    def drop(self) -> None:
        """The connection to the machine is lost: so is what went through it."""
        for task in self._open:
            task.cancel()

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.drop()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        far: asyncssh.SSHWriter[bytes] | None = None
        try:
            ssh = self._ssh()
            if ssh is None:
                return
            async with asyncio.timeout(_DIAL_WITHIN):
                far_reader, far = await ssh.open_connection("127.0.0.1", self._port, encoding=None)
            async with asyncio.TaskGroup() as both:
                both.create_task(_pump(reader, far))
                both.create_task(_pump(far_reader, writer))
        except (OSError, TimeoutError, asyncssh.Error, asyncio.CancelledError, BaseExceptionGroup):
            pass  # whoever dialled sees it as it would on the machine: the connection is closed
        finally:
            self._open.discard(task)
            if far is not None:
                far.close()
            writer.transport.abort()


async def _pump(
    source: asyncio.StreamReader | asyncssh.SSHReader[bytes], target: asyncio.StreamWriter | asyncssh.SSHWriter[bytes]
) -> None:
    while data := await source.read(_BLOCK):
        target.write(data)
        await target.drain()
    with contextlib.suppress(OSError):
        target.write_eof()
