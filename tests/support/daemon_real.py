"""Front ends and daemons as processes of their own, and a look at what is left of them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from support.processes import processes_of, told
from support.remote_lab import BUSY

from rwk_tui.board.board import Board
from rwk_tui.board.rows import LabRow, QuorumRow
from rwk_tui.daemon.client import DaemonClient
from rwk_tui.daemon.hold import Follower
from rwk_tui.daemon.protocol import Quit
from rwk_tui.settings import Settings, as_environment

COCKPIT = """
import asyncio, sys
from rwk_tui.daemon.client import DaemonClient
from rwk_tui.settings import load_settings

async def main():
    client = await DaemonClient.connect(load_settings(), attend="cockpit", start=True)
    print(client.welcome.pid, flush=True)
    async for message in client:
        pass

asyncio.run(main())
"""


async def none_left(settings: Settings, within: float) -> float:
    """Wait until no process of the lab is left; how long that took (s). A busy computer is given more than `within`."""
    began = time.monotonic()
    while left := told(processes_of(settings.state)):
        assert time.monotonic() - began < within * BUSY, left
        await asyncio.sleep(0.02)
    return time.monotonic() - began


def lab_is(state: str) -> Callable[[Board], bool]:
    return lambda board: (row := board.get(LabRow, "lab")) is not None and row.state == state


def healthy(voters: int) -> Callable[[Board], bool]:
    def holds(board: Board) -> bool:
        row = board.get(QuorumRow, "quorum")
        return row is not None and row.state == "healthy" and row.voters == voters

    return holds


@asynccontextmanager
async def attached(settings: Settings, **options: object) -> AsyncIterator[Follower]:
    given = {"attend": "none", "start": False, **options}
    client = await DaemonClient.connect(settings, **given)  # type: ignore[arg-type]
    async with Follower(client) as follower, asyncio.timeout(40 * BUSY):
        try:
            yield follower
        finally:
            await client.close()


async def quit_lab(settings: Settings) -> None:
    async with attached(settings) as lab:
        await lab.client.call(Quit())
        await lab.ended()
    await none_left(settings, 5)


async def idle(lab: Follower) -> None:
    await lab.until(lambda board: not board.story.busy)


def cockpit(settings: Settings) -> subprocess.Popen[str]:
    """A front end as a process of its own, so that it can be killed."""
    return subprocess.Popen(
        [sys.executable, "-c", COCKPIT],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **as_environment(settings)},
    )


async def daemon_of(front: subprocess.Popen[str]) -> int:
    assert front.stdout is not None
    return int(await asyncio.to_thread(front.stdout.readline))
