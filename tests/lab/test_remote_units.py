"""What systemd is told of unit files, and when."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote.units import Units

RELOAD = ("systemctl", "daemon-reload")
START = ("systemctl", "start", "rwk-etcd.service")


class Host:
    """Takes down what is done on it; a reload ends when it is let."""

    name = "core-01"

    def __init__(self) -> None:
        self.done: list[tuple[str, ...]] = []
        self.reloading = asyncio.Event()
        self.let = asyncio.Event()
        self.failure: LabError | None = None

    def require_up(self) -> None: ...

    async def get(self, path: str) -> bytes:
        raise LabError("no such file")

    async def put(self, path: str, content: bytes, mode: int) -> None: ...

    async def checked(self, *argv: str, within: float) -> str:
        self.done.append(argv)
        if argv == RELOAD:
            self.reloading.set()
            await self.let.wait()
            if self.failure is not None:
                raise self.failure
        return ""


def units_of(host: Host) -> Units:
    ground: Any = SimpleNamespace(known=SimpleNamespace())
    return Units(ground, host)  # type: ignore[arg-type]


async def test_a_file_that_is_written_during_a_reload_is_read_by_the_next_one() -> None:
    host = Host()
    units = units_of(host)
    await units.write("etcd", "one")
    starting = asyncio.create_task(units.systemctl("start", "rwk-etcd.service"))
    await host.reloading.wait()
    await units.write("apiserver", "two")
    host.let.set()
    await starting
    await units.systemctl("start", "rwk-apiserver.service")
    assert host.done == [RELOAD, START, RELOAD, ("systemctl", "start", "rwk-apiserver.service")]


async def test_a_reload_that_failed_is_made_up_for() -> None:
    host = Host()
    units = units_of(host)
    host.let.set()
    host.failure = LabError("systemctl on core-01: no")
    with pytest.raises(LabError):
        await units.systemctl("start", "rwk-etcd.service")
    host.failure = None
    await units.systemctl("start", "rwk-etcd.service")
    await units.systemctl("start", "rwk-etcd.service")
    assert host.done == [RELOAD, RELOAD, START, START]
