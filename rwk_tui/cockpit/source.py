"""Where frames come from and commands go: the daemon, a tape or a fake, all alike to the cockpit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from rwk_tui.cockpit.text import clean
from rwk_tui.daemon.protocol import AnyCommand, FromDaemon
from rwk_tui.settings import Settings


class Source(Protocol):
    """A stream of messages that takes commands."""

    def __aiter__(self) -> AsyncIterator[FromDaemon]: ...

    async def call(self, command: AnyCommand) -> None:
        """Send a command; raises an exception with one line for people if it is refused."""

    async def close(self) -> None:
        """End the conversation."""


Connect = Callable[[bool], Awaitable[Source]]
"""Opens a source; the flag says whether to start a daemon when there is none. Raises with one line for people."""


def to_daemon(settings: Settings) -> Connect:
    """Connects to the lab's daemon as its driver."""

    async def connect(start: bool) -> Source:
        from rwk_tui.daemon.client import DaemonClient  # Not needed before the first frame is on the screen.

        return await DaemonClient.connect(settings, role="driver", attend="cockpit", start=start)

    return connect


def to_fixed(source: Source) -> Connect:
    """Gives one source that exists already, such as a tape."""

    async def connect(start: bool) -> Source:
        return source

    return connect


def one_line(error: BaseException) -> str:
    """An exception in one line for people."""
    text = clean(" ".join(str(error).split()))
    return text or type(error).__name__
