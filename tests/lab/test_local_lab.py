"""What only the local lab can get wrong: foreign files, taken ports, two holders, leaks, damaged disks."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
from pathlib import Path

import psutil
import pytest
from support.lab import PROGRAMS, dial, dial_at, eventually, local_settings, output, serve, talk, talk_at

from rwk_tui.lab.local.lab import LocalLab
from rwk_tui.lab.local.unit import LocalUnit
from rwk_tui.lab.protocol import LabError, Listen, UnitSpec
from rwk_tui.settings import Settings


@pytest.fixture
def here(tmp_path: Path, subnet: int) -> Settings:
    return local_settings(tmp_path / "state", subnet=subnet)


async def test_a_foreign_directory_is_left_alone(here: Settings) -> None:
    root = here.state / "lab"
    root.mkdir(parents=True)
    (root / "thesis.txt").write_text("years of work")
    with pytest.raises(LabError, match="not ours"):
        LocalLab(here, {})
    assert (root / "thesis.txt").read_text() == "years of work"


async def test_a_place_that_can_not_be_written(tmp_path: Path, subnet: int) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(LabError, match="state"):
        LocalLab(local_settings(tmp_path / "state", subnet=subnet), {})


@pytest.mark.process
async def test_a_full_disk_is_one_line(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = LocalLab(here, {})
    try:
        await lab.up()

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", full)
            with pytest.raises(LabError, match="No space left on device"):
                await lab.machines["core-01"].put("x", b"")
        assert [file for _, _, files in os.walk(here.state / "lab" / "machines") for file in files] == []
    finally:
        await lab.down()


@pytest.mark.process
async def test_only_the_user_may_look(here: Settings) -> None:
    lab = LocalLab(here, {})
    try:
        await lab.up()
        await lab.machines["core-01"].put("deep/er/secret", b"x")
        for owner in (lab.desk, lab.machines["core-01"]):
            await owner.set_profile({"TOKEN": "x"})
        for place, _, files in os.walk(here.state / "lab"):
            assert _mode(place) == 0o700, place
            for file in set(files) - {".rwk-lab"}:
                assert _mode(f"{place}/{file}") & 0o077 == 0, file
    finally:
        await lab.down()


@pytest.mark.process
async def test_a_disk_ends_where_it_ends(here: Settings) -> None:
    lab = LocalLab(here, {})
    try:
        await lab.up()
        for path in ("../core-02/x", "/etc/passwd"):
            with pytest.raises(LabError, match="outside"):
                await lab.machines["core-01"].put(path, b"x")
    finally:
        await lab.down()


async def test_one_holder_at_a_time(here: Settings) -> None:
    lab = LocalLab(here, {})
    with pytest.raises(LabError, match=f"in use by process {os.getpid()}"):
        LocalLab(here, {})
    await lab.down()
    await LocalLab(here, {}).down()


@pytest.mark.process
async def test_a_taken_port_is_named_with_its_holder(here: Settings) -> None:
    lab = LocalLab(here, {})
    host, port = lab.machines["core-02"].url(2380).removeprefix("http://").split(":")
    words = rf"{host}:{port} is taken by .*, pid {os.getpid()}; end it"
    with socket.create_server((host, int(port))), pytest.raises(LabError, match=words):
        await lab.up()
    await lab.up()
    host, number = await lab.machines["core-03"].reach(2379)
    unit = lab.machines["core-03"].unit("nap")
    await unit.configure(UnitSpec("nap", ("sleep", "9"), listens=(Listen(2379, False),)))
    with socket.create_server((host, number)), pytest.raises(LabError, match=f"pid {os.getpid()}"):
        await unit.start()
    await unit.start()
    await lab.down()


async def test_a_damaged_file_is_named(here: Settings) -> None:
    await LocalLab(here, {}).down()
    (here.state / "lab" / "machines.json").write_text("{")
    with pytest.raises(LabError, match=r"machines\.json is damaged"):
        LocalLab(here, {})


@pytest.mark.process
async def test_nothing_is_left_and_nothing_grows(here: Settings) -> None:
    """No process, no listener and no descriptor after `down`; as many after ten rounds as after one."""
    me = psutil.Process()
    counts = []
    for _ in range(4):
        lab = LocalLab(here, PROGRAMS)
        await lab.reset()
        one, two = lab.machines["core-01"], lab.machines["core-02"]
        await serve(one)
        await serve(lab.machines["core-03"], 6443, bound=True)
        for _ in range(5):
            assert await dial(two, one) == "core-01 hello"
            assert await dial_at(lab.desk, two.any_url(6443)) == "core-03 hello"
        run, lines = await talk(two, one)
        await anext(lines)
        await lab.link("core-01", "core-02").cut()
        await output(await one.run(["echo"]))
        await talk_at(lab.desk, two.any_url(6443))
        await lab.down()
        assert await run.wait() != 0
        assert [child for child in me.children() if child.status() != psutil.STATUS_ZOMBIE] == []
        assert [c for c in me.net_connections() if c.status == psutil.CONN_LISTEN] == []
        counts.append(me.num_fds())
    assert counts[-1] <= counts[0], counts


@pytest.mark.process
async def test_changes_are_told(here: Settings) -> None:
    lab = LocalLab(here, {})
    told = 0

    def tell() -> None:
        nonlocal told
        told += 1

    lab.on_change = tell
    await lab.up()
    unit = lab.machines["core-01"].unit("nap")
    await unit.configure(UnitSpec("nap", ("sleep", "1000")))
    for act in (unit.start, unit.pause, unit.resume, unit.kill, lab.link("core-01", "core-02").cut):
        before = told
        await act()
        assert told > before, act
    await lab.down()


@pytest.mark.process
async def test_a_power_cut_does_not_wait_for_a_halt(here: Settings) -> None:
    """A program that ignores SIGTERM holds up the halt, not the power cut."""
    lab = LocalLab(Settings(state=here.state, engine_cache=here.state, subnet=here.subnet), {})
    machine = lab.machines["core-01"]
    await lab.up()
    unit: LocalUnit = machine.unit("deaf")
    await unit.configure(UnitSpec("deaf", ("sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done")))
    await unit.start()

    async def deaf() -> bool:
        return [line async for line in unit.log()] == ["deaf"]

    async def stopping() -> bool:
        return (await machine.status()).power == "stopping"

    await eventually(deaf)
    halting = asyncio.create_task(machine.stop())
    await eventually(stopping)
    async with asyncio.timeout(2):
        await machine.kill()
        await halting
    assert (await machine.status()).power == "off"
    await lab.down()


def _mode(path: str) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


@pytest.mark.process
async def test_on_a_full_disk_machines_die_all_the_same_and_a_reset_makes_room(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = LocalLab(here, {})
    try:
        await lab.up()
        one, two = lab.machines["core-01"], lab.machines["core-02"]
        runs = [await machine.run(["sleep", "60"]) for machine in (one, two)]

        def full(*_: object, **__: object) -> str:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr("tempfile.mkstemp", full)
            patch.setattr("tempfile.mkdtemp", full)
            with pytest.raises(LabError, match="No space left on device"):
                await one.kill()
            assert await runs[0].wait() == 128 + 9
            with pytest.raises(LabError, match="No space left on device"):
                await two.destroy()
            assert await runs[1].wait() == 128 + 9
            assert not two.disk.exists()
        await lab.reset()
        powers = json.loads((here.state / "lab" / "machines.json").read_text())
        assert {entry["power"] for entry in powers.values()} == {"up"}
    finally:
        await lab.down()


@pytest.mark.process
async def test_a_machine_switched_on_while_it_is_destroyed_does_not_run_without_a_disk(here: Settings) -> None:
    lab = LocalLab(here, PROGRAMS)
    try:
        await lab.up()
        machine = lab.machines["core-01"]
        await serve(machine)
        await asyncio.gather(machine.destroy(), machine.start(), return_exceptions=True)
        assert ((await machine.status()).power == "up") == machine.disk.exists()
        assert machine.show("kill") == "# nothing runs on core-01"
    finally:
        await lab.down()


@pytest.mark.process
async def test_a_cancelled_reset_leaves_no_link_cut(here: Settings) -> None:
    lab = LocalLab(here, {})
    try:
        await lab.up()
        await lab.link("core-01", "core-02").cut()
        reset = asyncio.create_task(lab.reset())
        await asyncio.sleep(0)
        reset.cancel()
        await asyncio.gather(reset, return_exceptions=True)
        assert not any(link.is_cut for link in lab.links)
    finally:
        await lab.down()


@pytest.mark.process
async def test_a_unit_that_was_written_down_before_there_were_bound_ports_still_loads(here: Settings) -> None:
    lab = LocalLab(here, {})
    try:
        await lab.up()
        units = here.state / "lab" / "machines" / "core-01" / "etc" / "units"
        entry = {"argv": ["sleep", "9"], "environment": [], "listens": [[2379, True], [2380, False]], "wanted": False}
        (units / "old.json").write_text(json.dumps(entry))
        (units / "bad.json").write_text(json.dumps({**entry, "listens": [[2379]]}))
        unit = lab.machines["core-01"].unit("old")
        assert unit.spec == UnitSpec("old", ("sleep", "9"), listens=(Listen(2379, True), Listen(2380, False)))
        with pytest.raises(LabError, match=r"bad\.json is damaged"):
            lab.machines["core-01"].unit("bad").show("start")

        bound = UnitSpec("new", ("sleep", "9"), listens=(Listen(6443, True, bound=True), Listen(6444, False)))
        await lab.machines["core-01"].unit("new").configure(bound)
        (units / "bad.json").unlink()
    finally:
        await lab.down()
    assert LocalLab(here, {}).machines["core-01"].unit("new").spec == bound
