"""The presenter's desk: where commands run that no machine runs, so that no link lies between them and the lab."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Mapping, Sequence

from rwk_tui.lab.local import show
from rwk_tui.lab.local.addresses import NO_MACHINE
from rwk_tui.lab.local.disk import lose_tree, make_directory
from rwk_tui.lab.local.ground import Ground
from rwk_tui.lab.local.profile import Profile
from rwk_tui.lab.local.run import LocalRun
from rwk_tui.lab.protocol import LabError


class Desk:
    """A directory of the lab's own, with all its programs; open for commands from the lab's making to its end."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._directory = ground.root / "desk"
        self._profile = Profile(self._directory / ".profile.json")
        self._open = True
        make_directory(self._directory)

    @property
    def name(self) -> str:
        return "presenter"

    async def run(self, argv: Sequence[str], *, environment: Mapping[str, str] | None = None) -> LocalRun:
        """Run a command at the desk, without a shell. Raises LabError if it can't be started."""
        if not self._open:
            raise LabError("the lab is down, nothing runs at the presenter's desk; start the lab first")
        program = self._ground.programs.find(argv[0], self._directory, "at the presenter's desk")
        variables = {**self._profile.read(), **(environment or {})}
        group = self._ground.processes.spawn(
            [program, *argv[1:]],
            machine=NO_MACHINE,
            what="run",
            environment=self._ground.environment(NO_MACHINE, self._directory, variables),
            directory=self._directory,
            output=subprocess.PIPE,
            errors=subprocess.PIPE,
        )
        return LocalRun(group)

    def show_run(self, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
        return show.run(argv, environment)

    async def set_profile(self, variables: Mapping[str, str]) -> None:
        """Give every command these variables from now on. Raises LabError if the disk refuses."""
        await asyncio.to_thread(self._profile.write, variables)

    def open(self) -> None:
        """Let commands run. Raises LabError if the directory can't be made."""
        make_directory(self._directory)
        self._open = True

    async def close(self) -> None:
        """End what runs, within the grace time, and let nothing more run."""
        self._open = False
        await asyncio.gather(*(group.end(self._ground.grace) for group in self._ground.processes.of(NO_MACHINE)))

    async def empty(self) -> None:
        """End what runs at once and remove every file, the profile too; closed afterwards."""
        self._open = False
        groups = self._ground.processes.of(NO_MACHINE)
        for group in groups:
            group.signal(signal.SIGKILL)
        await asyncio.gather(*(group.wait() for group in groups))
        await lose_tree(self._directory)
