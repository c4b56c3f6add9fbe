"""A person's shell on a local machine: which one it is, what it begins with, and that it ends with the machine."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import pytest
from support.lab import PROGRAMS, local_settings

from rwk_tui.lab.host import shells
from rwk_tui.lab.local.lab import LocalLab
from rwk_tui.lab.protocol import MachineDown, Terminal


@pytest.mark.parametrize("given", ["", "bash", "/no/such/shell", "bin/sh"])
def test_a_shell_that_is_none_is_sh(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", given)
    assert shells.interactive() == ("/bin/sh",)


def test_a_shell_begins_with_no_file_of_the_system_or_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, words in (("bash", ("--noprofile", "--norc")), ("zsh", ("-f",)), ("other", ())):
        program = tmp_path / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        monkeypatch.setenv("SHELL", str(program))
        assert shells.interactive() == (str(program), *words)


@pytest.fixture
async def lab(tmp_path: Path, subnet: int, monkeypatch: pytest.MonkeyPatch) -> LocalLab:
    monkeypatch.setenv("SHELL", shutil.which("bash") or "/bin/sh")
    return LocalLab(local_settings(tmp_path / "state", subnet=subnet), PROGRAMS)


async def begin(terminal: Terminal, *words: str) -> asyncio.subprocess.Process:
    """A shell in a session of its own, as in a terminal of its own, with its input open."""
    process = await asyncio.create_subprocess_exec(
        *terminal.argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=dict(terminal.environment),
        cwd=terminal.directory,
        start_new_session=True,
    )
    assert process.stdin is not None
    for line in words:
        process.stdin.write(line.encode() + b"\n")
    return process


async def ended(process: asyncio.subprocess.Process) -> int:
    async with asyncio.timeout(10):
        return await process.wait()


@pytest.mark.process
@pytest.mark.parametrize("how", ["kill", "stop", "destroy", "down"])
async def test_a_shell_ends_with_its_machine_and_no_other_does(lab: LocalLab, how: str) -> None:
    await lab.up()
    one, two = lab.machines["core-01"], lab.machines["core-02"]
    mine = await begin(await one.terminal(), "sleep 1000 & echo here", "trap '' HUP; sleep 1000")
    other = await begin(await two.terminal(), "echo here")
    try:
        for process in (mine, other):
            assert process.stdout is not None
            async with asyncio.timeout(10):
                assert await process.stdout.readline() == b"here\n"
        await (lab.down() if how == "down" else getattr(one, how)())
        assert await ended(mine) != 0
        if how == "down":
            assert await ended(other) != 0
        else:
            assert other.returncode is None
            with pytest.raises(MachineDown, match="core-01 is "):
                await one.terminal()
    finally:
        await lab.leave()
        for process in (mine, other):
            if process.returncode is None:
                process.kill()
            await process.wait()


@pytest.mark.process
async def test_the_prompt_names_the_machine_and_nothing_of_ours_gets_in(
    lab: LocalLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETCDCTL_ENDPOINTS", "http://somewhere:2379")
    await lab.up()
    try:
        one = lab.machines["core-01"]
        await one.set_profile({"WORD": "a 'b' $c"})
        found = await one.terminal()
        variables = dict(found.environment)
        assert variables["PS1"] == "core-01$ "
        assert variables["WORD"] == "a 'b' $c"
        assert variables["HOME"] == found.directory == one.data
        assert variables["PATH"].split(":")[0] == str(Path(sys.executable).parent)
        assert "ETCDCTL_ENDPOINTS" not in variables
    finally:
        await lab.leave()
