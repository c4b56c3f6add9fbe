"""Shells of people on a local machine: how one begins, and how all of them end with the machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from rwk_tui.lab.host.process import named
from rwk_tui.lab.host.record import LAB_VARIABLE
from rwk_tui.lab.protocol import Terminal

# Without the files of the system and the user, which would set a prompt and a PATH of their own.
_BARE = {
    "bash": ("--noprofile", "--norc"),
    "zsh": ("-f",),
    "fish": ("--no-config", "--init-command", "function fish_prompt; echo -n $RWK_MACHINE'$ '; end"),
}
_PATIENCE = 1.0
"""Seconds that a shell may take to end when its line is cut."""


def interactive() -> tuple[str, ...]:
    """The user's own shell, or sh, so that it begins with nothing but the environment that it is given."""
    shell = os.environ.get("SHELL", "")
    if not os.path.isabs(shell) or shutil.which(shell) is None:  # noqa: PTH117 - "" is no path
        shell = "/bin/sh"
    return (shell, *_BARE.get(Path(shell).name, ()))


class Shells:
    """Those of one machine of the lab in that directory: no processes of ours, but they end with it all the same."""

    def __init__(self, lab: Path, machine: str) -> None:
        self._lab = lab
        self._machine = machine
        self._any = False

    @property
    def prompt(self) -> dict[str, str]:
        """The variable that makes a prompt name the machine."""
        return {"PS1": f"{self._machine}$ "}

    async def terminal(self, environment: Mapping[str, str], directory: Path) -> Terminal:
        """What to run for one more."""
        # The words that give a program its host's name are found by running programs, the first time.
        words = await asyncio.to_thread(named, self._machine)
        self._any = True
        return Terminal((*words, *interactive()), tuple(environment.items()), str(directory))

    async def hang_up(self) -> None:
        """End all that there may be; costs nothing where nobody ever asked for one."""
        if self._any:
            self._any = False
            await asyncio.to_thread(_hang_up, self._lab, self._machine)


def _hang_up(lab: Path, machine: str) -> None:
    """End the shells on that machine of the lab with all that runs in them; blocks for a second at most."""
    left = list(_on(lab, machine))
    for number, patience in ((signal.SIGHUP, _PATIENCE), (signal.SIGKILL, 0.0)):
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.send_signal(number)
                process.send_signal(signal.SIGCONT)  # one that is stopped would not even notice
        _, left = psutil.wait_procs(left, timeout=patience)


def _on(lab: Path, machine: str) -> Iterator[psutil.Process]:
    """Whoever says in its environment that it belongs there; where units have ended, that is shells and their own."""
    for process in psutil.process_iter():
        try:
            variables = process.environ()
            ended = process.status() == psutil.STATUS_ZOMBIE
        except psutil.Error:
            continue
        if not ended and (variables.get(LAB_VARIABLE), variables.get("RWK_MACHINE")) == (str(lab), machine):
            yield process
