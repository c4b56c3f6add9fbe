"""Which page belongs to which thing."""

from __future__ import annotations

from collections.abc import Callable

from rwk_tui.board.board import Board
from rwk_tui.cockpit.details.control import lease_page, server_page
from rwk_tui.cockpit.details.lab import machine_page, member_page, unit_page
from rwk_tui.cockpit.details.page import Page
from rwk_tui.cockpit.details.workload import deployment_page, node_page, pod_page

PAGES: dict[str, Callable[[Board, str, float, int], Page | None]] = {
    "machine": machine_page,
    "unit": unit_page,
    "member": member_page,
    "api-server": server_page,
    "node": node_page,
    "pod": pod_page,
    "deployment": deployment_page,
    "lease": lease_page,
}
"""By what a row's key begins with."""


def kind_of(thing: str) -> str:
    """What sort of thing a key stands for."""
    return thing.partition("/")[0]


def page_of(board: Board, thing: str, now: float, width: int) -> Page | None:
    """All about a thing, None when it is on the board no more."""
    make = PAGES.get(kind_of(thing))
    return make(board, thing, now, width) if make is not None else None


def unit_of(thing: str) -> str:
    """The unit whose log belongs to a thing ("core-01/etcd"), "" where there is none."""
    kind, _, rest = thing.partition("/")
    if kind == "unit":
        return rest
    return f"{rest}/kube-apiserver" if kind == "api-server" else ""
