"""A crowd of clients of Kubernetes: a program of its own that asks the API far more than it may, in bursts.

It prints a line of JSON a second: how many requests were answered with which status, and how many failed otherwise.
It uses nothing but the standard library and is started by its path, so that any Python can run it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import sys
from collections import Counter

SERVER_NAME = "kubernetes"
"""The name that every API server's certificate carries, by whatever address it is reached."""
TOLD_EVERY = 1.0
AGAIN = 0.5
"""Seconds until a client that lost its connection dials again."""
WITHIN = 10.0
"""Seconds that an answer may take."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Crowd:
    """`size` clients with a connection each that all ask at the same moment, every `every` seconds."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, path: str, size: int, every: float) -> None:
        self._place = (host, port)
        self._context = context
        self._request = f"GET {path} HTTP/1.1\r\nHost: {SERVER_NAME}\r\nAccept: application/json\r\n\r\n".encode()
        self._size = size
        self._every = every
        self.counts: Counter[str] = Counter()

    async def run(self) -> None:
        """Ask and tell, for ever."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._size):
                group.create_task(self._client())
            group.create_task(self._tell())

    async def _client(self) -> None:
        loop = asyncio.get_running_loop()
        streams: Streams | None = None
        while True:
            # The bursts of all clients begin together: at the whole multiples of `every`.
            await asyncio.sleep(self._every - loop.time() % self._every)
            try:
                async with asyncio.timeout(WITHIN):
                    if streams is None:
                        host, port = self._place
                        streams = await asyncio.open_connection(
                            host, port, ssl=self._context, server_hostname=SERVER_NAME
                        )
                    self.counts[await ask(streams, self._request)] += 1
            except (OSError, EOFError, ValueError):  # TimeoutError is an OSError, IncompleteReadError an EOFError
                self.counts["failed"] += 1
                if streams is not None:
                    streams[1].transport.abort()
                    streams = None
                await asyncio.sleep(AGAIN)

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(TOLD_EVERY)
            print(json.dumps(dict(sorted(self.counts.items()))), flush=True)
            self.counts.clear()


async def ask(streams: Streams, request: bytes) -> str:
    """Send a request and read its answer to the end; the status, such as "429"."""
    reader, writer = streams
    writer.write(request)
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
    status = head[0].split(" ")[1]
    fields = dict(line.split(":", 1) for line in head[1:] if ":" in line)
    if "chunked" in fields.get("transfer-encoding", ""):
        while size := int((await reader.readline()).split(b";")[0], 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    else:
        await reader.readexactly(int(fields.get("content-length", "0")))
    return status


def main(words: list[str]) -> None:
    """Flood until ended."""
    parser = argparse.ArgumentParser(description="Ask the API of Kubernetes far more than one may.")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--ca", required=True)
    parser.add_argument("--cert", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--path", default="/api/v1/pods")
    parser.add_argument("--size", type=int, default=30)
    parser.add_argument("--every", type=float, default=0.25)
    given = parser.parse_args(words)
    context = ssl.create_default_context(cafile=given.ca)
    context.load_cert_chain(given.cert, given.key)
    crowd = Crowd(given.host, given.port, context, given.path, given.size, given.every)
    asyncio.run(crowd.run())


if __name__ == "__main__":
    main(sys.argv[1:])
