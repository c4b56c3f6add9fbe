"""Under which addresses onlookers find the server."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import ip_address

import psutil


def is_wildcard(host: str) -> bool:
    """Whether that stands for all addresses of this computer, and is none that a browser could go to."""
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def addresses(host: str, port: int, names: Iterable[str] = ()) -> list[str]:
    """What to type into a browser, for a server that listens on `host` and has these names besides."""
    hosts = _own(host) if is_wildcard(host) else [host]
    return [f"http://[{each}]:{port}" if ":" in each else f"http://{each}:{port}" for each in (*names, *hosts)]


def _own(wildcard: str) -> list[str]:
    """The addresses by which others reach this computer, then its name, which not every network knows."""
    family = socket.AF_INET6 if ":" in wildcard else socket.AF_INET
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    found = [
        each.address
        for name, each_of in psutil.net_if_addrs().items()
        for each in each_of
        if name in up and each.family == family and not _is_local(each.address)
    ]
    return [*found, socket.gethostname()]


def _is_local(address: str) -> bool:
    known = ip_address(address.partition("%")[0])
    return known.is_loopback or known.is_link_local
