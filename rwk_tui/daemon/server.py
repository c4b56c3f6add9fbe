"""The daemon's socket: who may come in, what is taken for a command, and frames for everybody."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from typing import Protocol

from msgspec import structs

from rwk_tui import __version__
from rwk_tui.board.frames import PROTOCOL
from rwk_tui.board.source import CommandRefused
from rwk_tui.daemon.connection import Connection
from rwk_tui.daemon.lifetime import Lifetime
from rwk_tui.daemon.protocol import COMMAND_LIMIT, AnyCommand, Bye, Detach, Hello, Logs, Quit, Refused, Welcome
from rwk_tui.daemon.wire import NotUnderstood, decode_command, decode_greeting, encode
from rwk_tui.settings import Settings

log = logging.getLogger("rwk-tui")

HELLO_WITHIN = 5.0
"""Seconds that a client may take to say hello."""
CLIENTS = 64
"""Clients at once; more are turned away."""


class Stream(Protocol):
    """What the server needs of the daemon behind it."""

    @property
    def tape(self) -> str:
        """The file that all that is sent is recorded to, "" for none."""

    def flush(self) -> int:
        """Send what changed, if anything did, to every client; returns the number of the last frame sent."""

    def snapshot(self) -> bytes:
        """The whole board as a line."""

    async def do(self, command: AnyCommand, client: Connection) -> None:
        """Carry out a command. Raises CommandRefused."""


class Server:
    """Accepts clients on the settings' socket; a client's mistake ends that client and nothing else."""

    def __init__(self, settings: Settings, stream: Stream, lifetime: Lifetime) -> None:
        self._path = settings.socket
        self._wished = str(settings.tape or "")
        self._stream = stream
        self._lifetime = lifetime
        self._clients: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._ending = ""
        self._inode = 0
        self.greeted = asyncio.Event()
        """Set when the first client has been let in."""

    async def open(self) -> None:
        """Listen; whoever calls holds the state directory's lock, so a socket that is there is a dead one's."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        old = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._meet, path=self._path, limit=COMMAND_LIMIT)
        finally:
            os.umask(old)
        self._inode = self._path.stat().st_ino

    @property
    def reachable(self) -> bool:
        """Whether the socket is still where newcomers look for it."""
        try:
            return self._path.stat().st_ino == self._inode
        except OSError:
            return False

    def ending(self, reason: str) -> None:
        """Let nobody in any more: newcomers are told to try again in a moment."""
        self._ending = reason

    async def close(self, reason: str, *, halted: bool) -> None:
        """Say goodbye to all, and whether the lab was halted, and take the socket away."""
        self._ending = reason
        # The path goes first, so that whoever finds no socket may start a new daemon at once.
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        if self._server is not None:
            self._server.close()
        await asyncio.gather(*(client.close(reason, halted=halted) for client in list(self._clients)))

    def broadcast(self, line: bytes) -> None:
        """Send a line to every client."""
        for client in list(self._clients):
            client.send(line)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            hello = await self._hello(reader, writer)
            if hello is None:
                return
            client = Connection(reader, writer, hello)
            self._let_in(client)
            try:
                await self._serve(client, reader)
            finally:
                self._clients.discard(client)
                client.alive = False
                client.follow("", None, 0)
                self._lifetime.left(hello.attend, detached=client.detached)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # it went: that is every client's right
        finally:
            writer.close()

    def _let_in(self, client: Connection) -> None:
        # What is pending goes to the others before the snapshot is drawn: it is in there, and nobody sees it twice.
        self._stream.flush()
        self._lifetime.arrived(client.hello.attend)
        tape, wished = self._stream.tape, self._wished
        client.send(encode(Welcome(protocol=PROTOCOL, version=__version__, pid=os.getpid(), tape=tape, wished=wished)))
        client.send(self._stream.snapshot())
        self._clients.add(client)
        self.greeted.set()

    async def _hello(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Hello | None:
        again = False
        try:
            async with asyncio.timeout(HELLO_WITHIN):
                line = await reader.readuntil(b"\n")
            greeting = decode_greeting(line)
            if greeting.do != "hello":
                refusal = "the first line must be a hello"
            elif greeting.protocol != PROTOCOL:
                refusal = (
                    f"this lab is held by rwk-tui {__version__}, protocol {PROTOCOL}, and you are version "
                    f"{greeting.version or '?'}, protocol {greeting.protocol}: use the same version, or end it first"
                )
            elif self._ending:
                refusal, again = self._ending, True
            elif len(self._clients) >= CLIENTS:
                refusal = f"{CLIENTS} clients are here already"
            else:
                hello = decode_command(line)
                assert isinstance(hello, Hello)
                # A viewer may only look, so its going must not end the lab either; nor must the going of a command
                # that wanted a lab of its own and has found somebody else's.
                stranger = hello.attend == "headless" and hello.started != os.getpid()
                return structs.replace(hello, attend="none") if stranger or hello.role == "viewer" else hello
        except TimeoutError:
            refusal = f"no hello within {HELLO_WITHIN:g} s"
        except NotUnderstood as error:
            refusal = str(error)
        except asyncio.LimitOverrunError:
            refusal = f"a line of more than {COMMAND_LIMIT} bytes"
        writer.write(encode(Bye(reason=refusal, again=again)))
        if not again:
            log.info("turned a client away: %s", refusal)
        return None

    async def _serve(self, client: Connection, reader: asyncio.StreamReader) -> None:
        while client.alive:
            try:
                command = decode_command(await reader.readuntil(b"\n"))
            except asyncio.IncompleteReadError:
                return
            except (NotUnderstood, asyncio.LimitOverrunError) as error:
                long = isinstance(error, asyncio.LimitOverrunError)
                reason = f"a line of more than {COMMAND_LIMIT} bytes" if long else str(error)
                log.info("dropped a client: %s", reason)
                await client.close(reason)
                return
            if isinstance(command, Detach):
                client.detached = True
                client.reply(command.id)
                await client.close("detached, the lab runs on")
                return
            if isinstance(command, Quit) and client.hello.role == "driver":
                client.reply(command.id)
                self._lifetime.end("asked to quit", halt=command.halt)
            elif client.hello.role == "viewer" and not isinstance(command, Logs):
                client.reply(command.id, "a viewer may only look")
            elif not client.spawn(self._carry_out(command, client)):
                client.reply(command.id, "too many commands at once")
            await asyncio.sleep(0)  # lines that came together are read without waiting: let the others have their turn

    async def _carry_out(self, command: AnyCommand, client: Connection) -> None:
        error = ""
        try:
            await self._stream.do(command, client)
        except CommandRefused as refusal:
            error = str(refusal)
        except Exception as bug:
            # A mistake of ours in one command must not take the lab down; its origin goes to the log.
            log.exception("%s failed", type(command).__name__)
            error = f"it failed ({type(bug).__name__}: {bug}); the daemon's log says where"
        client.reply(command.id, error, self._stream.flush())
        if error:
            self._tell_refused(command, " ".join(error.split()), client)

    def _tell_refused(self, command: AnyCommand, error: str, asked: Connection) -> None:
        """Let those hear it who want to: a presenter in a second terminal sees what the first one was denied.

        Not what a log view is denied: no talk waits for that, and it is all that strangers who look may ask for.
        """
        if isinstance(command, Logs):
            return
        name = str(type(command).__struct_config__.tag)
        for client in list(self._clients):
            if client.hello.refusals and client is not asked:
                client.send(encode(Refused(command=name, error=error)))
