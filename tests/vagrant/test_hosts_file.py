"""The same machines as hosts that exist: by what `vagrant ssh-config` prints, and no Vagrant after that."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from pathlib import Path

import pytest
from support.remote_lab import KIND
from support.remote_story import played

from rwk_tui.board.targets import MACHINES
from rwk_tui.engines.sets import EngineSet
from rwk_tui.lab.open import open_lab
from rwk_tui.lab.protocol import UnitSpec
from rwk_tui.lab.vagrant.vagrantfile import Place
from rwk_tui.settings import Settings

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(KIND != "vagrant", reason="these are about machines that Vagrant made"),
]


@pytest.fixture
async def host_settings(machine_settings: Settings, tmp_path: Path) -> Settings:
    """Settings of a lab of its own on those machines, which are up and left by the one that made them."""
    lab = open_lab(machine_settings, {})
    try:
        await lab.up()
    finally:
        await lab.leave()
    place = Place.of(machine_settings)
    process = await asyncio.create_subprocess_exec(
        "vagrant",
        "ssh-config",
        *MACHINES,
        cwd=place.directory,
        env=place.environment(os.environ),
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0
    hosts = tmp_path / "hosts"
    hosts.write_bytes(printed)
    return dataclasses.replace(machine_settings, backend="ssh", hosts=hosts, state=tmp_path / "state")


async def test_what_an_earlier_process_left_running_is_halted(host_settings: Settings) -> None:
    first = open_lab(host_settings, {})
    await first.up()
    nap = first.machines["core-01"].unit("nap")
    await nap.configure(UnitSpec("nap", ("sleep", "600")))
    await nap.start()
    before = (await nap.status()).pid
    await first.leave()
    await open_lab(host_settings, {}).down()
    last = open_lab(host_settings, {})
    try:
        await last.up()
        assert before and (await last.machines["core-01"].unit("nap").status()).pid != before
    finally:
        await last.machines["core-01"].destroy()
        await last.leave()


@pytest.mark.parametrize("chapter", ["03-etcd-clustering", "04-machine-failure"])
async def test_a_chapter_passes_without_vagrant(
    chapter: str, host_settings: Settings, kube_engines: EngineSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    async with played(chapter, host_settings, kube_engines) as stage:
        lab = stage.context.lab
        assert lab.backend == "ssh" and "power is not cut" in lab.lacks("power cut")
        shown = [line.text for line in stage.context.hub.board.output if line.stream == "command"]
        assert shown and not any("vagrant" in line for line in shown)
