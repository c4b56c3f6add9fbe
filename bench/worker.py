"""A worker is lost: when its pods run elsewhere, against the sum of the timeouts: `worker.py [N] [--fast]`.

First a worker's machine is halted, then one is cut off from all others; each is healed and N times repeated. A node is
given up `grace` after the last renewal of its lease, looked at every `monitor`, and its pods are deleted `toleration`
after that; what is left over is the loops of the controllers and the start of the new pods.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field

from harness import SUBNET, Figures, lab_state
from kube_tools import fast, kube_seen, number
from lab import Driver, bench_settings, opened

from rwk_tui.board.kube_rows import NodeRow, PodRow
from rwk_tui.board.rows import MachineRow
from rwk_tui.cluster.kubernetes.timings import Timings, timings
from rwk_tui.daemon.protocol import Heal, Inject, Power

CHAPTER, PODS = "12-worker-failure", 10
WORKERS = ("core-02", "core-03")
RENEWALS = 4
"""A node renews its lease that often in the span for which it holds."""


@dataclass(slots=True)
class Loss:
    """What the board shows of losing workers, again and again: seconds, by what they are of."""

    driver: Driver
    patience: Timings
    found: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def node(self, name: str) -> NodeRow | None:
        return self.driver.board.get(NodeRow, f"node/{name}")

    def ready(self, name: str) -> bool:
        row = self.node(name)
        return row is not None and row.state == "ready"

    def pods(self, name: str, state: str) -> int:
        rows = self.driver.board.rows(PodRow)
        return sum(row.node == name and row.state == state and (state != "running" or row.ready) for row in rows)

    async def until(self, what: str, name: str, within: float) -> float:
        """The time (unix, s) at which the node is as `what` says."""
        holds = {
            "NotReady": lambda: not self.ready(name),
            "Ready": lambda: self.ready(name),
            "terminating": lambda: self.pods(name, "terminating") > 0,
            "empty": lambda: not any(row.node == name for row in self.driver.board.rows(PodRow)),
            "full": lambda: self.pods(name, "running") == PODS,
        }[what]
        await self.driver.until(holds, within, f"{name} {what}", lambda: kube_seen(self.driver))
        return time.time()

    async def halt(self) -> None:
        """Halt the worker with the most pods, and wait until all run elsewhere; then it comes back."""
        victim, other = sorted(WORKERS, key=lambda name: self.pods(name, "running"), reverse=True)
        patience, halted = self.patience, time.time()
        await self.driver.call(Power(machine=victim, verb="stop"))
        lost = await self.until("NotReady", victim, patience.grace + 20)
        row = self.node(victim)
        assert row is not None
        leaving = await self.until("terminating", victim, patience.toleration + 20)
        again = await self.until("full", other, 30)
        await self.driver.call(Power(machine=victim, verb="start"))
        await self.until("Ready", victim, 40)
        await self.until("empty", victim, 40)
        self._note("last renewal before the halt", halted - row.renewed)
        self._note("NotReady after the halt", lost - halted)
        self._note("NotReady over lease + grace", lost - row.renewed - patience.grace)
        self._note("Terminating after the halt", leaving - halted)
        self._note("Terminating over NotReady + toleration", leaving - lost - patience.toleration)
        self._note("all pods run elsewhere after the halt", again - halted)
        self._note("new pods run after Terminating", again - leaving)
        self._note("all run over the configured sum", again - row.renewed - patience.eviction)

    async def cut(self) -> None:
        """Cut the worker that has no pods off, until it is NotReady; then heal."""
        victim = min(WORKERS, key=lambda name: self.pods(name, "running"))
        cut = time.time()
        await self.driver.call(Inject(fault="partition", target=victim))
        lost = await self.until("NotReady", victim, self.patience.grace + 20)
        row = self.node(victim)
        assert row is not None
        healed = time.time()
        await self.driver.call(Heal(fault="all"))
        ready = await self.until("Ready", victim, 60)
        # The next one begins when its lease tells again that it lives, or there would be no renewal to count from.
        renewed = lambda: (now := self.node(victim)) is not None and now.renewed > ready  # noqa: E731
        await self.driver.until(renewed, 30, f"a new lease of {victim}", lambda: kube_seen(self.driver))
        self._note("NotReady after the cut", lost - cut)
        self._note("NotReady over lease + grace (cut)", lost - row.renewed - self.patience.grace)
        self._note("Ready again after healing", ready - healed)

    def _note(self, what: str, seconds: float) -> None:
        self.found[what].append(seconds)
        print(f"  {what:40} {seconds:7.2f} s", flush=True)


async def main() -> None:
    # Without any argument it is to be short.
    times, quick = number(0, 1), fast() or len(sys.argv) == 1
    with lab_state() as state:
        settings = bench_settings(state, SUBNET, fast=quick)
        patience = timings(settings)
        async with opened(settings, CHAPTER) as driver:
            loss = Loss(driver, patience)
            up = lambda: [row.power for row in driver.board.rows(MachineRow)] == ["up"] * 3  # noqa: E731
            for run in range(times):
                print(f"halt {run + 1}, load {os.getloadavg()[0]:.1f}", flush=True)
                await loss.halt()
            await driver.until(up, 30, "three machines", lambda: str(driver.board.rows(MachineRow)))
            for run in range(times):
                print(f"cut {run + 1}, load {os.getloadavg()[0]:.1f}", flush=True)
                await loss.cut()
    print(f"{'fast' if quick else 'telling'}: {patience}")
    for what, values in loss.found.items():
        print(f"{what:40} {Figures(tuple(values))} s")
    renewal = patience.node_lease / RENEWALS
    print(
        f"configured: grace {patience.grace} + toleration {patience.toleration} = {patience.eviction} s after the last "
        f"renewal, which is up to {renewal:g} s before the halt; monitored every {patience.monitor} s"
    )


if __name__ == "__main__":
    asyncio.run(main())
