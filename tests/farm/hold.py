"""The first process of a farm's namespaces: lays out /sys, /run and the rest, then only buries the dead.

`hold.py STATE`: runs before anything else is there, so it imports nothing of the farm. It says "ready" when it is.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

# Where libvirt and LXC keep what is theirs: a farm has its own, and the machine's stays as it was.
OWN = ("/etc/libvirt", "/etc/lxc", "/var/lib/libvirt", "/var/cache/libvirt", "/var/log/libvirt", "/var/lib/lxc")
CGROUPS = Path("/sys/fs/cgroup")


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True, timeout=30)


def own_sys() -> None:
    """A /sys that shows this network namespace, and cgroups whose root is the farm's."""
    kept = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    mount("-t", "sysfs", "sysfs", "/sys")
    hierarchies = [(where, kind, options) for _, where, kind, options, *_ in kept if kind in ("cgroup", "cgroup2")]
    if any(Path(where) != CGROUPS for where, _, _ in hierarchies):
        mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(CGROUPS))
    for where, kind, options in hierarchies:
        Path(where).mkdir(exist_ok=True)
        known = {"rw", "ro", "relatime", "nosuid", "nodev", "noexec", "nsdelegate", "memory_recursiveprot"}
        controllers = ",".join(word for word in options.split(",") if word not in known)
        if kind == "cgroup2":
            mount("-t", kind, kind, where)
        elif controllers.startswith("name="):
            mount("-t", kind, "-o", f"none,{controllers}", kind, where)
        else:
            mount("-t", kind, "-o", controllers, kind, where)


def own_folders(state: Path) -> None:
    """A /run that is empty, and a place of its own for each program that would write into the machine's."""
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for name in ("lock", "sudo", "libvirt", "lxc"):
        Path("/run", name).mkdir()
    for name in OWN:
        if not Path(name).is_dir():
            continue
        mine = state / name.strip("/").replace("/", "-")
        if name.startswith("/etc/"):
            shutil.copytree(name, mine, symlinks=True)
        else:
            mine.mkdir()
        mount("--bind", str(mine), name)


def main() -> None:
    # Whoever ends the farm ends this process by its number, which takes all others along; nothing else may.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    own_sys()
    own_folders(Path(sys.argv[1]))
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=30)
    print("ready", flush=True)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    while True:
        signal.sigtimedwait([signal.SIGCHLD], 60)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass


if __name__ == "__main__":
    main()
