"""Reads through one member that must ask the others: what they take tells how its network is."""

from __future__ import annotations

from rwk_tui.faults import sights
from rwk_tui.faults.base import Case
from rwk_tui.watch.refusals import EtcdError

KEY = "rwk-fault-probe"
"""A key that nobody writes: reading it leaves no trace, and takes the same way as any other."""


def can_ask(case: Case, machine: str) -> bool:
    """Whether that machine's member serves reads now, and has to ask another member for them."""
    board = case.ground.hub.board
    row = sights.member(board, machine)
    if row is None or not row.fresh or row.role == "learner":
        return False
    return row.health == "healthy" and len(sights.voting(board)) > 1


async def read_ms(case: Case, machine: str, within: float) -> float:
    """How long (ms) a linearizable read through that machine's member takes. Raises EtcdError after `within` s too.

    The time in which this computer itself stood still is taken off: it proves nothing about the member or its network.
    """
    client, ground = await case.ground.etcd(machine), case.ground
    began = ground.hub.now()
    await client.get(KEY, timeout=within)
    ended = ground.hub.now()
    return max(0.0, ended - began - ground.watcher.stood_still(began, ended)) * 1000


async def answers(case: Case, machine: str, within: float) -> bool:
    """Whether such a read is answered within that time (s)."""
    try:
        await read_ms(case, machine, within)
    except EtcdError:
        return False
    return True
