"""Three local members healthy: our lab against a plain shell script that starts the same binaries."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from harness import SUBNET, pairs
from lab import bench_settings

from rwk_tui.cluster.reshape import bootstrap
from rwk_tui.engines.find import find_engines
from rwk_tui.lab.open import open_lab

SCRIPT = """#!/bin/sh
# $1: engine, $2: directory, $3: subnet
for n in 1 2 3; do
  "$1" --name core-0$n --data-dir "$2/core-0$n" --heartbeat-interval 100 --election-timeout 1000 \\
    --listen-client-urls http://127.1.$3.10$n:2379 --advertise-client-urls http://127.1.$3.10$n:2379 \\
    --listen-peer-urls http://127.1.$3.10$n:2380 --initial-advertise-peer-urls http://127.1.$3.10$n:2380 \\
    --initial-cluster-state new --initial-cluster-token bench --initial-cluster \\
    core-01=http://127.1.$3.101:2380,core-02=http://127.1.$3.102:2380,core-03=http://127.1.$3.103:2380 \\
    >"$2/core-0$n.log" 2>&1 &
done
wait
"""


def healthy(subnet: str) -> bool:
    """Whether each of three members says of itself that it is healthy."""
    for n in (1, 2, 3):
        try:
            with urllib.request.urlopen(f"http://127.1.{subnet}.10{n}:2379/health", timeout=1) as answer:
                if b'"true"' not in answer.read():
                    return False
        except OSError:
            return False
    return True


def until_healthy(subnet: str, started: float) -> float:
    """Seconds from `started` until three members are healthy; at most 60."""
    while not healthy(subnet):
        if time.monotonic() - started > 60:
            raise SystemExit("waited 60 s for three healthy members")
        time.sleep(0.01)
    return time.monotonic() - started


def scratch() -> Path:
    return Path(tempfile.mkdtemp(prefix="rwk-bench-"))


def ours() -> float:
    """The lab of three machines from nothing, etcd on each, through the link proxies."""
    root = scratch()
    settings = bench_settings(root, SUBNET)
    programs = {name: engine.path for name, engine in find_engines(["etcd", "etcdctl", "etcdutl"], settings).items()}

    async def run() -> float:
        lab = open_lab(settings, programs)
        started = time.monotonic()
        await lab.up()
        await bootstrap(list(lab.machines.values()), settings).run(lambda stream, text: None)
        took = await asyncio.to_thread(until_healthy, SUBNET, started)
        await lab.down()
        return took

    try:
        return asyncio.run(run())
    finally:
        shutil.rmtree(root, ignore_errors=True)


def bare() -> float:
    """The shell script."""
    root = scratch()
    script = root / "start.sh"
    script.write_text(SCRIPT)
    etcd = find_engines(["etcd"], bench_settings(root, SUBNET))["etcd"].path
    started = time.monotonic()
    process = subprocess.Popen(["sh", str(script), str(etcd), str(root), SUBNET], start_new_session=True)
    try:
        return until_healthy(SUBNET, started)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(0.2)
        shutil.rmtree(root, ignore_errors=True)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    lab, script, ratio = pairs(runs, ours, bare)
    print(f"our lab       {lab}\nshell script  {script}\nratio         {ratio}  wanted <= 1.2")


if __name__ == "__main__":
    main()
