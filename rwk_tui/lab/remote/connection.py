"""One SSH connection to a machine with the agent at its other end, from the first packet to the last."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import asyncssh

from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote import boot, trouble
from rwk_tui.lab.remote.agent import Agent
from rwk_tui.lab.remote.keys import Keys, has_agent, unlock
from rwk_tui.lab.remote.login import Login
from rwk_tui.lab.remote.pins import Pins
from rwk_tui.lab.remote.wire import Wire


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds until a machine is given up: until SSH answers at all, until we are in, until the agent runs.

    `alive` is the time between two looks at a quiet connection; three that go unanswered end it. `address` is how long
    a machine may lack the address that it is said to have.
    """

    reach: float = 4.0
    login: float = 30.0
    agent: float = 30.0
    alive: float = 1.0
    address: float = 10.0


class Connection:
    """A connection that is up, until `lost` is done; then `why` says in one line why."""

    def __init__(self, machine: str, login: Login, patience: Patience) -> None:
        self.machine = machine
        self.login = login
        self.why = ""
        self.lost = asyncio.Event()
        self.wire = Wire(machine, self._write)
        self.agent = Agent(self.wire)
        self._patience = patience
        self._ssh: asyncssh.SSHClientConnection | None = None
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None

    @property
    def ssh(self) -> asyncssh.SSHClientConnection:
        """The connection itself, for further channels. Raises LabError if it is lost."""
        if self._ssh is None or self.lost.is_set():
            raise LabError(self.why or f"{self.machine} is not connected")
        return self._ssh

    async def open(self, pins: Pins, argv: Sequence[str]) -> None:
        """Log in and start the agent with these arguments. Raises LabError, NeedsHelp where waiting does not help."""
        try:
            await self._log_in(pins)
            await self._start_agent(argv)
        except BaseException as error:
            self.close(str(error))
            raise

    def close(self, why: str) -> None:
        """End it; whoever waits for the agent hears why."""
        self._lose(why)
        if self._ssh is not None:
            self._ssh.abort()

    def _lose(self, why: str) -> None:
        if not self.lost.is_set():
            self.why = why
            self.lost.set()
            self.wire.lose(why)

    def _write(self, data: bytes) -> None:
        if self._channel is not None:
            with contextlib.suppress(BrokenPipeError):  # it is closing, and its end says why
                self._channel.write(data)

    async def _log_in(self, pins: Pins) -> None:
        keys = Keys.of(self.login)
        ask_agent = self.login.agent or bool(keys.locked)
        if not keys.open and not ask_agent:
            names = ", ".join(str(key) for key in self.login.keys) or "none is configured"
            raise trouble.NeedsHelp(f"there is no key to log in to {self.machine} with ({names})")
        if not keys.open and keys.locked and not has_agent():
            raise trouble.NeedsHelp(f"can't log in to {self.machine}: {unlock(keys.locked)}")
        known = self.login.host_keys or pins.of(self.machine)
        client = _Client(self._connection_lost, first_contact=not known)
        try:
            options = asyncssh.SSHClientConnectionOptions(
                username=self.login.user,
                client_keys=[str(key) for key in (*keys.open, *keys.locked)] or (),
                ignore_encrypted=True,
                agent_path=() if ask_agent else None,
                agent_identities=keys.identities(self.login),
                agent_forwarding=False,
                config=None,
                preferred_auth="publickey",
                known_hosts=([asyncssh.import_public_key(key) for key in known], [], []),
                client_factory=lambda: client,
                keepalive_interval=self._patience.alive,
                keepalive_count_max=3,
                compression_algs=None,
            )
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, OSError, ValueError) as error:
            raise trouble.NeedsHelp(f"a key for {self.machine} can't be used: {error}") from error
        dialling = asyncio.create_task(_dial(self.login, options))
        try:
            await self._wait_for(dialling, client)
            self._ssh = dialling.result()
        except (OSError, asyncssh.Error, ValueError) as error:
            raise trouble.no_login(self.machine, self.login, error, pins, keys.locked) from error
        except BaseException:
            dialling.cancel()
            client.abort()
            raise
        if client.shown is not None:
            pins.take(self.machine, client.shown.export_public_key("openssh").decode())

    async def _wait_for(self, dialling: asyncio.Task[asyncssh.SSHClientConnection], client: _Client) -> None:
        """Until it is done; LabError if it takes longer than each part of it may."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while not (await asyncio.wait({dialling}, timeout=0.1))[0]:
            took = loop.time() - begun
            if took > self._patience.reach and not client.answers:
                raise LabError(f"{self.machine} does not answer on SSH ({self.login}) for {self._patience.reach:g} s")
            if took > self._patience.login:
                raise LabError(f"{self.machine} ({self.login}) does not let us in for {self._patience.login:g} s")

    async def _start_agent(self, argv: Sequence[str]) -> None:
        session = _Session(self.wire, self._agent_lost)
        try:
            self._channel, _ = await self.ssh.create_session(
                lambda: session, boot.command(self.login.user), encoding=None, send_env=None, env=()
            )
            self._write(boot.first_words(argv))
            async with asyncio.timeout(self._patience.agent):
                await asyncio.wait({self.wire.ready, session.ended}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            raise LabError(f"the agent on {self.machine} does not start within {self._patience.agent:g} s") from None
        except (OSError, asyncssh.Error) as error:
            raise LabError(f"{self.machine} ({self.login}) takes no commands: {error}") from error
        if not self.wire.ready.done() or self.wire.ready.exception() is not None:
            if self._ssh is not None and session.code is None and not session.said:
                raise LabError(self.why)
            raise trouble.no_agent(self.machine, self.login.user, session.code, session.said)
        session.started = True

    def _agent_lost(self, how: str) -> None:
        self._lose(f"the agent on {self.machine} ended ({how})")
        if self._ssh is not None:
            self._ssh.abort()

    def _connection_lost(self, error: Exception | None) -> None:
        if isinstance(error, asyncssh.ConnectionLost) and "keepalive" in str(error):
            silent = 4 * self._patience.alive
            self._lose(f"{self.machine} does not answer on SSH ({self.login}) for {silent:g} s")
            if self._ssh is not None:
                self._ssh.abort()
        else:
            self._lose(f"{self.machine} closed the SSH connection ({self.login})")


class _Client(asyncssh.SSHClient):
    """Hears of the connection's beginning, its host key if that is wanted, and its end."""

    def __init__(self, lost: Callable[[Exception | None], None], *, first_contact: bool) -> None:
        self._lost = lost
        self._first_contact = first_contact
        self._connection: asyncssh.SSHClientConnection | None = None
        self.shown: asyncssh.SSHKey | None = None

    @property
    def answers(self) -> bool:
        """Whether an SSH server is at the other end."""
        return self._connection is not None and bool(self._connection.get_extra_info("server_version"))

    def abort(self) -> None:
        """Give up."""
        if self._connection is not None:
            self._connection.abort()

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self._connection = conn

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Only keys that nobody knows come here: on first contact any will do."""
        if self._first_contact:
            self.shown = key
        return self._first_contact

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost(exc)


class _Session(asyncssh.SSHClientSession[bytes]):
    """The agent's end of the channel: its stdout goes to the wire, its stderr is kept for when it ends."""

    def __init__(self, wire: Wire, lost: Callable[[str], None]) -> None:
        self._wire = wire
        self._lost = lost
        self.code: int | None = None
        self.said = ""
        self.started = False
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        if datatype is not None:
            self.said = (self.said + data.decode(errors="replace"))[-4000:]
            return
        try:
            self._wire.feed(data)
        except ValueError:  # a shell's greeting on stdout, or a program that is no agent
            self.said += data[:200].decode(errors="replace")
            self._lost("it says something that no agent says")

    def exit_status_received(self, status: int) -> None:
        self.code = status

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)
        if self.started and exc is None:
            last = self.said.strip().splitlines()[-1:]
            how = last[0] if last else "killed" if self.code is None else f"exit code {self.code}"
            self._lost(how)


async def _dial(login: Login, options: asyncssh.SSHClientConnectionOptions) -> asyncssh.SSHClientConnection:
    return await asyncssh.connect(login.host, login.port, options=options)


async def closed(connection: Connection) -> None:
    """Until nothing of it is left in the event loop, for a second at most."""
    ssh = connection._ssh
    if ssh is not None:
        with contextlib.suppress(OSError, asyncssh.Error, TimeoutError):
            async with asyncio.timeout(1):
                await ssh.wait_closed()
