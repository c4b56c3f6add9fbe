"""What this machine is and has."""

from __future__ import annotations

import contextlib
import platform
import shutil
import subprocess
import time
from typing import Any

from files import free

TOOLS = ("nft", "tc", "ss", "strace")
WITHIN = 20.0


def facts(root: str) -> dict[str, Any]:
    """All of them; takes up to some seconds on a slow machine."""
    tools = [tool for tool in TOOLS if shutil.which(tool)]
    return {
        "python": platform.python_version(),
        "now": time.time(),
        "boot": boot(),
        "runtime": runtime(),
        "tools": tools,
        "netem": "tc" in tools and has_netem(),
        "free": free(root),
    }


def boot() -> str:
    """What tells this start of the machine from others."""
    with contextlib.suppress(OSError), open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()
    return ""


def runtime() -> str:
    """The container runtime, such as "containerd 1.6.20"; "" if there is none that could run a container."""
    if not (shutil.which("containerd") and shutil.which("runc")):
        return ""
    words = run("containerd", "--version")[1].split()
    return f"containerd {words[2].lstrip('v').partition('~')[0]}" if len(words) > 2 else "containerd"


def has_netem() -> bool:
    """Whether this kernel can delay and lose packets: tried on a device that carries none, and undone."""
    run("modprobe", "-q", "sch_netem")
    device = "rwk-probe"
    made = run("ip", "link", "add", device, "type", "dummy")[0] == 0
    where = device if made else "lo"
    works = run("tc", "qdisc", "add", "dev", where, "root", "netem", "limit", "1000")[0] == 0
    if made:
        run("ip", "link", "del", device)
    elif works:
        run("tc", "qdisc", "del", "dev", where, "root")
    return works


def run(*argv: str) -> tuple[int, str]:
    """Exit code and stdout of a short command; (127, "") if it can't be had."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=WITHIN)
    except (OSError, subprocess.TimeoutExpired):
        return 127, ""
    return done.returncode, done.stdout.decode(errors="replace")
