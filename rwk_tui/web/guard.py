"""Who may ask: only a page of ours, in a browser that went to us by a name that is ours.

A web site that somebody reads meanwhile could otherwise let the browser talk to us: by a name of its own that leads to
our address (DNS rebinding), or by a websocket, which browsers allow across sites.
"""

from __future__ import annotations

import socket
from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

SOCKET = "/ws"
"""Where the websocket is."""


def is_loopback(host: str) -> bool:
    """Whether only this computer reaches what listens there."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_name(text: str) -> bool:
    """Whether a browser could have that, and nothing more, for the name of a computer."""
    return _name(text) == text.lower()


def knows(served: str, asked: str | None, names: Collection[str] = ()) -> bool:
    """Whether a Host header is one of ours, when `served` is what we listen on, and `names` are ours besides.

    An address can't be rebound: whoever uses one has no name that could lead elsewhere tomorrow.
    """
    name = _name(asked)
    if name is None:
        return False
    if is_loopback(name) or name in (each.lower() for each in names):
        return True
    if is_loopback(served):
        return False
    try:
        ip_address(name)
    except ValueError:
        ours = socket.gethostname().lower()
        return name in (served.lower(), ours, ours.partition(".")[0], f"{ours}.local")
    return True


def same_site(origin: str | None, host: str | None) -> bool:
    """Whether a page that came from `host` sent this."""
    if not origin or not host:
        return False
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


def guarded(served: str, names: Collection[str] = ()) -> Middleware:
    """A middleware that lets only our own pages in, and tells browsers to load nothing from elsewhere."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        host, origin = request.headers.get(hdrs.HOST), request.headers.get(hdrs.ORIGIN)
        if not knows(served, host, names):
            raise web.HTTPForbidden(text="This name is not known here; use the address that rwk-tui web has printed.\n")
        needed = request.path == SOCKET  # Browsers always say where a websocket comes from.
        if (needed or origin) and not same_site(origin, host):
            raise web.HTTPForbidden(text="Another web site has asked for this.\n")
        return await handler(request)

    return guard


async def careful(request: web.Request, response: web.StreamResponse) -> None:
    """A signal for responses: what a browser may do with them."""
    host = request.headers.get(hdrs.HOST)
    ours = f"ws://{host} wss://{host}" if _name(host) is not None else ""  # Some browsers' 'self' has no websockets.
    response.headers.update(
        {
            # Styles are made by the terminal itself as it goes.
            "Content-Security-Policy": (
                "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
                f"img-src 'self' data:; connect-src 'self' {ours}; "
                "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            ),
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
    )


def _name(host: str | None) -> str | None:
    """The name in a Host header, without its port; None for what is none."""
    if not host or any(character in host for character in " /\\@?#;,'\"\t\r\n"):
        return None
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # It raises where that is no number.
        return parts.hostname
    except ValueError:
        return None
