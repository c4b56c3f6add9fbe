"""The cgroups of a farm: they say which processes are its, whatever those did to their parents and names."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cgroups:
    """One folder in each hierarchy, below the one that this process is in."""

    folders: tuple[Path, ...]

    def make(self) -> None:
        for folder in self.folders:
            folder.mkdir()
            # A cpuset takes no process before it has cores and memory.
            for name in ("cpuset.cpus", "cpuset.mems"):
                mine, above = folder / name, folder.parent / name
                if mine.exists() and above.exists() and not (folder / "cgroup.controllers").exists():
                    mine.write_text(above.read_text())
            clone = folder / "cgroup.clone_children"
            if clone.exists():
                clone.write_text("1")

    def pids(self) -> set[int]:
        """Every process in them, at any depth."""
        found: set[int] = set()
        for folder in self.folders:
            for listed in folder.rglob("cgroup.procs"):
                try:
                    found.update(int(line) for line in listed.read_text().split())
                except OSError:
                    pass  # gone meanwhile, or threaded
        return found - {0}

    def remove(self, seconds: float = 20) -> None:
        """Removes the folders, deepest first, once nothing runs in them any more."""
        end = time.monotonic() + seconds
        while any(folder.exists() for folder in self.folders) and time.monotonic() < end:
            for folder in self.folders:
                below = [path for path in folder.rglob("*") if path.is_dir()] if folder.exists() else []
                for path in [*sorted(below, key=lambda path: len(path.parts), reverse=True), folder]:
                    try:
                        path.rmdir()
                    except OSError:
                        pass  # still busy: the kernel lets go of a dead process a little later
            time.sleep(0.1)


def cgroups(name: str) -> Cgroups:
    """Where the farm of this name has its cgroups; nothing is made yet."""
    own = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    folders: list[Path] = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, right = line.split(" - ")
        root, where = left.split()[3:5]
        kind, _, options = right.split()[:3]
        if kind not in ("cgroup", "cgroup2"):
            continue
        for _, controllers, path in own:
            matches = not controllers if kind == "cgroup2" else bool(controllers) and controllers in options
            if matches and f"{root.rstrip('/')}/" in f"{path}/":
                below = path.removeprefix(root.rstrip("/")).strip("/")
                folders.append(Path(where) / below / name)
                break
    return Cgroups(tuple(dict.fromkeys(folders)))
