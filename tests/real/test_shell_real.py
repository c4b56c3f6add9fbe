"""A shell on a machine of a real lab: from the command line with a pipe, and from the cockpit's own terminal."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest
from support.daemon_real import attached, idle, lab_is, none_left
from support.in_terminal import in_terminal
from support.remote_lab import BUSY

from rwk_tui.daemon.protocol import Open, Power, Quit
from rwk_tui.settings import Settings, as_environment

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engines")]

ALTERNATE = "\x1b[?1049h"


def environment_of(settings: Settings) -> dict[str, str]:
    return {**os.environ, **as_environment(settings), "SHELL": "/bin/bash"}


async def piped(settings: Settings, machine: str, text: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "rwk_tui", "shell", machine, "--state", str(settings.state)],
        env=environment_of(settings),
        input=text,
        capture_output=True,
        text=True,
        timeout=60 * BUSY,
        check=False,
    )


async def test_etcdctl_in_a_shell_and_the_cockpit_again(settings: Settings) -> None:
    async with attached(settings, attend="cockpit", start=True) as lab:
        await lab.until(lab_is("ready"))
        await lab.do(Open(chapter="02-etcd-single", step=2))
        await idle(lab)
        done = await piped(settings, "core-01", "etcdctl member list; exit 3\n")
        assert (done.returncode, done.stderr) == (3, ""), done
        assert "core-01" in done.stdout and "started" in done.stdout

        argv = [sys.executable, "-m", "rwk_tui", "--state", str(settings.state)]
        async with in_terminal(argv, environment_of(settings)) as screen:
            await screen.reads("core-03", 40)
            screen.type("!")
            await screen.reads("Shell on which machine?")
            screen.type("1")
            await screen.reads("core-01$ ")
            screen.type("etcdctl endpoint health\r")
            await screen.reads("is healthy")
            assert ALTERNATE not in screen.raw
            screen.type("exit\r")
            await screen.until(lambda: ALTERNATE in screen.raw, "cockpit")
            await screen.reads("core-03", 5)

            screen.type("!")
            await screen.reads("Shell on which machine?")
            screen.type("2")
            await screen.reads("core-02$ ")
            screen.mark += len(screen.raw.encode())
            await lab.do(Power(machine="core-02", verb="kill"))
            await screen.until(lambda: ALTERNATE in screen.raw, "cockpit after a power cut")
            await screen.reads("the shell on core-02 ended by SIGHUP", 5)
            screen.type("d")
            assert await screen.code() == 0
        off = await piped(settings, "core-02", "echo in\n")
        assert (off.returncode, off.stdout) == (1, "")
        assert off.stderr == "rwk-tui: core-02 is off, nothing runs there\n"
        await lab.client.call(Quit())
        await lab.ended()
    await none_left(settings, 10)
