"""A lab with Kubernetes for benches: a cockpit in a terminal, a driver beside it, and the user's own kubectl."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crash import end, watch
from harness import COMMAND, Terminal, environment, lab_state, wait_for
from lab import Driver, lab_state_of

from rwk_tui.board.kube_rows import KubeRow, LeaseRow, NodeRow, PodRow
from rwk_tui.board.rows import LabRow
from rwk_tui.daemon.protocol import Quit


@dataclass(frozen=True, slots=True)
class Seat:
    """What a presenter has: a cockpit, and tools beside it."""

    state: Path
    cockpit: Terminal
    driver: Driver

    @property
    def environment(self) -> Mapping[str, str]:
        """What `rwk-tui env` gives to the user's own tools."""
        return own_environment(self.driver)

    async def kubectl(self, *words: str) -> str:
        """Run kubectl to its end. SystemExit where it fails."""
        return await kubectl(self.driver, *words)


def own_environment(driver: Driver) -> Mapping[str, str]:
    """What `rwk-tui env` prints, as an environment."""
    row = driver.board.get(LabRow, "lab")
    assert row is not None
    path = os.pathsep.join([*row.path, os.environ["PATH"]])
    return {**os.environ, **dict(row.variables), "PATH": path}


async def kubectl(driver: Driver, *words: str, given: bytes | None = None, within: float = 60.0) -> str:
    """Run the user's own kubectl to its end. SystemExit where it fails."""

    def run() -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["kubectl", *words],
            env=dict(own_environment(driver)),
            input=given,
            capture_output=True,
            timeout=within,
            check=False,
        )

    done = await asyncio.to_thread(run)
    if done.returncode != 0:
        raise SystemExit(f"kubectl {' '.join(words)} ended with {done.returncode}: {done.stderr.decode()[-400:]}")
    return done.stdout.decode()


@contextlib.asynccontextmanager
async def seated(
    chapter: str, *, fast: bool = True, command: Sequence[str] = COMMAND, step: int = 0
) -> AsyncIterator[Seat]:
    """A cockpit with a lab of its own that stands at a chapter's step; all of it ends with the block."""
    with lab_state() as state:
        cockpit = Terminal(command, {**environment(state), "RWK_FAST": str(fast).lower()})
        try:
            cockpit.until("Machines", 30)
            wait_for(lambda: (state / "daemon.sock").exists(), 20, "the socket")
            driver = await watch(str(state))
            try:
                ready = lambda: lab_state_of(driver) == "ready"  # noqa: E731
                await driver.until(ready, 60, "the lab", lambda: lab_state_of(driver))
                opening = asyncio.create_task(driver.open(chapter, step))
                while not opening.done():
                    cockpit.read(0.02)
                    await asyncio.sleep(0.02)
                await opening
                yield Seat(state, cockpit, driver)
                await driver.call(Quit())
            finally:
                await end(driver)
        finally:
            cockpit.close()


def kube_seen(driver: Driver) -> str:
    """What the board says of Kubernetes, in a line."""
    kube = driver.board.get(KubeRow, "kube")
    nodes = {row.name: row.state for row in driver.board.rows(NodeRow)}
    leases = {row.name: row.machine for row in driver.board.rows(LeaseRow)}
    pods = [f"{row.name} {row.state} on {row.node}" for row in driver.board.rows(PodRow)[:12]]
    state = f"{kube.state}, fresh {kube.fresh}, {kube.why}" if kube is not None else "no Kubernetes"
    return f"{state}; nodes {nodes}; leases {leases}; pods {pods}"


def number(at: int, otherwise: int) -> int:
    """An argument of the command line, flags left out."""
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    return int(words[at]) if len(words) > at else otherwise


def fast() -> bool:
    """Whether short timings are asked for."""
    return "--fast" in sys.argv[1:]
