"""A server of views in the test's own process or in one of its own, and a browser that is none."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.resources import as_file, files

import aiohttp
import psutil
from aiohttp import web

from rwk_tui.settings import Settings, as_environment
from rwk_tui.web.server import Place, Web

DEADLINE = 30.0
"""Seconds in which a view has something to show, on a busy computer."""


@asynccontextmanager
async def served(settings: Settings, *, visitors: int = 4) -> AsyncIterator[str]:
    """A server in this process; gives "127.0.0.1:PORT"."""
    with as_file(files("textual_serve").joinpath("static")) as static:
        app = Web(settings, Place("127.0.0.1", 0, visitors)).app(static)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=10)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


@contextmanager
def server_process(settings: Settings, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`rwk-tui web` as a user starts it, and "127.0.0.1:PORT"."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rwk_tui", "web", "--port", "0", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **as_environment(settings)},
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"http://(\S+:\d+)", said)
        assert found, f"it printed {said!r}"
        yield process, found[1]
    finally:
        process.kill()
        process.communicate()


class Browser:
    """Opens the websocket as a page of ours does, and keeps what the view paints."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.painted = ""
        self.told: list[str] = []
        self.over = False
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self.socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                self.painted += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", message.data.decode("utf-8", "replace"))
            elif message.type is aiohttp.WSMsgType.TEXT:
                self.told.append(message.data)
        self.over = True

    async def sees(self, words: str) -> None:
        """Wait until the words are painted, and forget what was painted before."""
        await until(lambda: words in self.painted, lambda: f"{words!r} is not in {self.painted[-2000:]!r}")
        self.painted = self.painted.partition(words)[2]

    async def type(self, keys: str) -> None:
        """Type as a terminal does."""
        await self.socket.send_json(["stdin", keys])

    async def close(self) -> None:
        """Go away."""
        await self.socket.close()
        await self._reading


@asynccontextmanager
async def visiting(address: str, *, size: str = "width=120&height=40") -> AsyncIterator[Browser]:
    """One visitor, who leaves at the end."""
    url = f"http://{address}/ws?{size}"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, origin=f"http://{address}", max_msg_size=0) as socket,
    ):
        browser = Browser(socket)
        try:
            yield browser
        finally:
            await browser.close()


def views(settings: Settings) -> list[int]:
    """The processes of visitors of that lab."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "status"]):
        try:
            ours = "rwk_tui.web.look" in (process.info["cmdline"] or ())
            if ours and process.environ().get("RWK_STATE") == str(settings.state):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


async def until(holds: Callable[[], object], saw: Callable[[], str], within: float = DEADLINE) -> None:
    """Wait until something holds; says what was seen instead."""
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end, saw()
        await asyncio.sleep(0.02)


async def views_are(settings: Settings, count: int) -> None:
    """Wait until that many visitors have a process."""
    await until(lambda: len(views(settings)) == count, lambda: f"{views(settings)}, not {count}")
