"""What differs between backends whose machines are reached over SSH: who switches them on, and where they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from rwk_tui.board.rows import Power
from rwk_tui.lab.protocol import Ability, MachineVerb, Narrator
from rwk_tui.lab.remote.login import Login

DROP_DEAD = "poweroff --force --force --no-sync"
"""What a machine is told so that it ends at once, as without power: nothing is stopped, nothing is written."""


class Switch(Protocol):
    """Power, place and words of the three machines; the caller asks for one action a machine at a time."""

    @property
    def owns_power(self) -> bool:
        """Whether it can switch machines. Where not, they are hosts of somebody else's: a halt ends our units only."""

    async def start(self, machine: str) -> None:
        """Switch the machine on, making it if it does not exist; harmless when it runs. Raises LabError.

        Whoever cancels it gets control back soon, and may then switch the machine in another way at once; what became
        of it by then is anybody's guess.
        """

    async def stop(self, machine: str) -> None:
        """Halt it gracefully; harmless when it is halted or not there. Raises LabError."""

    async def kill(self, machine: str) -> None:
        """Cut its power; harmless when it has none or is not there. Raises LabError."""

    async def destroy(self, machine: str) -> None:
        """Cut its power and lose its disk; harmless when it is not there. Raises LabError."""

    async def login(self, machine: str) -> Login:
        """How to reach its sshd now; asked again after every start. Raises LabError."""

    async def look(self, machine: str) -> Power | None:
        """What is true beyond SSH, which may take seconds; None if it can't tell. Never raises LabError."""

    async def exists(self) -> Mapping[str, Power]:
        """The machines that exist, guessed cheaply from files on disk; {} for a fresh directory."""

    def address(self, machine: str) -> str:
        """The address under which the other machines and the presenter reach it."""

    def show(self, verb: MachineVerb, machine: str) -> str:
        """What a person would type to switch it."""

    def show_on(self, command: str, machine: str) -> str:
        """What a person would type here to run a shell command line on the machine."""

    def lacks(self, ability: Ability) -> str:
        """Why that can't be done whatever the machines can, in one line with what to do; "" if it can."""

    def narrate(self, tell: Narrator, complain: Narrator) -> None:
        """Have `tell` hear what the switching says while it works, and `complain` what is not as it should be."""

    async def close(self) -> None:
        """End whatever of it still runs in this process; the machines go on."""
