"""A program that holds a lab until it is killed: `lab_child.py STATE sleep|etcd SUBNET`.

It prints `ready` and the pids it started.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import psutil
from support.lab import eventually, local_settings
from support.lab_etcd import engines, start_three

from rwk_tui.lab.local.lab import LocalLab
from rwk_tui.lab.protocol import UnitSpec


def named(process: psutil.Process) -> str:
    """The program that it runs, "" where it has just ended."""
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


async def until_asleep(count: int) -> None:
    """Wait until so many `sleep` run that are ours; AssertionError with what runs after a minute."""
    names: list[str] = []

    async def there() -> bool:
        names[:] = [named(child) for child in psutil.Process().children(recursive=True)]
        return names.count("sleep") == count

    try:
        await eventually(there, 60, f"{count} that sleep")
    except AssertionError as error:
        raise AssertionError(f"{error}; there are {sorted(names)}") from None


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
        for number, machine in enumerate(lab.machines.values()):
            for name in ("nap", "frozen"):
                await machine.unit(name).configure(UnitSpec(name, ("sh", "-c", "sleep 1000 & sleep 1000")))
                await machine.unit(name).start()
            await until_asleep(6 * number + 4)  # a shell that is frozen too early never has children
            await machine.unit("frozen").pause()
            if not lab.lacks("slow disk"):
                await machine.unit("nap").slow_disk(300)
                await machine.unit("frozen").slow_disk(300)
            await machine.run(["sh", "-c", "sleep 1000 & sleep 1000"])
        await lab.desk.run(["sh", "-c", "sleep 1000 & sleep 1000"])
        await until_asleep(20)
    pids = [child.pid for child in psutil.Process().children(recursive=True)]
    print("ready", *pids, flush=True)
    await asyncio.sleep(1000)


asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
