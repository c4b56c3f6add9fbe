"""A change on the cockpit's screen after kubectl printed it: `kube_screen.py [PODS] [MOVES]`.

A real daemon, a real cockpit in a terminal, and `kubectl get -w` beside it: pods that are added and deleted, a lease
that moves because its holder died, a node that is lost and comes back. Negative where the cockpit was first.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Hashable

from harness import Figures
from kube_both import LATE, Kubectl, Painted, PodLines, Series, delays, pods_of
from kube_tools import Seat, kube_seen, number, seated

from rwk_tui.daemon.protocol import Heal, Inject

CHAPTER = "14-ha-control-plane"
"""Two API servers, two controllers of each kind, two workers, six pods."""
LEASE, NODE = "kube-scheduler", "core-03"


async def until(holds: Callable[[], bool], within: float, what: str, seen: Callable[[], str]) -> None:
    """Wait; SystemExit with what was seen last."""
    end = time.monotonic() + within
    while not holds():
        if time.monotonic() > end:
            raise SystemExit(f"waited {within:g} s for {what}; saw {seen()}")
        await asyncio.sleep(0.02)


async def pods(seat: Seat, painted: Painted, changes: int) -> None:
    """Add a pod, delete one, take one away, again and again."""
    lines = PodLines()
    argv = ("kubectl", "get", "pods", "-w", "-o", "wide", "--output-watch-events", "--no-headers")
    kubectl = Kubectl(argv, seat.environment, lines.take)
    series = painted.seen["pods"]

    async def settled(count: int) -> None:
        wanted = frozenset({("running", count)})
        both = lambda: last(kubectl.seen) == wanted == last(series)  # noqa: E731
        await until(both, 30, f"{count} pods", lambda: f"kubectl {last(kubectl.seen)}, screen {last(series)}")

    try:
        await settled(6)
        since, begun = time.monotonic(), len(kubectl.seen)
        while len(kubectl.seen) - begun < changes:
            await seat.kubectl("scale", "deployment", "web", "--replicas=7")
            await settled(7)
            name = (await seat.kubectl("get", "pods", "-o", "name")).split()[0]
            await seat.kubectl("delete", name, "--wait=false")
            await until(lambda: last(kubectl.seen) != frozenset({("running", 7)}), 20, "a deletion", str)
            await settled(7)
            await seat.kubectl("scale", "deployment", "web", "--replicas=6")
            await settled(6)
        tell("a pod's change", kubectl.seen, series, since)
    finally:
        kubectl.close()


async def lease(seat: Seat, painted: Painted, moves: int) -> None:
    """Kill whoever holds the scheduler's lease."""
    argv = ("kubectl", "get", "lease", LEASE, "-n", "kube-system", "-w", "--no-headers")
    kubectl = Kubectl(argv, seat.environment, lambda line: line.split()[1].partition("_")[0])
    series = painted.seen["lease"]
    seen = lambda: f"kubectl {last(kubectl.seen)}, screen {last(series)}, {kube_seen(seat.driver)}"  # noqa: E731
    try:
        await until(lambda: last(kubectl.seen) == last(series) is not None, 20, "the lease", seen)
        since = time.monotonic()
        for _ in range(moves):
            holder = last(kubectl.seen)
            await seat.driver.call(Inject(fault="kill-unit", target=f"{holder}/{LEASE}"))
            moved = lambda was=holder: last(kubectl.seen) == last(series) != was  # noqa: E731
            await until(moved, 40, f"the lease to leave {holder}", seen)
            await seat.driver.call(Heal(fault="all"))
            await until(lambda: not seat.driver.board.story.busy, 10, "healing", seen)
        tell("a lease's move", kubectl.seen, series, since)
    finally:
        kubectl.close()


async def node(seat: Seat, painted: Painted, losses: int) -> None:
    """Kill the kubelet of a node, and start it again."""
    argv = ("kubectl", "get", "node", NODE, "-w", "--no-headers")
    kubectl = Kubectl(argv, seat.environment, lambda line: line.split()[1].partition(",")[0] == "Ready")
    series = painted.seen["node"]
    seen = lambda: f"kubectl {last(kubectl.seen)}, screen {last(series)}, {kube_seen(seat.driver)}"  # noqa: E731
    try:
        await until(lambda: last(kubectl.seen) is last(series) is True, 20, "the node", seen)
        since = time.monotonic()
        for _ in range(losses):
            await seat.driver.call(Inject(fault="kill-unit", target=f"{NODE}/kubelet"))
            await until(lambda: last(kubectl.seen) is last(series) is False, 60, f"{NODE} NotReady", seen)
            await seat.driver.call(Heal(fault="all"))
            await until(lambda: last(kubectl.seen) is last(series) is True, 60, f"{NODE} Ready", seen)
        tell("a node's NotReady", kubectl.seen, series, since, only=False)
        tell("a node's Ready", kubectl.seen, series, since, only=True)
    finally:
        kubectl.close()


def last(series: Series) -> Hashable:
    """What is seen now."""
    return series[-1][1] if series else None


def tell(what: str, told: Series, series: Series, since: float, only: Hashable = None) -> None:
    """Print how long after kubectl the screen was painted, of all changes or of those to `only`."""
    found, missed = delays(told, series, since)
    seconds = tuple(after for state, after in found if only is None or state == only)
    if not seconds:
        raise SystemExit(f"{what}: nothing of {told} was painted: {series}")
    load = f"load {os.getloadavg()[0]:.1f}"
    print(f"{what:18} {Figures(seconds).tail}  not painted within {LATE:g} s: {missed}  {load}", flush=True)


def lease_of(lines: list[str]) -> Hashable:
    """Who is painted as the lease's holder."""
    for line in lines:
        if "★ scheduler " in line:
            return line.partition("★ scheduler ")[2].split()[0]
    return ""


def node_of(lines: list[str]) -> Hashable:
    """Whether the node is painted as ready."""
    for line in lines:
        words = line.split()
        if words[:1] == [NODE]:
            return words[1:3] == ["●", "ready"]
    return None


async def main() -> None:
    changes, moves = number(0, 30), number(1, 3)
    async with seated(CHAPTER) as seat:
        painted = Painted(seat.cockpit, {"pods": pods_of, "lease": lease_of, "node": node_of})
        try:
            await pods(seat, painted, changes)
            await lease(seat, painted, moves)
            await node(seat, painted, moves)
        finally:
            painted.close()


if __name__ == "__main__":
    asyncio.run(main())
