"""What every backend promises of a shell on a machine: what runs at the presenter's terminal gets there."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from support.lab import PROGRAMS, cut_power, output
from support.programs import script

from rwk_tui.lab.protocol import Lab, Machine, MachineDown

pytestmark = pytest.mark.process

WITHIN = 60.0


async def typed(machine: Machine, text: str, environment: dict[str, str] | None = None) -> tuple[int, list[str], str]:
    """What a shell there makes of a text that is piped into it: exit code, lines, and what it complained."""
    found = await machine.terminal(environment=environment)
    process = await asyncio.create_subprocess_exec(
        *found.argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"TERM": "dumb", **dict(found.environment)},
        cwd=found.directory or None,
    )
    async with asyncio.timeout(WITHIN):
        out, err = await process.communicate(text.encode())
    return process.returncode or 0, out.decode().splitlines(), err.decode()


async def test_a_shell_is_where_commands_run_with_the_profile_and_the_programs(lab: Lab, tmp_path: Path) -> None:
    lab.provide({**PROGRAMS, "etcdctl": script(tmp_path / "bin" / "etcdctl", "echo the client of the lab")})
    for machine in lab.machines.values():
        await machine.set_profile({"WORD": f"it's $HOME on {machine.name}"})
        text = (
            'pwd\necho "$WORD"\necho "$RWK_MACHINE"\nhostname\netcdctl\necho "$MORE"\necho x >made-in-a-shell\nexit 7\n'
        )
        code, (where, word, name, host, client, more), err = await typed(machine, text, {"MORE": "a b"})
        assert (code, err) == (7, "")
        assert where == machine.data
        assert word == f"it's $HOME on {machine.name}"
        assert name == machine.name
        assert (0, [host], []) == await output(await machine.run(["hostname"])), "it is called there as by any command"
        assert (client, more) == ("the client of the lab", "a b")
        assert await machine.get("made-in-a-shell") == b"x\n"


async def test_nothing_of_the_presenters_gets_in(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETCDCTL_ENDPOINTS", "http://elsewhere:2379")
    code, out, _ = await typed(lab.machines["core-01"], 'echo "<$ETCDCTL_ENDPOINTS>" "$HOME"\n')
    assert (code, out) == (0, [f"<> {lab.machines['core-01'].data}"])
    assert os.environ["ETCDCTL_ENDPOINTS"]


async def test_there_is_no_shell_on_a_machine_without_power(lab: Lab) -> None:
    await cut_power(lab, "core-01")
    with pytest.raises(MachineDown, match="core-01"):
        await lab.machines["core-01"].terminal()
    code, out, _ = await typed(lab.machines["core-02"], "echo here\n")
    assert (code, out) == (0, ["here"])
