"""`rwk-tui env`: what a shell evaluates so that the user's own etcdctl, kubectl and k9s work with the lab."""

from __future__ import annotations

import asyncio
import shlex

from rwk_tui.board.board import Board
from rwk_tui.board.rows import LabRow, UnitRow
from rwk_tui.daemon.client import DaemonClient, DaemonError
from rwk_tui.daemon.hold import Follower
from rwk_tui.settings import Settings

CERTIFICATES = ("ETCDCTL_CACERT", "ETCDCTL_CERT", "ETCDCTL_KEY")
"""Taken back where members ask for none: the same shell may have them from before, and etcdctl would insist on them."""


async def tell_env(settings: Settings) -> int:
    """Print the lines for the running lab. Raises DaemonError if there is none, or nothing in it to work with."""
    client = await DaemonClient.connect(settings, role="viewer")
    try:
        async with Follower(client) as lab, asyncio.timeout(5.0):
            await lab.until(lambda _: True)
            print("\n".join(env_lines(lab.board)))
    except TimeoutError:
        raise DaemonError("the daemon does not show its board") from None
    finally:
        await client.close()
    return 0


def env_lines(board: Board) -> list[str]:
    """What `eval` needs, from the board. Raises DaemonError if neither etcd nor Kubernetes runs."""
    lab = board.get(LabRow, "lab")
    running = {(row.unit, row.machine) for row in board.rows(UnitRow) if row.state == "running"}
    if lab is None or not any(unit in ("etcd", "kube-apiserver") for unit, _ in running):
        raise DaemonError("no etcd runs in the lab yet: open a chapter, or start it with `rwk-tui up --at CHAPTER`")
    variables = dict(lab.variables)
    endpoints = [endpoint for machine, endpoint in lab.reach if ("etcd", machine) in running]
    if endpoints:
        variables["ETCDCTL_ENDPOINTS"] = ",".join(endpoints)
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(variables.items())]
    if not set(CERTIFICATES) <= variables.keys():
        lines.append(f"unset {' '.join(CERTIFICATES)}")
    if lab.path:
        lines.append(f'export PATH={shlex.quote(":".join(lab.path))}:"$PATH"')
    return lines
