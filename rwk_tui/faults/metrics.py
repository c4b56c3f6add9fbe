"""What an etcd member counts of itself, read from its /metrics."""

from __future__ import annotations

import asyncio
import re

from rwk_tui.cluster.access import Access
from rwk_tui.cluster.etcd import CLIENT_PORT
from rwk_tui.faults.ground import Ground
from rwk_tui.lab.protocol import LabError
from rwk_tui.watch.refusals import EtcdError

WITHIN = 2.0
"""Seconds that the answer may take."""


async def counted(ground: Ground, machine: str, metric: str) -> float:
    """The sum of a metric over all its labels, 0 where there is none. Raises EtcdError where nobody answers in time."""
    return total(await exposed(ground, machine), metric)


async def exposed(ground: Ground, machine: str) -> str:
    """All that it counts, as of one moment. Raises EtcdError where nobody answers in time."""
    try:
        host, port = await ground.machine(machine).reach(CLIENT_PORT)
        access = ground.site.etcd_access() if ground.site.is_secured(machine) else None
        async with asyncio.timeout(ground.within(WITHIN)):
            return await _get(host, port, access)
    except (LabError, OSError, asyncio.IncompleteReadError) as error:  # TimeoutError is an OSError
        raise EtcdError(f"no metrics of {machine}: {error or 'it took too long'}", definite=True) from error


def total(text: str, metric: str) -> float:
    """The sum of that metric in an exposition of metrics."""
    lines = re.findall(rf"^{re.escape(metric)}(?:\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE)
    return sum(float(number) for number in lines)


async def _get(host: str, port: int, access: Access | None) -> str:
    context = await asyncio.to_thread(access.context) if access is not None else None
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        # By this version of HTTP the answer comes in one piece, and the connection ends with it.
        writer.write(f"GET /metrics HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
        await writer.drain()
        head, _, body = (await reader.read(-1)).partition(b"\r\n\r\n")
    finally:
        writer.close()
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise OSError(f"it answers {head[:60].decode(errors='replace')}")
    return body.decode(errors="replace")
