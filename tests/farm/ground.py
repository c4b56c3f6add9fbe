"""The ground that a farm stands on: namespaces, cgroups and a state folder of its own.

All of it hangs on one process, the first of a process namespace: when that ends, the kernel ends every other process of
the farm, and network, mounts and devices go with the last one.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from farm.cgroups import Cgroups, cgroups
from farm.tools import HERE, NoFarm

PREFIX = "rwk-farm-"
STATES = Path("/tmp")


@dataclass(frozen=True)
class Ground:
    """A farm's place; `state` holds everything that it writes."""

    name: str
    state: Path
    cgroups: Cgroups
    holder: int

    @property
    def enter(self) -> Path:
        """A script that runs its arguments inside, with the farm's environment."""
        return self.state / "enter"

    def inside(self, *command: str | Path) -> list[str]:
        """The command as it is run inside."""
        return [str(self.enter), *(str(word) for word in command)]

    def write_environment(self, environment: dict[str, str]) -> None:
        """What `enter` sets; also a file to source."""
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in environment.items()]
        (self.state / "env").write_text("".join(lines))

    def alive(self) -> bool:
        return self.holder > 0 and Path(f"/proc/{self.holder}/ns/pid").exists() and self.holder in self.cgroups.pids()


def new_ground(name: str, *, keep: bool) -> Ground:
    """Makes it. Raises NoFarm. If `keep` is not set, it goes with this process, however that ends."""
    state = STATES / name
    state.mkdir(mode=0o755)
    mine = cgroups(name)
    (state / "cgroups").write_text("\n".join(str(folder) for folder in mine.folders))
    mine.make()
    join = [f"echo $$ > {shlex.quote(str(folder / 'cgroup.procs'))}" for folder in mine.folders]
    unshare = "unshare --mount --net --pid --cgroup --ipc --fork --kill-child=KILL --mount-proc"
    script = "\n".join([*join, f"exec {unshare} {sys.executable} {HERE / 'hold.py'} {state}"])
    dies_with_us = [] if keep else ["setpriv", "--pdeathsig", "KILL"]
    with (state / "hold.log").open("w") as log:
        process = subprocess.Popen(
            [*dies_with_us, "sh", "-ec", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    assert process.stdout
    said = process.stdout.readline().strip()
    children = psutil.Process(process.pid).children() if said == "ready" else []
    if not children:
        complaint = (state / "hold.log").read_text().strip().splitlines()
        process.kill()
        mine.remove()
        shutil.rmtree(state, ignore_errors=True)
        raise NoFarm(f"no namespaces: {complaint[-1] if complaint else 'unshare said nothing'}")
    ground = Ground(name, state, mine, children[0].pid)
    (state / "holder").write_text(str(ground.holder))
    ground.write_environment({})
    spaces = "--mount --net --pid --cgroup --ipc"
    lines = ["#!/bin/sh", "# Runs its arguments inside the farm.", "set -e", *join, f". {state}/env"]
    lines.append(f'exec nsenter --target {ground.holder} {spaces} --wd="$PWD" -- "$@"')
    ground.enter.write_text("\n".join([*lines, ""]))
    ground.enter.chmod(0o755)
    return ground


def grounds() -> list[Ground]:
    """Every farm that left something on this machine, the living and the dead."""
    found = []
    for state in sorted(STATES.glob(f"{PREFIX}*")):
        holder = state / "holder"
        number = int(holder.read_text()) if holder.exists() else 0
        # Where its own are; ours need not be in the same place.
        written = state / "cgroups"
        theirs = Cgroups(tuple(map(Path, written.read_text().split()))) if written.exists() else cgroups(state.name)
        found.append(Ground(state.name, state, theirs, number))
    return found


def clear(ground: Ground) -> list[str]:
    """Ends and removes all of it; what could not be removed, one line each."""
    network = ""
    if ground.alive():
        network = str(Path(f"/proc/{ground.holder}/ns/net").readlink())
        os.kill(ground.holder, signal.SIGKILL)
    end = time.monotonic() + 20
    while ground.cgroups.pids() and time.monotonic() < end:
        # What had entered from outside dies with the namespace too, but a process that is held up (a shell) may wait.
        time.sleep(0.1)
    ground.cgroups.remove()
    shutil.rmtree(ground.state, ignore_errors=True)
    return left_of(ground, network)


def left_of(ground: Ground, network: str) -> list[str]:
    """What is still there of this farm: processes, mounts, its network namespace, cgroups and files."""
    left = [f"process {pid}: {command(pid)}" for pid in sorted(ground.cgroups.pids())]
    # A namespace that somebody gave a name shows as a mount of it.
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    left += [f"mount {line.split()[4]}" for line in mounts if ground.name in line or (network and network in line)]
    left += [f"cgroup {folder}" for folder in ground.cgroups.folders if folder.exists()]
    left += [f"folder {ground.state}"] if ground.state.exists() else []
    for process in psutil.process_iter():
        try:
            ours = any(str(ground.state) in word for word in process.cmdline())
            inside = str(Path(f"/proc/{process.pid}/ns/net").readlink()) == network
        except (psutil.NoSuchProcess, OSError):
            continue
        if inside or (ours and process.pid != os.getpid()):
            left.append(f"process {process.pid}: {command(process.pid)}")
    return list(dict.fromkeys(left))


def command(pid: int) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())[:120]
    except psutil.NoSuchProcess:
        return "gone meanwhile"
