"""A program that holds a lab until it is killed: `lab_child.py STATE sleep|etcd SUBNET`.

It prints `ready` and the pids it started.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import psutil
from support.lab import local_settings
from support.lab_etcd import engines, start_three

from rwk_tui.lab.local.lab import LocalLab
from rwk_tui.lab.protocol import UnitSpec


async def main(state: Path, what: str, subnet: int) -> None:
    """On each machine a unit that runs, one that is frozen, and a command with children of its own; one at the desk.

    Where disks can be slowed, some are: one of a unit that runs, one of a unit that is frozen.
    """
    lab = LocalLab(local_settings(state, subnet=subnet), engines() if what == "etcd" else {})
    await lab.up()
    if what == "etcd":
        await start_three(lab)
        await lab.machines["core-02"].unit("etcd").pause()
        if not lab.lacks("slow disk"):
            await lab.machines["core-01"].unit("etcd").slow_disk(300)
            await lab.machines["core-02"].unit("etcd").slow_disk(300)
    else:
        for machine in lab.machines.values():
            for name in ("nap", "frozen"):
                await machine.unit(name).configure(UnitSpec(name, ("sh", "-c", "sleep 1000 & sleep 1000")))
                await machine.unit(name).start()
            await machine.unit("frozen").pause()
            if not lab.lacks("slow disk"):
                await machine.unit("nap").slow_disk(300)
                await machine.unit("frozen").slow_disk(300)
            await machine.run(["sh", "-c", "sleep 1000 & sleep 1000"])
        await lab.desk.run(["sh", "-c", "sleep 1000 & sleep 1000"])
    await asyncio.sleep(0.3)
    pids = [child.pid for child in psutil.Process().children(recursive=True)]
    print("ready", *pids, flush=True)
    await asyncio.sleep(1000)


asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
