"""What a lab is, whatever it runs on: machines, units and links that every backend offers in the same way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

from rwk_tui.lab.links_protocol import Link as Link
from rwk_tui.lab.values import Line as Line
from rwk_tui.lab.values import Listen as Listen
from rwk_tui.lab.values import MachineStatus as MachineStatus
from rwk_tui.lab.values import Terminal as Terminal
from rwk_tui.lab.values import UnitSpec as UnitSpec
from rwk_tui.lab.values import UnitStatus as UnitStatus

UnitVerb = Literal["start", "stop", "restart", "kill", "pause", "resume"]
MachineVerb = Literal["start", "stop", "kill", "destroy"]
Signal = Literal["graceful", "at once"]
Ability = Literal["power cut", "slow disk", "packet loss", "delay"]


Narrator = Callable[[str, str], None]
"""Hears a machine's name and a line."""


class LabError(Exception):
    """Something that the lab could not do, in one line fit for the screen."""


class MachineDown(LabError):
    """The machine is not up, so nothing runs on it."""


class Run(Protocol):
    """A command that runs on a machine: iterate its lines, then read its exit code."""

    def __aiter__(self) -> AsyncIterator[Line]: ...

    async def wait(self) -> int:
        """Read whatever is left and return the exit code (128 + signal where a signal ended it)."""

    async def kill(self) -> None:
        """End the command with all its children; harmless when it has ended."""


class Unit(Protocol):
    """One supervised program on one machine."""

    @property
    def name(self) -> str: ...

    async def configure(self, spec: UnitSpec) -> None:
        """Write down how the unit runs; takes effect at its next start."""

    async def start(self) -> None:
        """Start the unit and keep it wanted: it comes back with its machine. Raises LabError if it has no spec."""

    async def stop(self) -> None:
        """Ask the unit to end (SIGTERM, SIGKILL after a grace time) and no longer want it."""

    async def restart(self) -> None:
        """Stop, then start."""

    async def kill(self) -> None:
        """End the unit at once (SIGKILL); it stays wanted."""

    async def pause(self) -> None:
        """Freeze the unit (SIGSTOP): its connections stay open and nothing answers."""

    async def resume(self) -> None:
        """Let a frozen unit go on (SIGCONT)."""

    async def slow_disk(self, milliseconds: float) -> None:
        """Hold back each of its syncs to disk by that long, until it ends. Raises LabError if it can't be done.

        0 is for no more, and harmless where the unit does not run.
        """

    async def status(self) -> UnitStatus: ...

    def log(self, *, lines: int = 200, follow: bool = False) -> AsyncIterator[str]:
        """The newest `lines` lines of its output, then, with `follow`, what comes."""

    def show(self, verb: UnitVerb) -> str:
        """The command that a person would type on this backend for `verb`, with the unit's present spec."""

    def show_spec(self, verb: UnitVerb, spec: UnitSpec) -> str:
        """The same for a spec that is not configured yet, so that it can be shown before it is done."""


class Place(Protocol):
    """Where commands run: a machine, or the presenter's own computer."""

    @property
    def name(self) -> str: ...

    async def run(self, argv: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Run:
        """Run a command there, without a shell, in the place's profile and `environment`.

        Raises MachineDown, or LabError if it can't be started.
        """

    def show_run(self, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
        """The command as a person would type it to run `argv` there."""

    async def put(self, path: str, content: bytes, mode: int = 0o600) -> None:
        """Write a file; relative paths lie where commands run. Raises LabError."""

    async def set_profile(self, variables: Mapping[str, str]) -> None:
        """Give every command that is run there from now on these variables, as a login profile does, and no others.

        Raises LabError.
        """


class Machine(Place, Protocol):
    """One host."""

    @property
    def name(self) -> str: ...

    @property
    def address(self) -> str:
        """The address under which the other machines reach it."""

    @property
    def advertised(self) -> str:
        """The address that an API server on it may say is its own; where that can't be dialled, nobody needs to."""

    @property
    def data(self) -> str:
        """The directory on the machine that belongs to us, as a path on the machine."""

    async def start(self) -> None:
        """Switch the machine on; a destroyed one comes back with an empty disk. Units that were wanted start."""

    async def stop(self) -> None:
        """Halt it gracefully."""

    async def kill(self) -> None:
        """Cut its power."""

    async def destroy(self) -> None:
        """Cut its power and lose its disk."""

    async def status(self) -> MachineStatus:
        """How the machine and its units stand; never raises because the machine is down."""

    async def terminal(self, *, environment: Mapping[str, str] | None = None) -> Terminal:
        """What to run at the presenter's terminal for a shell there, in the machine's profile and `environment`.

        The shell ends when the machine does. Raises MachineDown, or LabError if there can't be one.
        """

    async def put(self, path: str, content: bytes, mode: int = 0o600) -> None:
        """Write a file; relative paths lie below `data`."""

    async def get(self, path: str) -> bytes:
        """Read a file; raises LabError if there is none."""

    def unit(self, name: str) -> Unit:
        """The unit of that name, configured or not."""

    def url(self, port: int, *, scheme: str = "http") -> str:
        """The URL under which other machines reach a public port of this machine; what members advertise."""

    def listen_urls(self, port: int, *, public: bool, scheme: str = "http") -> tuple[str, ...]:
        """The URLs a unit must listen on to serve its own machine and, if `public`, the others too."""

    def bind(self, port: int, *, public: bool) -> tuple[str, int]:
        """The address for a unit that can listen on one only: it serves its own machine and, if `public`, the others.

        Programs of its own machine dial it there.
        """

    def any_url(self, port: int, *, scheme: str = "http") -> str:
        """The URL at which the programs of this machine reach that balanced port on whichever machine serves it.

        Raises LabError if the port is not balanced.
        """

    async def reach(self, port: int) -> tuple[str, int]:
        """Host and port at which the presenter's own tools reach that port; no link lies between. Raises LabError."""

    def show(self, verb: MachineVerb) -> str:
        """The command that a person would type on this backend for `verb`."""


class Lab(Protocol):
    """The three machines and the links between them."""

    @property
    def backend(self) -> str:
        """The name of the backend, for people."""

    @property
    def slack(self) -> float:
        """By how much this backend is slower than plain processes: deadlines are multiplied by it."""

    @property
    def outlives(self) -> bool:
        """Whether its machines run on when nobody holds it any more."""

    @property
    def machines(self) -> Mapping[str, Machine]:
        """The machines by name, in order."""

    @property
    def desk(self) -> Place:
        """The presenter's own computer; it has all programs of the lab, and no link lies between it and a machine."""

    def any_address(self, port: int) -> tuple[str, int]:
        """Host and port at which the presenter reaches that balanced port on whichever machine serves it.

        Raises LabError if the port is not balanced.
        """

    def steer(self, port: int, ready: Sequence[str]) -> None:
        """Say which machines serve that balanced port well: new connections go there, and those to others are closed.

        Where none is ready or can be reached, connections go to any that listens. It may be said again and again.
        Raises LabError if the port is not balanced.
        """

    def provide(self, programs: Mapping[str, Path]) -> None:
        """Give the machines and the desk these executables by name, in place of what they had; what runs goes on.

        A name may have a slash, such as "etcd-3.6/etcd": another version, which is run by that name only.
        """

    def link(self, source: str, target: str) -> Link:
        """The link between two different machines."""

    @property
    def links(self) -> Sequence[Link]: ...

    def lacks(self, ability: Ability) -> str:
        """Why this lab can't do that, in one line with what to do about it; "" if it can."""

    @property
    def backups(self) -> str:
        """A directory of the presenter that outlives every machine."""

    async def up(self) -> None:
        """Make every machine exist and run. Raises LabError with what to do if a port is taken or the disk is full."""

    async def down(self) -> None:
        """Halt every machine; disks stay."""

    async def leave(self) -> None:
        """Let go of the lab because nobody watches it any more: links heal, and what can't outlive us is halted."""

    def narrate(self, tell: Narrator, complain: Narrator) -> None:
        """Have `tell` hear what the backend says while it works, where that takes long.

        `complain` hears of each failure that nobody waits for, once.
        """

    async def reset(self) -> None:
        """Bring the lab to three running machines with empty disks and open links, whatever state it is in.

        The desk is emptied too, and what ran there has ended; backups stay.
        """

    async def left_behind(self) -> str:
        """What an earlier run left on disk, in words; "" if there is nothing to resume."""
