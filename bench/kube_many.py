"""100 nodes and 3,000 pods in a real daemon and a real cockpit: `kube_many.py [SECONDS] [NODES] [PODS]`.

While pods come, while calm, and while a tenth of the pods is deleted and made anew: the longest stall of both event
loops against that of an idle loop in the same seconds, how long a frame takes, CPU and memory of both processes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from crash import end, watch
from harness import SUBNET, Terminal, environment, lab_state, wait_for
from kube_crowd import churn, client, join, kubelets, make_pods
from kube_tools import kube_seen, number, own_environment
from lab import Driver, bench_settings, lab_state_of
from stall import METER, seconds_of, start

from rwk_tui.board.kube_rows import NodeRow, PodRow
from rwk_tui.cluster.kubernetes.timings import timings
from rwk_tui.daemon.protocol import Quit
from rwk_tui.engines.sets import find_set
from rwk_tui.watch.kube.api import KubeApi

WHO = ("idle", "daemon", "cockpit")
ROUNDS = 3


@dataclass(slots=True)
class Stage:
    """The processes that are measured, and the driver beside them."""

    state: Path
    driver: Driver
    processes: dict[str, psutil.Process]
    reports: dict[str, Path] = field(default_factory=dict)

    async def measure(self, what: str, meanwhile: Callable[[], Awaitable[None]]) -> None:
        """Print how all fared while that was going on."""
        since, before, began = time.time(), self._cpu(), time.monotonic()
        await meanwhile()
        await asyncio.sleep(1.1)  # each second is written when it is over
        passed, after = time.monotonic() - began, self._cpu()
        seconds = {who: seconds_of(self.reports[who], since + 1) for who in WHO}
        worst = {who: [late for late, _ in found] for who, found in seconds.items()}
        print(f"{what}: {passed:.0f} s, load {os.getloadavg()[0]:.1f}", flush=True)
        for who in WHO:
            cpu = 100 * (after[who] - before[who]) / passed
            memory = self.processes[who].memory_info().rss >> 20
            over = max(worst[who]) - max(worst["idle"])
            more = f"  {over:+6.1f} over idle, wanted <= 50" if who != "idle" else ""
            busiest = max(busy for _, busy in seconds[who])
            print(
                f"  {who:8} CPU {cpu:5.1f} %  memory {memory:4} MB  late by at most {max(worst[who]):6.1f} ms, "
                f"median second {statistics.median(worst[who]):5.1f}, own work at most {busiest:5.1f} ms{more}"
            )
        self._frames(since)

    def _cpu(self) -> dict[str, float]:
        times = {who: process.cpu_times() for who, process in self.processes.items()}
        return {who: float(one.user + one.system) for who, one in times.items()}

    def _frames(self, since: float) -> None:
        found: dict[str, list[tuple[float, float]]] = {"paint": [], "render": []}
        for line in Path(f"{self.reports['cockpit']}.frames").read_text().splitlines():
            at, what, took, own = line.split()
            if float(at) >= since:
                found[what].append((float(took), float(own)))
        for what, values in found.items():
            wall, own_work = (sorted(of) for of in zip(*values, strict=True)) if values else ([0.0], [0.0])
            print(f"  {what:8} {_tail(wall)}, own work {_tail(own_work)}  ({len(values)} times)", flush=True)


def _tail(ordered: list[float]) -> str:
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    return f"median {statistics.median(ordered):.1f} p95 {p95:.1f} max {ordered[-1]:.1f} ms"


@contextlib.asynccontextmanager
async def staged() -> AsyncIterator[Stage]:
    """An idle loop, a daemon and a cockpit, each with a meter; all is ended with the block."""
    with lab_state() as state:
        state.chmod(0o700)
        env, reports = environment(state), {who: state / f"{who}.late" for who in WHO}
        idle, daemon = start(reports, env, state)
        cockpit: Terminal | None = None
        try:
            wait_for(lambda: (state / "daemon.sock").exists(), 20, "the socket")
            cockpit = Terminal([*METER, str(reports["cockpit"]), "cockpit"], env)
            cockpit.until("Machines", 30)
            asyncio.get_running_loop().add_reader(cockpit.master, os.read, cockpit.master, 262144)
            driver = await watch(str(state))
            pids = {"idle": idle.pid, "daemon": daemon.pid, "cockpit": cockpit.process.pid}
            yield Stage(state, driver, {who: psutil.Process(pid) for who, pid in pids.items()}, reports)
            await driver.call(Quit())
            await end(driver)
            daemon.wait(60)
        finally:
            if cockpit is not None:
                asyncio.get_running_loop().remove_reader(cockpit.master)
                cockpit.close()
            for process in (idle, daemon):
                process.kill()
                process.wait()


async def main() -> None:
    seconds, count, pods = number(0, 20), number(1, 100), number(2, 3000)
    async with staged() as stage:
        driver = stage.driver
        await driver.until(lambda: lab_state_of(driver) == "ready", 60, "the lab", lambda: lab_state_of(driver))
        await driver.open("11-workers")
        settings = bench_settings(stage.state, SUBNET)
        engines = await asyncio.to_thread(find_set, settings)
        place, grace = f"127.0.{SUBNET}.104:10250", timings(settings).grace
        with kubelets(stage.state, engines, own_environment(driver), grace, place):
            api = client(driver, stage.state)
            try:
                await crowd(stage, api, seconds, count, pods)
            finally:
                await api.close()


async def crowd(stage: Stage, api: KubeApi, seconds: int, count: int, pods: int) -> None:
    """Let nodes and pods come, be calm, and turn a part of the pods over."""
    driver = stage.driver
    all_run = Counter({"running": pods})
    await join(driver, count)
    await until(driver, lambda: ready(driver) == count, 120, f"{count} ready nodes")
    began = time.monotonic()
    await stage.measure(f"while {pods} pods come", lambda: make_pods(api, range(pods), count))
    await until(driver, lambda: running(driver) == all_run, 240, f"{pods} running pods")
    print(f"{pods} pods on {count} nodes run after {time.monotonic() - began:.0f} s", flush=True)
    await asyncio.sleep(5)
    await stage.measure("calm", lambda: asyncio.sleep(seconds))
    for turn in range(1, ROUNDS + 1):

        async def turned(turn: int = turn) -> None:
            await churn(driver, api, pods, count, turn)
            await until(driver, lambda: running(driver) == all_run, 120, "pods made anew")

        await stage.measure(f"churn {turn}: {pods // 10} of {pods} pods deleted and made anew", turned)


def running(driver: Driver) -> Counter[str]:
    """How many pods the board has, by state."""
    return Counter(row.state for row in driver.board.rows(PodRow))


def ready(driver: Driver) -> int:
    """How many nodes the board has that are ready."""
    return sum(row.state == "ready" for row in driver.board.rows(NodeRow))


async def until(driver: Driver, holds: Callable[[], bool], within: float, what: str) -> None:
    """Look now and then: looking at thousands of rows for each of thousands of frames would be a load itself."""
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit(f"waited {within:g} s for {what}; saw {running(driver)}, {kube_seen(driver)[:600]}")
        await asyncio.sleep(0.5)


if __name__ == "__main__":
    asyncio.run(main())
