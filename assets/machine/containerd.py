"""Runs containerd for a worker of the lab, on its machine: trips over nothing that was left, and leaves nothing.

    python3 containerd.py DIRECTORY CONFIG

DIRECTORY is containerd's own; CONFIG is its configuration, in which SNAPSHOTTER is filled in here. Containers end when
this ends. After a SIGKILL or a power cut, what is left of them is taken away at the next start. Images stay.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PODS = "rwk-pods"
"""The name of the pods' bridge and of their network."""
PATIENCE = 8.0
"""Seconds that containerd has to end, and that what was killed has to be gone."""
CGROUPS = Path("/sys/fs/cgroup")


class Asked(Exception):
    """Somebody wants us to end."""


def main(directory: Path, config: Path) -> int:
    """Clean up, run containerd until it ends or somebody asks for that, and clean up again."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _ask)
    code = 0
    child: subprocess.Popen[bytes] | None = None
    try:
        clean(directory)
        directory.mkdir(parents=True, exist_ok=True)
        snapshotter = "overlayfs" if overlay_works(directory / "probe") else "native"
        print(f"snapshotter: {snapshotter}", flush=True)
        final = directory / "config.toml"
        final.write_text(config.read_text().replace("SNAPSHOTTER", snapshotter))
        child = subprocess.Popen(["containerd", "--config", str(final)])
        code = follow(child, directory / "root")
    except Asked:
        pass
    if child is not None and child.poll() is None:
        child.terminate()
        try:
            child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
    clean(directory)
    return code


def follow(child: subprocess.Popen[bytes], root: Path) -> int:
    """Wait until containerd ends, and see to it that a power cut leaves none of what it unpacked empty."""
    known = 0
    while True:
        try:
            return child.wait(1.0)
        except subprocess.TimeoutExpired:
            unpacked = sum(1 for _ in root.glob("io.containerd.snapshotter.v1.*/snapshots/*"))
            if unpacked != known:
                os.sync()
                known = unpacked


def _ask(_number: int, _frame: object) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # once is enough: what follows must not be cut short
    raise Asked


def clean(directory: Path) -> None:
    """End every container and its keeper, and take away their mounts, addresses, network and what points at them."""
    bundles = [*directory.glob("state/io.containerd.runtime.v2.task/*/*")]
    kill_all(directory, bundles)
    unmount_below(directory.parent)
    subprocess.run(["ip", "link", "delete", PODS], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for gone in ("state", "addresses", "probe"):
        shutil.rmtree(directory / gone, ignore_errors=True)
    for bundle in bundles:
        for result in Path("/var/lib/cni/results").glob(f"*-{bundle.name}-*"):
            result.unlink(missing_ok=True)
    for link in Path("/var/log/containers").glob("*.log"):
        if link.is_symlink() and link.readlink().is_relative_to(directory.parent):
            link.unlink(missing_ok=True)


def kill_all(directory: Path, bundles: list[Path]) -> None:
    """Kill the containers of these bundles, and all shims, until none is left; their control groups go with them."""
    groups = [*_groups(bundles)]
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        left = [*_members(groups), *_shims(directory)]
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not left:
            break
        time.sleep(0.05)
    for group in [*groups, *CGROUPS.glob("*/k8s.io"), CGROUPS / "k8s.io"]:
        with contextlib.suppress(OSError):  # the last of them are not empty where others have containers too
            group.rmdir()


def _groups(bundles: list[Path]) -> Iterator[Path]:
    """The control groups of these containers in every hierarchy, innermost first."""
    for bundle in bundles:
        path = bundle.relative_to(bundle.parents[1])  # the namespace and the container's id
        # One hierarchy (v2), or several beside each other (v1).
        for root in (CGROUPS / path, *CGROUPS.glob(f"*/{path}")):
            for inner, _, _ in os.walk(root, topdown=False):
                yield Path(inner)


def _members(groups: list[Path]) -> Iterator[int]:
    for group in groups:
        with contextlib.suppress(OSError):
            yield from map(int, (group / "cgroup.procs").read_text().split())


def _shims(directory: Path) -> Iterator[int]:
    """Processes that keep a container of this containerd and of no other."""
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if "containerd-shim" in words[0] and f"{directory}/containerd.sock" in words:
                yield int(entry.name)


def unmount_below(directory: Path) -> None:
    """Unmount everything in that directory, innermost first; what is still in use goes as soon as it no longer is."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    points = [line.split(" ")[1].replace("\\040", " ") for line in lines]
    below = [point for point in reversed(points) if point.startswith(f"{directory}/")]
    if below:
        subprocess.run(["umount", "--lazy", *below], check=False)


def overlay_works(directory: Path) -> bool:
    """Whether an overlay can be mounted in that directory: not on top of another overlay, for one."""
    layers = [directory / name for name in ("lower", "upper", "work", "merged")]
    for layer in layers:
        layer.mkdir(parents=True, exist_ok=True)
    lower, upper, work, merged = map(str, layers)
    options = f"lowerdir={lower},upperdir={upper},workdir={work}"
    tried = subprocess.run(
        ["mount", "-t", "overlay", "overlay", "-o", options, merged],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    if tried.returncode == 0:
        subprocess.run(["umount", "--lazy", merged], check=False)
    shutil.rmtree(directory, ignore_errors=True)
    return tried.returncode == 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
