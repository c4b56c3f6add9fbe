"""A front end's side of the socket; it starts the daemon where there is none.

Its imports are light: a cockpit imports it before its first frame.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Literal

from msgspec import structs

from rwk_tui import __version__
from rwk_tui.board.frames import PROTOCOL
from rwk_tui.board.source import CommandRefused
from rwk_tui.daemon.places import last_words
from rwk_tui.daemon.protocol import (
    LINE_LIMIT,
    AnyCommand,
    Bye,
    FromDaemon,
    Hello,
    Reply,
    Shell,
    TerminalOf,
    Welcome,
)
from rwk_tui.daemon.spawn import DaemonError, Spawned, start_daemon
from rwk_tui.daemon.wire import NotUnderstood, decode_greeting, decode_message, encode
from rwk_tui.settings import Settings, check_socket

__all__ = ["CommandRefused", "DaemonClient", "DaemonError"]

CONNECT_WITHIN = 20.0
"""Seconds to get hold of a daemon, one that is still halting a lab included."""
KNOCK = 0.02
"""Seconds between two tries at the socket."""


class DaemonClient:
    """A connection to the daemon: iterate it for what it says, call it with commands.

    The last message is a Bye, also when the daemon went without a word. Answers to commands are not iterated. `started`
    says whether connecting has started the daemon.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, welcome: Welcome) -> None:
        self.welcome = welcome
        self.started = False
        self._reader = reader
        self._writer = writer
        self._spawned: Spawned | None = None
        self._messages: asyncio.Queue[FromDaemon | None] = asyncio.Queue()
        self._replies: dict[int, asyncio.Future[Reply]] = {}
        self._terminals: dict[int, TerminalOf] = {}
        self._last_id = 0
        self._over = ""
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def connect(
        cls,
        settings: Settings,
        *,
        role: Literal["driver", "viewer"] = "driver",
        attend: Literal["cockpit", "headless", "none"] = "none",
        start: bool = False,
        refusals: bool = False,
    ) -> DaemonClient:
        """Get hold of the daemon. Raises DaemonError in one line; BadInput if the socket can't have its path."""
        check_socket(settings)
        hello = Hello(version=__version__, role=role, attend=attend, refusals=refusals)
        attempt = _Attempt(settings, start)
        try:
            reader, writer, welcome = await attempt.connect(hello)
        except BaseException:
            # Whoever gives up (Ctrl-C, too) leaves no daemon behind that nobody has asked for.
            if attempt.spawned is not None:
                await attempt.spawned.end()
            raise
        client = cls(reader, writer, welcome)
        client.started = attempt.spawned is not None and attempt.spawned.pid == welcome.pid
        if client.started:
            client._spawned = attempt.spawned
        elif attempt.spawned is not None:
            # Another front end was quicker: ours waits for a lock that it must not get when that lab ends.
            await attempt.spawned.end()
        elsewhere = settings.tape is not None and str(settings.tape) not in (welcome.wished, welcome.tape)
        if start and not client.started and elsewhere:
            await client.close()
            records = f"is recorded to {welcome.tape}" if welcome.tape else "is not recorded"
            raise DaemonError(
                f"a lab runs already and {records}, so {settings.tape} can't be its tape: a tape begins with its lab; "
                "halt that one first (`rwk-tui down`), or leave --tape (RWK_TAPE) out"
            )
        return client

    def __aiter__(self) -> AsyncIterator[FromDaemon]:
        return self

    async def __anext__(self) -> FromDaemon:
        message = await self._messages.get()
        if message is None:
            self._messages.put_nowait(None)
            raise StopAsyncIteration
        return message

    async def call(self, command: AnyCommand) -> None:
        """Give a command and wait until it is taken. Raises CommandRefused, or DaemonError if the daemon is gone."""
        await self.ask(command)

    async def ask(self, command: AnyCommand) -> Reply:
        """The same, with the reply. `command.id` is overwritten."""
        if self._over:
            raise DaemonError(self._over)
        self._last_id += 1
        id = self._last_id
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._replies[id] = future
        try:
            self._writer.write(encode(structs.replace(command, id=id)))
            reply = await future
        finally:
            self._replies.pop(id, None)
        if reply.error:
            raise CommandRefused(reply.error)
        return reply

    async def terminal(self, machine: str) -> TerminalOf:
        """What to run here for a shell on that machine. Raises CommandRefused, DaemonError."""
        reply = await self.ask(Shell(machine=machine))
        found = self._terminals.pop(reply.id, None)
        if found is None:
            raise DaemonError("the daemon does not say how to get a shell there")
        return found

    async def close(self) -> None:
        """Let go of the daemon; harmless when it is gone."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
        self._end(Bye(reason="the connection was closed"))
        if self._spawned is not None:
            self._spawned.forget()

    async def gone(self, within: float) -> bool:
        """Wait at most `within` seconds for the end of the daemon that this client started; True if none is left."""
        return self._spawned is None or await self._spawned.ended(within)

    async def _read(self) -> None:
        try:
            while True:
                message = decode_message(await self._reader.readuntil(b"\n"))
                if isinstance(message, Bye):
                    self._end(message)
                    return
                if isinstance(message, TerminalOf):
                    if message.id in self._replies:  # whoever gave up waiting needs it no more
                        self._terminals[message.id] = message
                elif not isinstance(message, Reply):
                    self._messages.put_nowait(message)
                elif (waiting := self._replies.get(message.id)) is not None and not waiting.done():
                    waiting.set_result(message)
        except (OSError, asyncio.IncompleteReadError):
            words = f"the daemon (pid {self.welcome.pid}) is gone without a word"
        except (NotUnderstood, asyncio.LimitOverrunError) as error:
            words = f"the daemon says what can't be understood: {error}"
        self._end(Bye(reason=words, again=True))

    def _end(self, bye: Bye) -> None:
        if self._over:
            return
        self._over = bye.reason
        self._messages.put_nowait(bye)
        self._messages.put_nowait(None)
        for waiting in self._replies.values():
            if not waiting.done():
                waiting.set_exception(DaemonError(bye.reason))


class _Attempt:
    """One try to get hold of a daemon; `spawned` is the one it started."""

    def __init__(self, settings: Settings, start: bool) -> None:
        self._settings = settings
        self._start = start
        self._until = time.monotonic() + CONNECT_WITHIN
        self.spawned: Spawned | None = None

    async def connect(self, hello: Hello) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, Welcome]:
        """Knock until somebody answers. Raises DaemonError."""
        while True:
            saw = "nobody listens on its socket"
            try:
                reader, writer = await asyncio.open_unix_connection(self._settings.socket, limit=LINE_LIMIT)
            except (FileNotFoundError, ConnectionRefusedError):
                self._nobody()
            except OSError as error:
                raise DaemonError(f"{self._settings.socket}: {error.strerror or error}") from None
            else:
                started = self.spawned.pid if self.spawned else 0
                answer = await _greet(reader, writer, structs.replace(hello, started=started), self._until)
                if isinstance(answer, Welcome):
                    return reader, writer, answer
                writer.close()
                if not (answer.again and self._start):
                    raise DaemonError(answer.reason)
                saw = answer.reason
            if time.monotonic() > self._until:
                words = last_words(self._settings, self.spawned.log_from if self.spawned else 0)
                log = f"; its log ends with: {words}" if words else ""
                raise DaemonError(f"no daemon answered within {CONNECT_WITHIN:g} s: {saw}{log}")
            await asyncio.sleep(KNOCK)

    def _nobody(self) -> None:
        if not self._start:
            raise DaemonError(f"no lab is running in {self._settings.state}")
        if self.spawned is None:
            self.spawned = start_daemon(self._settings)
        self.spawned.check()


async def _greet(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hello: Hello, until: float
) -> Welcome | Bye:
    """Say hello and read the answer. Raises DaemonError if that is no daemon of this protocol."""
    try:
        async with asyncio.timeout(max(0.5, until - time.monotonic())):
            writer.write(encode(hello))
            line = await reader.readuntil(b"\n")
        greeting = decode_greeting(line)
        if greeting.t == "welcome" and greeting.protocol != PROTOCOL:
            writer.close()
            raise DaemonError(
                f"the lab is held by rwk-tui {greeting.version}, protocol {greeting.protocol}, and this is "
                f"{__version__}, protocol {PROTOCOL}: use the same version, or end it first"
            )
        message = decode_message(line)
        if isinstance(message, Welcome | Bye):
            return message
        what = f"began with {type(message).__name__}"
    except TimeoutError:  # an OSError, too
        writer.close()
        raise DaemonError("whoever listens on the socket does not answer: a daemon that is stopped or stuck?") from None
    except (OSError, asyncio.IncompleteReadError):
        return Bye(reason="the daemon hung up", again=True)
    except (NotUnderstood, asyncio.LimitOverrunError) as error:
        what = f"said {error}"
    writer.close()
    raise DaemonError(f"what listens on the socket is no rwk-tui daemon: it {what}")
