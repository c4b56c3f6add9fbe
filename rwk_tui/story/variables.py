"""What `${core-01.client}` and the like stand for in a chapter's commands."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches

from rwk_tui.cluster.etcd import CLIENT_PORT, REGISTRY_CLIENT_PORT, client_url, peer_url
from rwk_tui.cluster.kubernetes.units import API_PORT
from rwk_tui.cluster.site import Site
from rwk_tui.lab.protocol import Machine
from rwk_tui.story.schema import MACHINES

_PATTERN = re.compile(r"\$\{([^}]*)\}")

OF_A_MACHINE: dict[str, Callable[[Machine, Site], str]] = {
    "name": lambda machine, _: machine.name,
    "address": lambda machine, _: machine.address,
    "advertised": lambda machine, _: machine.advertised,
    "data": lambda machine, _: machine.data,
    "client": lambda machine, site: client_url(machine, scheme=site.scheme_of(machine.name)),
    "plain": lambda machine, _: client_url(machine),
    "tls": lambda machine, _: client_url(machine, scheme="https"),
    "peer": lambda machine, site: peer_url(machine, scheme=site.peer_scheme_of(machine.name)),
    "local": lambda machine, site: client_url(machine, public=False, scheme=site.scheme_of(machine.name)),
    "registry": lambda machine, _: machine.url(REGISTRY_CLIENT_PORT),
    "api": lambda machine, _: machine.url(API_PORT, scheme="https"),
}
"""Values that each machine has, given how its member is spoken to now; `all.client` joins the clients of all machines.

`plain` and `tls` are its client without and with certificates, whatever it asks for now.
"""

NAMES = frozenset(
    {f"{name}.{what}" for name in MACHINES for what in OF_A_MACHINE} | {"all.client", "client-port", "backups"}
)


def unknown(text: str) -> str:
    """Why a text can't be expanded, or "" if it can."""
    for found in _PATTERN.finditer(text):
        name = found[1]
        if name not in NAMES:
            close = get_close_matches(name, NAMES, 1)
            return f"unknown variable ${{{name}}}" + (f", did you mean ${{{close[0]}}}?" if close else "")
    if "${" in _PATTERN.sub("", text):
        return "a variable without its closing brace"
    return ""


def expand(text: str, site: Site) -> str:
    """Put the lab's values in; the text was checked with `unknown` before."""
    lab = site.lab

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name == "all.client":
            return ",".join(OF_A_MACHINE["client"](machine, site) for machine in lab.machines.values())
        if name == "client-port":
            return str(CLIENT_PORT)
        if name == "backups":
            return lab.backups
        machine, _, what = name.partition(".")
        return OF_A_MACHINE[what](lab.machines[machine], site)

    return _PATTERN.sub(value, text)
