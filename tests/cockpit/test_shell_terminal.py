"""The cockpit in a terminal, a shell in its place, and the cockpit again; the daemon is a fake one in the test."""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from support.cockpit_frames import machine
from support.daemon_fake import FakeWorld, make_settings, serving, short_directory
from support.in_terminal import InTerminal, in_terminal
from support.programs import environment

from rwk_tui.daemon.service import Service
from rwk_tui.settings import Settings

pytestmark = pytest.mark.process

SHELL = ("/usr/bin/env", "PS1=core-01$ ", shutil.which("bash") or "", "--noprofile", "--norc")
ALTERNATE = "\x1b[?1049h"
"""What the cockpit writes to have the screen for itself."""


@pytest.fixture
def settings() -> Iterator[Settings]:
    with short_directory() as directory:
        yield make_settings(directory / "state", linger=5.0)


@asynccontextmanager
async def cockpit_in_terminal(settings: Settings) -> AsyncIterator[tuple[InTerminal, Service]]:
    """The cockpit as a process, once it shows the lab."""
    world = FakeWorld()
    for each in world.machines.values():
        each.shell = SHELL
    async with serving(settings, world) as (service, _):
        argv = [sys.executable, "-m", "rwk_tui", "--state", str(settings.state)]
        async with in_terminal(argv, environment(settings.state)) as screen:
            await screen.reads("fault", 40)
            service.hub.publish(*(machine(name) for name in world.machines))
            await screen.reads("core-03")
            yield screen, service


async def into_the_shell(screen: InTerminal) -> None:
    screen.type("!")
    await screen.reads("Shell on which machine?")
    screen.type("1")
    await screen.reads("A shell on core-01; exit or Ctrl-D comes back to the cockpit.")
    await screen.reads("core-01$ ")


async def test_there_and_back(settings: Settings) -> None:
    async with cockpit_in_terminal(settings) as (screen, service):
        await into_the_shell(screen)
        assert ALTERNATE not in screen.raw
        screen.type("sh -c 'echo on; exec sleep 1000'\r")
        await screen.reads("\non\n")
        screen.type("\x03")
        await screen.reads("core-01$ ")
        screen.type("\x03")
        await screen.reads("core-01$ ")
        screen.type("echo $((6 * 7)) $WORD$RWK_TEST_RUN\r")
        await screen.reads("\n42 x\n")
        service.hub.tell("test", "what happened meanwhile")
        service.flush()
        screen.type("sh -c 'echo on; exec cat'\r")
        await screen.reads("\non\n")
        screen.type("\x1a")
        await screen.reads("Stopped")
        assert "meanwhile" not in screen.text and ALTERNATE not in screen.raw, "nothing is painted over the shell"
        screen.type("kill -KILL %1; disown; exit\r")
        await screen.until(lambda: ALTERNATE in screen.raw, "cockpit")
        await screen.reads("what happened meanwhile", 5)
        await screen.reads("core-03", 5)
        service.hub.tell("test", "what happens now")
        await screen.reads("what happens now", 5)
        screen.type("q")
        await screen.reads("Quit?")
        screen.type("q")
        assert await screen.code() == 0


async def test_a_shell_that_is_killed_gives_the_terminal_back(settings: Settings) -> None:
    async with cockpit_in_terminal(settings) as (screen, _):
        await into_the_shell(screen)
        screen.type("kill -KILL $$\r")
        await screen.until(lambda: ALTERNATE in screen.raw, "cockpit")
        await screen.reads("ended by SIGKILL", 5)
        screen.type("\x03")
        await screen.reads("Quit?", 5)
        screen.type("q")
        assert await screen.code() == 0


async def test_a_shell_that_stops_itself_goes_on(settings: Settings) -> None:
    async with cockpit_in_terminal(settings) as (screen, _):
        await into_the_shell(screen)
        screen.type("kill -STOP $$; echo $((6 * 7))\r")
        await screen.reads("\n42\n", 5)
        screen.type("exit\r")
        await screen.until(lambda: ALTERNATE in screen.raw, "cockpit")
