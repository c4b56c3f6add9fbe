"""What systemd is told of unit files and when, and which lines of its journal are the lab's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

import pytest

from rwk_tui.lab.protocol import LabError, UnitSpec
from rwk_tui.lab.remote.agent import Done, UnitReport, UnitsReport
from rwk_tui.lab.remote.log import log
from rwk_tui.lab.remote.unit_file import unit_text
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
        self.report = UnitsReport({})
        self.journal: list[tuple[float, str]] = []

    async def agent(self) -> Host:
        return self

    async def units(self, told: Collection[str], held: Collection[str]) -> UnitsReport:
        return self.report

    async def exec(self, *argv: str, within: float) -> Done:
        return Done(0, "", "")

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
        if argv[0] == "journalctl":
            entries = [
                {"__CURSOR": str(at), "__REALTIME_TIMESTAMP": str(int(at * 1e6)), "MESSAGE": text}
                for at, text in self.journal
            ]
            return "".join(f"{json.dumps(entry)}\n" for entry in entries)
        return ""


def units_of(host: Host) -> Units:
    ground: Any = SimpleNamespace(known=SimpleNamespace(note=lambda *_: None))
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


async def test_what_is_printed_after_a_clock_was_set_back_is_no_older_than_the_lab() -> None:
    host = Host()
    units = units_of(host)
    spec = UnitSpec("etcd", ("etcd",))
    begun, right = 1_800_003_600.0, 1_800_000_000.0
    lines = unit_text(spec, "/etcd", "core-01", "10.0.0.1", grace=1, since=begun).splitlines()
    written = next(line.removeprefix("Spec=") for line in lines if line.startswith("Spec="))
    report = UnitReport("etcd", written, "running", "active", 7, False, 0.0, "", True)
    host.report = UnitsReport({"etcd": report})
    host.journal = [(right - 300, "of an earlier lab"), (begun + 1, "before"), (right + 5, "after")]
    units.begin(begun)
    await units.ask()

    async def shown() -> list[str]:
        return [text async for text in log(host, units, "etcd", 10, follow=False)]  # type: ignore[arg-type]

    assert not units.heed_clock(begun + 20) and not units.heed_clock(begun - 1), "clocks are never quite the same"
    assert await shown() == ["before"]
    assert units.heed_clock(right + 15)
    assert await shown() == ["before", "after"]
    assert not units.heed_clock(right + 30), "it is heeded once"
