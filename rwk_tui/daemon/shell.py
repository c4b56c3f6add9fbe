"""`rwk-tui shell`: asks the daemon how to get onto a machine, and becomes the shell there."""

from __future__ import annotations

import asyncio
import os
import sys

from rwk_tui.daemon.client import DaemonClient, DaemonError
from rwk_tui.daemon.protocol import TerminalOf
from rwk_tui.settings import Settings

PATIENCE = 120.0
"""Seconds that the daemon may take: a remote machine may first get programs of some hundred MB."""


def become_shell(settings: Settings, machine: str) -> int:
    """Never returns where all is well: the exit code is then the shell's. Raises DaemonError or CommandRefused."""
    found = asyncio.run(_ask(settings, machine))
    sys.stdout.flush()
    try:
        if found.directory:
            os.chdir(found.directory)
        # No process of ours stays between the terminal and the shell: signals and the end are its own.
        os.execve(found.argv[0], found.argv, found.environment_at(os.environ))
    except OSError as error:
        raise DaemonError(f"no shell on {machine}: {error.filename or found.argv[0]}: {error.strerror}") from None


async def _ask(settings: Settings, machine: str) -> TerminalOf:
    client = await DaemonClient.connect(settings)
    try:
        async with asyncio.timeout(PATIENCE):
            return await client.terminal(machine)
    except TimeoutError:
        raise DaemonError(f"the daemon does not say within {PATIENCE:g} s how to get onto {machine}") from None
    finally:
        await client.close()
