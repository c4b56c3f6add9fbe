"""The server of `rwk-tui web`: pages, and a view of the lab for each browser that stays."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from aiohttp import WSCloseCode, WSMsgType, hdrs, web

from rwk_tui.settings import Settings
from rwk_tui.tomlfile import BadInput
from rwk_tui.web.address import addresses
from rwk_tui.web.guard import SOCKET, careful, guarded, is_loopback
from rwk_tui.web.messages import LONGEST, Allowance, NotUnderstood, read
from rwk_tui.web.pages import full_page, view_page
from rwk_tui.web.visitor import LEAVE_WITHIN, Visitor

HEARTBEAT = 15.0
"""Seconds between two questions whether a browser is still there."""
MOST = 32
"""Visitors at most, whatever was asked for: the daemon has other clients too."""


class CannotServe(Exception):
    """Nothing can be served there now, in one line."""


@dataclass(frozen=True)
class Place:
    """Where to listen, for how many visitors at once, and by which names they may come besides those that are known."""

    host: str
    port: int
    visitors: int
    names: tuple[str, ...] = ()


class Web:
    """The pages and the visitors of one server."""

    def __init__(self, settings: Settings, place: Place) -> None:
        self._settings = settings
        self._place = place
        self._visits: set[web.WebSocketResponse] = set()
        self._taken = 0

    def app(self, static: Path) -> web.Application:
        """What aiohttp serves; `static` is textual-serve's directory of scripts, styles and fonts."""
        app = web.Application(middlewares=[guarded(self._place.host, self._place.names)], client_max_size=LONGEST)
        app.router.add_get("/", self._page)
        app.router.add_get(SOCKET, self._visit)
        app.router.add_static("/static", static)
        app.on_response_prepare.append(careful)
        app.on_shutdown.append(self._close_all)
        return app

    @property
    def full(self) -> bool:
        """Whether all places are taken."""
        return self._taken >= self._place.visitors

    async def _page(self, request: web.Request) -> web.Response:
        if self.full:
            headers = {hdrs.RETRY_AFTER: "10", hdrs.CACHE_CONTROL: "no-store"}
            page = full_page(self._taken)
            return web.Response(text=page, status=503, content_type="text/html", headers=headers)
        page = view_page(request.headers[hdrs.HOST], request.query.get("fontsize"))
        return web.Response(text=page, content_type="text/html", headers={hdrs.CACHE_CONTROL: "no-store"})

    async def _visit(self, request: web.Request) -> web.StreamResponse:
        if self.full:
            raise web.HTTPServiceUnavailable(text="No place is free.\n")
        self._taken += 1
        try:
            socket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=LONGEST, timeout=LEAVE_WITHIN)
            await socket.prepare(request)
            await self._serve(socket, request)
            return socket
        finally:
            self._taken -= 1

    async def _serve(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        visitor = Visitor(self._settings, socket)
        self._visits.add(socket)
        try:
            await visitor.start(_cells(request, "width", 80), _cells(request, "height", 24))
            await _listen(socket, visitor)
        finally:
            self._visits.discard(socket)
            await visitor.finish()

    async def _close_all(self, app: web.Application) -> None:
        closing = (socket.close(code=WSCloseCode.GOING_AWAY) for socket in list(self._visits))
        await asyncio.gather(*closing, return_exceptions=True)


def _cells(request: web.Request, name: str, usual: int) -> int:
    """A size in the address of the websocket; the view itself bounds it."""
    text = request.query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else usual


async def _listen(socket: web.WebSocketResponse, visitor: Visitor) -> None:
    """Pass on what the browser says, until it goes or says what no page of ours says."""
    allowance = Allowance(time.monotonic())
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            break
        try:
            heard = read(message.data)
        except NotUnderstood as error:
            await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=str(error).encode())
            return
        if not allowance.takes(len(message.data), time.monotonic()):
            await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"too much at once")
            return
        try:
            await visitor.hear(heard)
        except (TimeoutError, ConnectionError):
            return


def serve(settings: Settings, place: Place) -> None:
    """Serve until SIGINT or SIGTERM. Raises BadInput for a place that is none, CannotServe for one that is taken."""
    # Whatever a stranger's request breaks is answered to the stranger; it is no news on the presenter's terminal.
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)
    logging.getLogger("textual-serve").setLevel(logging.CRITICAL)
    with as_file(files("textual_serve").joinpath("static")) as static:
        asyncio.run(_serve(settings, place, static, lambda found: print(welcome(found), flush=True)))


async def _serve(settings: Settings, place: Place, static: Path, ready: Callable[[list[str]], None]) -> None:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, over.set)
    runner = web.AppRunner(Web(settings, place).app(static), access_log=None, shutdown_timeout=3 * LEAVE_WITHIN)
    await runner.setup()
    try:
        site = web.TCPSite(runner, place.host, place.port)
        try:
            await site.start()
        except OSError as error:
            raise _why(place, error) from None
        if not is_loopback(place.host):
            warning = f"whoever reaches {place.host} can look on: there is no password, and nothing is encrypted"
            print(f"rwk-tui: {warning}", file=sys.stderr)
        ready(addresses(place.host, runner.addresses[0][1], place.names))
        await over.wait()
    finally:
        with contextlib.suppress(TimeoutError):
            await runner.cleanup()


def welcome(found: list[str]) -> str:
    """What is printed when browsers may come."""
    return f"The lab can be looked at on {' or '.join(found)} · Ctrl-C ends that"


def _why(place: Place, error: OSError) -> Exception:
    where = f"{place.host}:{place.port}"
    if error.errno == errno.EADDRINUSE:
        return CannotServe(f"{where} is taken already; --port takes another one")
    if error.errno in (errno.EACCES, errno.EPERM):
        return CannotServe(f"{where}: only root may listen there; --port takes another one")
    return BadInput(f"--host {place.host}: this computer can't listen there ({error.strerror or error})")
