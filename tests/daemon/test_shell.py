"""A way onto a machine: who is told it, and that the command becomes that shell."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from support.daemon_fake import FakeWorld, serving
from support.programs import environment

from rwk_tui.board.frames import Frame
from rwk_tui.board.rows import LabRow
from rwk_tui.board.targets import MACHINES
from rwk_tui.daemon.client import CommandRefused, DaemonClient, DaemonError
from rwk_tui.daemon.hold import Follower
from rwk_tui.daemon.protocol import FromDaemon, Shell, TerminalOf
from rwk_tui.settings import Settings
from rwk_tui.usage import MACHINES as COMPLETED


async def until_ready(settings: Settings) -> None:
    client = await DaemonClient.connect(settings, role="viewer")
    async with Follower(client) as lab, asyncio.timeout(5):
        await lab.until(lambda board: (row := board.get(LabRow, "lab")) is not None and row.state == "ready")
    await client.close()


async def all_heard(client: DaemonClient) -> list[FromDaemon]:
    """Whatever the client was told, until it is let go of."""
    await client.close()
    async with asyncio.timeout(5):
        return [message async for message in client]


@pytest.mark.process
async def test_only_who_asks_is_told_and_a_viewer_is_not(settings: Settings) -> None:
    async with serving(settings, FakeWorld(secured={"core-03"})):
        await until_ready(settings)
        driver, other = await DaemonClient.connect(settings), await DaemonClient.connect(settings, refusals=True)
        viewer = await DaemonClient.connect(settings, role="viewer")
        first, second = await asyncio.gather(driver.terminal("core-01"), driver.terminal("core-03"))
        assert (first.machine, second.machine) == ("core-01", "core-03")
        assert first.argv == ("/bin/sh", "-c", "echo core-01")
        assert first.environment == {"WORD": "x", "ETCDCTL_ENDPOINTS": "http://localhost:2379"}
        assert second.environment["ETCDCTL_ENDPOINTS"] == "https://localhost:2379", "its member asks for certificates"
        assert first.directory == "/"
        with pytest.raises(CommandRefused, match="a viewer may only look"):
            await viewer.terminal("core-01")
        await other.terminal("core-01")
        await driver.ask(Shell(machine="core-01"))
        for client in (driver, other, viewer):
            heard = await all_heard(client)
            assert any(isinstance(message, Frame) for message in heard)
            assert not any(isinstance(message, TerminalOf) for message in heard), "an answer is no part of the stream"


@pytest.mark.process
async def test_a_machine_that_is_off_or_unknown_is_one_line(settings: Settings) -> None:
    async with serving(settings, FakeWorld()):
        await until_ready(settings)
        client = await DaemonClient.connect(settings)
        with pytest.raises(CommandRefused, match="^core-02 is off, nothing runs there$"):
            await client.terminal("core-02")
        with pytest.raises(CommandRefused, match="there is no machine 'core-09': there are core-01, core-02, core-03"):
            await client.terminal("core-09")
        await client.close()
        with pytest.raises(DaemonError):
            await client.terminal("core-01")


def test_the_terminal_is_described_and_nothing_else_comes_along() -> None:
    found = TerminalOf(id=1, machine="core-01", argv=("sh",), environment={"PATH": "/lab", "TERM": "vt100"})
    here = {"TERM": "xterm", "COLORTERM": "truecolor", "PATH": "/mine", "ETCDCTL_ENDPOINTS": "elsewhere"}
    assert found.environment_at(here) == {"PATH": "/lab", "TERM": "vt100", "COLORTERM": "truecolor"}


def test_the_names_that_are_completed_are_those_of_the_machines() -> None:
    assert COMPLETED == MACHINES


async def command(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    """`rwk-tui shell` as a process, while the daemon in this one goes on."""
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "rwk_tui", "shell", *words, "--state", str(settings.state)],
        env=environment(settings.state),
        input="",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.process
async def test_the_command_becomes_the_shell(settings: Settings) -> None:
    async with serving(settings, FakeWorld()):
        await until_ready(settings)
        done = await command(settings, "core-01")
        assert (done.returncode, done.stdout, done.stderr) == (0, "core-01\n", "")
        off = await command(settings, "core-02")
        assert (off.returncode, off.stderr) == (1, "rwk-tui: core-02 is off, nothing runs there\n")
        unknown = await command(settings, "core-09")
        assert unknown.returncode == 2
        assert len(unknown.stderr.splitlines()) == 1 and "core-01" in unknown.stderr
    none = await command(settings, "core-01")
    assert (none.returncode, len(none.stderr.splitlines())) == (1, 1)
    assert "no lab is running" in none.stderr
