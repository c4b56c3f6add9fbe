"""Where frames come from and commands go: the daemon, a tape or a fake, all alike to the cockpit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Literal, Protocol, runtime_checkable

from rwk_tui.cockpit.text import clean
from rwk_tui.daemon.protocol import AnyCommand, FromDaemon, TerminalOf
from rwk_tui.settings import Settings
from rwk_tui.tape.player import Player, Position


class Source(Protocol):
    """A stream of messages that takes commands."""

    def __aiter__(self) -> AsyncIterator[FromDaemon]: ...

    async def call(self, command: AnyCommand) -> None:
        """Send a command; raises an exception with one line for people if it is refused."""

    async def close(self) -> None:
        """End the conversation."""


@runtime_checkable
class Terminals(Protocol):
    """What a source with machines behind it has besides."""

    async def terminal(self, machine: str) -> TerminalOf:
        """What to run for a shell there; raises an exception with one line for people if there can't be one."""


class Replay(Protocol):
    """What a source that can be wound has besides."""

    @property
    def position(self) -> Position: ...

    def now(self) -> float:
        """The time of the run that is shown (unix, s)."""

    def wind(self, move: Callable[[Player], None]) -> None:
        """Let a key do something to the player."""


Connect = Callable[[bool], Awaitable[Source]]
"""Opens a source; the flag says whether to start a daemon when there is none. Raises with one line for people."""


def to_daemon(settings: Settings) -> Connect:
    """Connects to the lab's daemon as its driver."""

    async def connect(start: bool) -> Source:
        from rwk_tui.daemon.client import DaemonClient  # Not needed before the first frame is on the screen.

        return await DaemonClient.connect(settings, role="driver", attend="cockpit", start=start)

    return connect


def to_running(settings: Settings, *, read_only: bool) -> Connect:
    """Connects to a lab that runs already, as one who drives it or only looks, and whose going matters to nobody."""

    async def connect(start: bool) -> Source:
        from rwk_tui.daemon.client import DaemonClient

        role: Literal["driver", "viewer"] = "viewer" if read_only else "driver"
        return await DaemonClient.connect(settings, role=role, refusals=True)

    return connect


def first_then(first: Source, connect: Connect) -> Connect:
    """Gives a source that is open already, and then opens others."""
    left = [first]

    async def give(start: bool) -> Source:
        return left.pop() if left else await connect(start)

    return give


def to_fixed(source: Source) -> Connect:
    """Gives one source that exists already, such as a tape."""

    async def connect(start: bool) -> Source:
        return source

    return connect


def one_line(error: BaseException) -> str:
    """An exception in one line for people."""
    text = clean(" ".join(str(error).split()))
    return text or type(error).__name__
