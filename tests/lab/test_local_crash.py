"""The holder of a lab is killed: nothing may live on, and the next lab must clean up what could."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from support.lab import eventually, held_lab, local_settings, until_gone

from rwk_tui.lab.host import procs
from rwk_tui.lab.host.disk import write_json
from rwk_tui.lab.host.record import LAB_VARIABLE, Record
from rwk_tui.lab.local.abilities import why_not
from rwk_tui.lab.local.lab import LocalLab
from rwk_tui.lab.protocol import UnitSpec

pytestmark = pytest.mark.process
PROMISED = 2.0
"""Seconds within which everything dies when its holder does."""


async def test_everything_dies_with_its_holder(tmp_path: Path, subnet: int) -> None:
    async with held_lab(tmp_path, "sleep", subnet) as (child, started):
        programs = Counter(process.name() for process in started)
        assert programs["sleep"] == 20, f"two in each of ten groups: {programs}"
        assert programs["strace"] == (0 if why_not("slow disk") else 6), programs
        child.kill()
        await child.wait()
        assert await until_gone(started) < PROMISED

    lab = LocalLab(local_settings(tmp_path, subnet=subnet), {})
    assert await lab.left_behind() == (
        "core-01 (frozen, nap), core-02 (frozen, nap) and core-03 (frozen, nap) broke off while up"
    )
    await lab.up()
    assert (await lab.machines["core-02"].unit("frozen").status()).state == "running"
    await lab.down()


@pytest.fixture
def leftover(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process as a crash could leave it, with a child."""
    environment = {**os.environ, LAB_VARIABLE: str(tmp_path)}
    script = "sleep 1000 & echo started; read never"
    with subprocess.Popen(
        ["sh", "-c", script], start_new_session=True, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def test_leftovers_are_ended_first(tmp_path: Path, leftover: subprocess.Popen[bytes]) -> None:
    record = Record(tmp_path / "running", tmp_path)
    record.add(leftover.pid, machine="core-01", what="etcd")
    children = psutil.Process(leftover.pid).children()
    assert len(children) == 1
    assert Record(tmp_path / "running", tmp_path).reap() == ["core-01/etcd"]
    assert leftover.wait(2) == -signal.SIGKILL
    assert psutil.wait_procs(children, 10)[1] == []
    assert record.reap() == []


def test_a_stranger_with_a_recycled_number_is_spared(tmp_path: Path, leftover: subprocess.Popen[bytes]) -> None:
    record = Record(tmp_path / "running", tmp_path)
    entry = {"pid": leftover.pid, "birth": "another time", "machine": "core-01", "what": "etcd"}
    write_json(tmp_path / "running" / "1.json", entry)
    assert record.reap() == []
    assert procs.birth(leftover.pid) != ""


def test_children_whose_leader_is_gone_are_ended_too(tmp_path: Path, leftover: subprocess.Popen[bytes]) -> None:
    record = Record(tmp_path / "running", tmp_path)
    record.add(leftover.pid, machine="", what="run")
    children = psutil.Process(leftover.pid).children()
    leftover.kill()
    leftover.wait()
    assert record.reap() == ["presenter/run"]
    assert psutil.wait_procs(children, 10)[1] == []


async def test_a_warden_that_was_ended_is_replaced(tmp_path: Path, subnet: int) -> None:
    lab = LocalLab(local_settings(tmp_path, subnet=subnet), {})
    try:
        await lab.up()
        unit = lab.machines["core-01"].unit("nap")
        await unit.configure(UnitSpec("nap", ("sleep", "1000")))
        await unit.start()
        # Whoever starts a program may go on before the kernel shows that program's words.
        await eventually(_one_warden)
        warden = _wardens()[0]
        warden.kill()
        await eventually(lambda: _ended(warden))
        await unit.restart()
        await eventually(_one_warden)
    finally:
        await lab.down()
    assert _wardens() == []


def _wardens() -> list[psutil.Process]:
    children = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in children if "warden.py" in " ".join(child.cmdline())]


async def _one_warden() -> bool:
    return len(_wardens()) == 1


async def _ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
