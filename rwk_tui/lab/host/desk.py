"""The presenter's desk: where commands run that no machine runs, so that no link lies between them and the lab."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from rwk_tui.lab.host import show
from rwk_tui.lab.host.address import NO_MACHINE
from rwk_tui.lab.host.disk import lose_tree, make_directory, write_file
from rwk_tui.lab.host.process import Processes
from rwk_tui.lab.host.profile import Profile
from rwk_tui.lab.host.programs import Programs
from rwk_tui.lab.host.run import HostRun
from rwk_tui.lab.protocol import LabError


class Desk:
    """A directory of the lab's own, with all its programs; open for commands from the lab's making to its end.

    `grace` is how long (s) a command may take to end when the desk is closed.
    """

    def __init__(self, root: Path, processes: Processes, programs: Programs, grace: float) -> None:
        self._root = root
        self._processes = processes
        self._programs = programs
        self._grace = grace
        self._directory = root / "desk"
        self._profile = Profile(self._directory / ".profile.json")
        self._open = True
        make_directory(self._directory)

    @property
    def name(self) -> str:
        return "presenter"

    async def run(self, argv: Sequence[str], *, environment: Mapping[str, str] | None = None) -> HostRun:
        """Run a command at the desk, without a shell. Raises LabError if it can't be started."""
        if not self._open:
            raise LabError("the lab is down, nothing runs at the presenter's desk; start the lab first")
        program = self._programs.find(argv[0], self._directory, "at the presenter's desk")
        variables = {**self._profile.read(), **(environment or {})}
        group = self._processes.spawn(
            [program, *argv[1:]],
            machine=NO_MACHINE,
            what="run",
            environment=self._programs.environment(NO_MACHINE, self._directory, variables, self._root),
            directory=self._directory,
            output=subprocess.PIPE,
            errors=subprocess.PIPE,
        )
        return HostRun(group)

    def show_run(self, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
        return show.run(argv, environment)

    async def put(self, path: str, content: bytes, mode: int = 0o600) -> None:
        """Write a file at the desk. Raises LabError if that lies outside of it or the disk refuses."""
        place = (self._directory / path).resolve()
        if not place.is_relative_to(self._directory.resolve()):
            raise LabError(f"{path} lies outside of the presenter's desk {self._directory}")
        await asyncio.to_thread(write_file, place, content, mode)

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
        await asyncio.gather(*(group.end(self._grace) for group in self._processes.of(NO_MACHINE)))

    async def empty(self) -> None:
        """End what runs at once and remove every file, the profile too; closed afterwards."""
        self._open = False
        groups = self._processes.of(NO_MACHINE)
        for group in groups:
            group.signal(signal.SIGKILL)
        await asyncio.gather(*(group.wait() for group in groups))
        await lose_tree(self._directory)
