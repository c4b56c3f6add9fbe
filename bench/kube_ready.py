"""A control plane of one machine ready: our lab, a plain script with the same flags, and kwokctl: `kube_ready.py [N]`.

Ours is a daemon that was asked to open a chapter which begins with one; its certificates are made anew each time, and
the script's beforehand. The script starts all at once, or the controllers when the API is ready; both start the API
server with etcd. kwokctl is taken from $KWOKCTL or PATH.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from harness import SUBNET, Figures, lab_state
from kube_anchor import kwokctl, run_kwokctl, write_script
from kube_judge import Door, Ready, until_ready
from lab import Driver, bench_settings, lab_state_of

from rwk_tui.daemon.client import DaemonClient
from rwk_tui.daemon.protocol import Open, Quit
from rwk_tui.engines.sets import EngineSet, find_set
from rwk_tui.lab.local.addresses import choose_plan

CHAPTER = "11-workers"
"""It begins with one secured member, an API server and its controllers on core-01, and nothing else."""


async def ours() -> Ready:
    """A fresh daemon with three empty machines opens the chapter."""
    with lab_state() as state:
        settings = bench_settings(state, SUBNET)
        driver = Driver(await DaemonClient.connect(settings, role="driver", attend="headless", start=True))
        try:
            await driver.until(lambda: lab_state_of(driver) == "ready", 60, "the lab", lambda: lab_state_of(driver))
            # Asked where the API server itself listens: our balancer would have to carry the judge's many questions.
            place = choose_plan(settings).localhost("core-01", 6443)
            door = Door(place.host, place.port, state / "pki" / "kubernetes")
            started = time.monotonic()
            waiting = asyncio.create_task(asyncio.to_thread(until_ready, door, started))
            await driver.call(Open(chapter=CHAPTER))
            ready = await waiting
            await driver.until(lambda: not driver.board.story.busy, 60, f"{CHAPTER} to be open")
            await driver.call(Quit())
            return ready
        finally:
            driver.reader.cancel()
            await driver.client.close()


def in_kwokctl(program: Path, engines: EngineSet) -> tuple[float, Ready]:
    return run_kwokctl(program, Path(tempfile.mkdtemp(prefix="rwk-bench-")), engines)


def show(what: str, values: list[float], wanted: str = "") -> None:
    print(f"{what:34} {Figures(tuple(values))}{wanted}")


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    root = Path(tempfile.mkdtemp(prefix="rwk-bench-"))
    engines, anchor = find_set(bench_settings(root, SUBNET)), kwokctl()
    lab: list[Ready] = []
    ordered: list[Ready] = []
    at_once: list[Ready] = []
    others: list[tuple[float, Ready]] = []
    try:
        script = asyncio.run(write_script(root, engines))
        script.run(at_once=False)  # to have every binary in the page cache
        for run in range(runs):
            lab.append(asyncio.run(ours()))
            ordered.append(script.run(at_once=False))
            at_once.append(script.run(at_once=True))
            if anchor is not None:
                others.append(in_kwokctl(anchor, engines))
            print(f"run {run + 1} of {runs}: load {os.getloadavg()[0]:.1f}", flush=True)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    print(f"{'':34} seconds until")
    for what, found in (("our lab", lab), ("script in order", ordered), ("script, all at once", at_once)):
        show(f"{what}, /readyz", [one.api for one in found])
        show(f"{what}, and both leases", [one.leases for one in found])
    for what, found in (("in order", ordered), ("at once", at_once)):
        ratios = [one.leases / other.leases for one, other in zip(lab, found, strict=True)]
        show(f"ratio to the script {what}", ratios, "  wanted <= 1.1")
    if anchor is None:
        print("kwokctl: neither in $KWOKCTL nor on PATH, so there is no comparison with it")
        return
    show("kwokctl create cluster --wait", [took for took, _ in others])
    show("kwokctl, /readyz", [ready.api for _, ready in others])
    show("kwokctl, and both leases", [ready.leases for _, ready in others])
    # It is content with /healthz and does not wait for its controllers, so that like is compared with like.
    for what, ratios in (
        ("ratio of /readyz", [a.api / b.api for a, (_, b) in zip(lab, others, strict=True)]),
        ("ratio of the whole", [a.leases / b.leases for a, (_, b) in zip(lab, others, strict=True)]),
        ("ratio of the whole to its --wait", [a.leases / took for a, (took, _) in zip(lab, others, strict=True)]),
    ):
        show(what, ratios, "  wanted <= 1")


if __name__ == "__main__":
    main()
