"""A very small HTTPS server that says what a test wants, the way an API server would or a broken one."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from rwk_tui.cluster.access import Access
from rwk_tui.cluster.certificates import Identity
from rwk_tui.cluster.pki import Pki


@dataclass
class Request:
    """One request, and the way to answer it."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes
    writer: asyncio.StreamWriter

    async def answer(self, body: bytes, status: int = 200) -> None:
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode() + body)
        await self.writer.drain()

    async def stream(self, *chunks: bytes, end: bool = True) -> None:
        """Answer in chunks as they are given; without `end` the answer stays open."""
        self.writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for chunk in chunks:
            self.writer.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            await self.writer.drain()
            await asyncio.sleep(0.01)
        if end:
            self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()


Handler = Callable[[Request], Awaitable[None]]


@dataclass
class Served:
    """Where the server is, what lets a client in, and the requests that came."""

    host: str
    port: int
    access: Access
    stranger: Access
    requests: list[Request] = field(default_factory=list)
    handler: Handler | None = None


@asynccontextmanager
async def served(directory: Path) -> AsyncIterator[Served]:
    """A server on loopback that asks for a client certificate of its own authority."""
    pki, other = Pki(directory / "pki"), Pki(directory / "other")
    ca = pki.authority("kubernetes").cert
    server = pki.issue("kubernetes", "server", Identity("kube-apiserver", hosts=("kubernetes",), usage="server"))
    ours = pki.issue("kubernetes", "admin", Identity("admin"))
    theirs = other.issue("kubernetes", "admin", Identity("admin"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ca)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(server.cert, server.key)
    tasks: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            while line := await reader.readline():
                method, target, _ = line.decode().split(" ", 2)
                headers: dict[str, str] = {}
                while (line := await reader.readline()) not in (b"\r\n", b""):
                    name, _, value = line.decode().partition(":")
                    headers[name.lower()] = value.strip()
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                split = urlsplit(target)
                request = Request(method, split.path, parse_qsl(split.query), headers, body, writer)
                made.requests.append(request)
                assert made.handler is not None
                await made.handler(request)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    listening = await asyncio.start_server(one, "127.0.0.1", 0, ssl=context)
    port: int = listening.sockets[0].getsockname()[1]
    made = Served("127.0.0.1", port, Access(ca, ours.cert, ours.key), Access(ca, theirs.cert, theirs.key))
    try:
        yield made
    finally:
        listening.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
