"""What only the local lab can get wrong about slow disks: who may attach, what it leaves, and what a person reads."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from support.lab import PROGRAMS, SLOW_MS, eventually, local_settings, needs, syncs, unslowed, write_down
from support.programs import script

from rwk_tui.lab.host import procs
from rwk_tui.lab.local.abilities import why_no_slow_disk, why_not
from rwk_tui.lab.local.lab import LocalLab
from rwk_tui.lab.local.unit import LocalUnit
from rwk_tui.lab.protocol import LabError

pytestmark = pytest.mark.process

REFUSAL = "strace: attach: ptrace(PTRACE_SEIZE, 7): Operation not permitted"


def test_why_a_disk_can_not_be_slowed(tmp_path: Path) -> None:
    assert "on Linux only" in why_no_slow_disk(False, "/usr/bin/strace")
    assert why_no_slow_disk(True, None).endswith("install strace")
    assert "/nowhere" in why_no_slow_disk(True, str(tmp_path / "nowhere"))


@pytest.mark.skipif(not procs.LINUX, reason="there is no ptrace of this kind elsewhere")
def test_a_refusal_is_told_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = script(tmp_path / "strace", f"echo '{REFUSAL}' >&2; exit 1")
    scope = tmp_path / "ptrace_scope"
    monkeypatch.setattr("rwk_tui.lab.local.abilities._YAMA", scope)
    said = "strace may not attach to programs here (attach: ptrace(PTRACE_SEIZE, 7): Operation not permitted): "
    other = "be root, or give the container the capability SYS_PTRACE"
    assert why_no_slow_disk(True, str(refused)) == said + other
    scope.write_text("0\n")
    assert why_no_slow_disk(True, str(refused)) == said + other
    scope.write_text("2\n")
    assert why_no_slow_disk(True, str(refused)) == said + "kernel.yama.ptrace_scope is 2, set it to 0 or be root"
    mute = script(tmp_path / "mute", "exit 0")
    assert "it ended at once" in why_no_slow_disk(True, str(mute))


def test_power_can_be_cut_and_packets_not_lost() -> None:
    assert why_not("power cut") == ""
    assert why_not("packet loss") == (
        "packets can only be lost where there are packets: here a link is a proxy of streams"
    )


@pytest.fixture
async def lab(tmp_path: Path, subnet: int) -> AsyncIterator[LocalLab]:
    needs(why_not("slow disk"))
    opened = LocalLab(local_settings(tmp_path, subnet=subnet), PROGRAMS)
    try:
        await opened.up()
        yield opened
    finally:
        await opened.down()
        assert not opened._ground.processes.live


async def test_the_tracer_is_no_unit_and_ends_with_what_it_slows(lab: LocalLab) -> None:
    machine = lab.machines["core-01"]
    scribe = await _scribe(lab)
    await scribe.slow_disk(SLOW_MS)
    tracer = _tracer()
    assert list((await machine.status()).units) == ["scribe"]
    assert machine.wanted_units() == ["scribe"]
    await scribe.kill()
    assert (await scribe.status()).exit == "killed by SIGKILL"
    await _ended(tracer)
    await scribe.start()
    await unslowed(scribe)


@pytest.mark.parametrize("how", ["stop", "kill", "destroy"])
async def test_the_tracer_ends_with_its_machine(lab: LocalLab, how: str) -> None:
    scribe = await _scribe(lab)
    await scribe.slow_disk(SLOW_MS)
    tracer = _tracer()
    await getattr(lab.machines["core-01"], how)()
    assert not lab._ground.processes.of("core-01")
    await _ended(tracer)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_a_tracer_that_is_ended_by_others_lets_go(lab: LocalLab, number: signal.Signals) -> None:
    scribe = await _scribe(lab)
    before = await scribe.status()
    await scribe.slow_disk(SLOW_MS)
    tracer = _tracer()
    tracer.send_signal(number)
    await _ended(tracer)
    await unslowed(scribe)
    assert await scribe.status() == before
    await scribe.slow_disk(SLOW_MS)
    assert min(await syncs(scribe)) >= SLOW_MS


async def test_what_freezes_somewhere_in_a_sync_does_not_flicker(lab: LocalLab) -> None:
    scribe = await _scribe(lab)
    await scribe.slow_disk(3)
    for _ in range(60):
        await scribe.pause()
        end = time.monotonic() + 0.01
        while time.monotonic() < end:
            assert scribe.look().state == "paused"
            await asyncio.sleep(0)
        await scribe.resume()
        assert scribe.look().state == "running"
        await asyncio.sleep(0.001)  # so that the next one meets it elsewhere


async def test_what_somebody_else_traces_does_not_look_frozen(lab: LocalLab) -> None:
    scribe = await _scribe(lab)
    pid = scribe.look().pid
    tracing = ["strace", "-qq", "-o", os.devnull, "-e", "inject=fsync:delay_enter=20000", "-p", str(pid)]
    with subprocess.Popen(tracing) as tracer:  # noqa: ASYNC220 - it only begins here
        try:
            await _held(scribe)
            end = time.monotonic() + 0.3
            while time.monotonic() < end:
                assert scribe.look().state == "running"
                await asyncio.sleep(0)
            await scribe.pause()

            async def paused() -> bool:
                return scribe.look().state == "paused"

            await eventually(paused)  # what is held back may look so already, and still runs on for a moment
        finally:
            tracer.terminate()


async def test_a_change_leaves_one_tracer_and_an_end_none(lab: LocalLab) -> None:
    scribe = await _scribe(lab)
    await asyncio.gather(*(scribe.slow_disk(SLOW_MS + number) for number in range(4)))
    tracer = _tracer()
    await scribe.slow_disk(0)
    await _ended(tracer)
    assert _tracers() == []


async def test_every_process_of_a_unit_is_slow(lab: LocalLab) -> None:
    """A program that a shell runs is the shell's child, and has the unit's session."""
    machine = lab.machines["core-01"]
    scribe = await _scribe(lab)
    assert scribe.spec is not None
    python, *rest = scribe.spec.argv
    shell = ("sh", "-c", '"$@"; true', "sh", str(PROGRAMS[python]), *rest)
    await scribe.configure(type(scribe.spec)("scribe", shell))
    await scribe.restart()
    await unslowed(scribe)
    await scribe.slow_disk(SLOW_MS)
    assert min(await syncs(scribe)) >= SLOW_MS
    assert machine.unit("scribe").look().state == "running"


async def test_a_tracer_that_does_not_get_hold_is_told_in_one_line(
    lab: LocalLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scribe = await _scribe(lab)
    script(tmp_path / "bin" / "strace", f"echo '{REFUSAL}' >&2; exit 1")
    with monkeypatch.context() as patch:
        patch.setattr("rwk_tui.lab.local.slow_disk.why_not", lambda ability: "")
        patch.setenv("PATH", str(tmp_path / "bin"))
        with pytest.raises(LabError, match="scribe on core-01 can't be slowed: attach: ptrace.*not permitted"):
            await scribe.slow_disk(SLOW_MS)
    await unslowed(scribe)
    await scribe.slow_disk(0)


async def test_a_lab_that_halts_waits_for_no_slow_disk(lab: LocalLab) -> None:
    scribe = await _scribe(lab)
    await scribe.slow_disk(20_000)
    await _held(scribe)
    await lab.down()
    assert scribe.look().exit == "ended when asked to", "a sync that is held back hears nothing"
    assert _tracers() == []


async def _scribe(lab: LocalLab) -> LocalUnit:
    await write_down(lab.machines["core-01"])
    return lab.machines["core-01"].unit("scribe")


def _tracers() -> list[psutil.Process]:
    living = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in living if child.name() == "strace"]


def _tracer() -> psutil.Process:
    found = _tracers()
    assert len(found) == 1, found
    return found[0]


async def _held(unit: LocalUnit) -> None:
    """Until it stands still in a sync."""

    async def still() -> bool:
        return (procs.stat_fields(unit.look().pid) or [""])[0] == "t"

    await eventually(still, 5, "a sync that is held back")


async def _ended(process: psutil.Process) -> None:
    async def over() -> bool:
        try:
            return process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    await eventually(over, 5, "the end of the tracer")
