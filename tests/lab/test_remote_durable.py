"""What is put or wanted on a machine is on its disk before anybody is told so: power may be cut in the next moment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rwk_tui.data import data_dir
from rwk_tui.lab.remote.units import Units

pytestmark = pytest.mark.process

WRITE = """
import os, stat, sys
sys.path.insert(0, sys.argv[1])
from files import Staging
sync, replace = os.fsync, os.replace
def synced(file):
    print("directory" if stat.S_ISDIR(os.fstat(file).st_mode) else "content")
    sync(file)
def replaced(*names):
    print("name")
    replace(*names)
os.fsync, os.replace = synced, replaced
staging = Staging(sys.argv[2], 0o600)
staging.file.write(b"kept")
staging.commit()
"""


def test_a_file_is_synced_and_then_its_name(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "note"
    agent = data_dir("assets") / "machine" / "agent"
    ran = subprocess.run(
        [sys.executable, "-c", WRITE, str(agent), str(file)], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["content", "name", "directory"]
    assert file.read_bytes() == b"kept"


class Host:
    """Takes down what is done on it."""

    name = "core-01"

    def __init__(self) -> None:
        self.done: list[tuple[str, ...]] = []

    async def agent(self) -> None:
        """There is contact."""

    async def checked(self, *argv: str, within: float) -> str:
        self.done.append(argv)
        return ""


async def test_whether_a_unit_is_wanted_is_synced_too() -> None:
    host = Host()
    ground: Any = SimpleNamespace(known=SimpleNamespace())
    units = Units(ground, host)  # type: ignore[arg-type]
    sync = ("sync", "--file-system", "/etc/systemd/system")
    wanted: Mapping[str, list[tuple[str, ...]]] = {"enable": [sync], "disable": [sync], "restart": []}
    await units.systemctl("start", "rwk-etcd.service")  # it reads what is new before the first
    for verb, then in wanted.items():
        host.done.clear()
        await units.systemctl(verb, "rwk-etcd.service")
        assert host.done == [("systemctl", verb, "rwk-etcd.service"), *then]
