"""An SSH server on loopback that stands for a machine: it runs the real agent, without root and without systemd."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import math
import os
import shlex
import signal
import stat
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest
from support.lab import eventually

from rwk_tui.lab.remote.agent import Agent
from rwk_tui.lab.remote.boot import NAME
from rwk_tui.lab.remote.connection import Patience
from rwk_tui.lab.remote.contact import Contact
from rwk_tui.lab.remote.login import Login
from rwk_tui.lab.remote.pins import Pins

USER = getpass.getuser()
NEEDS_AGENT = pytest.mark.skipif(sys.platform != "linux", reason="machines run Linux, and so does their agent")

SYSTEMCTL = """#!/usr/bin/env python3
# Answers `systemctl show` from the file beside it, counts how often it is asked, and does nothing else.
import json, pathlib, sys
here = pathlib.Path(__file__).parent
with open(here / "asked", "a") as asked:
    print(*sys.argv[1:], file=asked)
if sys.argv[1] == "show":
    units = json.loads((here / "units.json").read_text())
    names = sys.argv[sys.argv.index("--") + 1 :]
    blocks = [{"Id": name, **units.get(name, {})} for name in names]
    print("\\n\\n".join("\\n".join(f"{key}={value}" for key, value in block.items()) for block in blocks))
"""


class _Server(asyncssh.SSHServer):
    def __init__(self, machine: RemoteMachine) -> None:
        self._machine = machine

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._machine.connections.append(conn)

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == USER and key == self._machine.key.convert_to_public()

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        return True


class RemoteMachine:
    """A machine that is a directory and an SSH server; `answer` may stand in for what a command would do."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.root, self.units, self.bin = directory / "rwk", directory / "system", directory / "bin"
        for made in (self.root, self.units, self.bin):
            made.mkdir(parents=True, mode=0o700)
        systemctl = self.bin / "systemctl"
        systemctl.write_text(SYSTEMCTL)
        systemctl.chmod(0o755)
        (self.bin / "units.json").write_text("{}")
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self.key.write_private_key(directory / "key")
        self.host_keys = [asyncssh.generate_private_key("ssh-ed25519")]
        self.connections: list[asyncssh.SSHServerConnection] = []
        self.agents: list[asyncio.subprocess.Process] = []
        self.refuse: tuple[int, str] | None = None
        self.path = os.environ["PATH"]
        self.port = 0
        self._listener: asyncssh.SSHAcceptor | None = None

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("--root", str(self.root), "--units", str(self.units))

    async def login(self) -> Login:
        return Login("127.0.0.1", self.port, USER, (self.directory / "missing", self.directory / "key"))

    async def boot(self) -> None:
        """Listen, at the port that it had before if it had one."""
        self._listener = await asyncssh.listen(
            "127.0.0.1",
            self.port,
            server_factory=lambda: _Server(self),
            server_host_keys=self.host_keys,
            process_factory=self._command,
            encoding=None,
            reuse_address=True,
        )
        self.port = self._listener.get_port()

    async def halt(self) -> None:
        """End everything, as a machine that shuts down does."""
        if self._listener is not None:
            self._listener.close()
            await self._listener.wait_closed()
            self._listener = None
        for connection in self.connections:
            connection.abort()
        self.connections.clear()
        for agent in self.agents:
            with contextlib.suppress(ProcessLookupError):
                agent.kill()

            async def ended(agent: asyncio.subprocess.Process = agent) -> bool:
                return agent.returncode is not None

            await eventually(ended, what="an agent's end")  # wait() would wait for pipes that nobody reads any more

    def freeze(self) -> None:
        """Answer nothing any more, as after a power cut: connections stay, and nobody reads."""
        for connection in self.connections:
            connection._transport.pause_reading()  # type: ignore[union-attr]

    def asked(self) -> list[str]:
        """What systemctl was called with so far."""
        file = self.bin / "asked"
        return file.read_text().splitlines() if file.exists() else []

    async def _command(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        argv = shlex.split(process.command or "")
        assert argv[-1] == NAME, "only the agent is ever run"
        if self.refuse is not None:
            code, said = self.refuse
            process.stderr.write(said.encode() + b"\n")
            process.exit(code)
            return
        argv[: argv.index("python3") + 1] = [sys.executable]  # without sudo
        child = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PATH": f"{self.bin}:{self.path}"},
        )
        self.agents.append(child)
        try:
            feeding = asyncio.create_task(_feed(process.stdin, child))
            assert child.stdout is not None and child.stderr is not None
            await asyncio.gather(_pass_on(child.stdout, process.stdout), _pass_on(child.stderr, process.stderr))
            code = await child.wait()
            feeding.cancel()
            if code < 0:
                process.exit_with_signal(signal.Signals(-code).name[3:])
            else:
                process.exit(code)
        finally:
            if child.returncode is None:
                child.kill()


async def _feed(source: asyncssh.SSHReader[bytes], child: asyncio.subprocess.Process) -> None:
    assert child.stdin is not None
    with contextlib.suppress(OSError, asyncssh.Error):
        while data := await source.read(64 * 1024):
            child.stdin.write(data)
            await child.stdin.drain()
    child.stdin.close()


async def _pass_on(source: asyncio.StreamReader, target: asyncssh.SSHWriter[bytes]) -> None:
    with contextlib.suppress(OSError, asyncssh.Error):
        while data := await source.read(64 * 1024):
            target.write(data)
            await target.drain()


@contextlib.asynccontextmanager
async def slow_line(port: int, rate: int) -> AsyncIterator[int]:
    """A port that leads to that one on loopback; what is sent there arrives at `rate` bytes a second."""

    async def carry(source: asyncio.StreamReader, target: asyncio.StreamWriter, rate: float) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(4096):
                await asyncio.sleep(len(data) / rate)
                target.write(data)
                await target.drain()
        target.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(carry(reader, back, rate), carry(there, writer, math.inf))

    async with await asyncio.start_server(accept, "127.0.0.1", 0, limit=4096) as line:
        yield line.sockets[0].getsockname()[1]


def quick() -> Patience:
    """Little patience: everything is on this computer."""
    return Patience(reach=1.0, login=10.0, agent=10.0, alive=0.3, address=0.3)


async def until_upload(machine: RemoteMachine, uploads: int) -> None:
    """That one is under way: each has an agent of its own, besides that of the connection."""

    async def under_way() -> bool:
        return len(machine.agents) == 2 * uploads and any((machine.root / "engines").rglob(".program*"))

    await eventually(under_way, what="the upload to begin")


@contextlib.asynccontextmanager
async def machine_at(directory: Path) -> AsyncIterator[RemoteMachine]:
    """A machine that is up."""
    machine = RemoteMachine(directory)
    await machine.boot()
    try:
        yield machine
    finally:
        await machine.halt()


def private(path: Path) -> bool:
    """Whether nobody else may read or write it."""
    return not stat.S_IMODE(path.stat().st_mode) & 0o077


def contact_to(
    machine: RemoteMachine,
    *,
    changed: Callable[[], None] = lambda: None,
    complain: Callable[[str], None] = lambda _: None,
    port: int = 0,
    alive: float = 0.3,
) -> Contact:
    """The way to it, through another port than its own if that is said."""

    async def login() -> Login:
        return replace(await machine.login(), port=port or machine.port)

    pins = Pins(machine.directory.parent / "known_hosts")
    patience = replace(quick(), alive=alive)
    return Contact("core-02", login, pins, changed, complain, arguments=machine.arguments, patience=patience)


@contextlib.asynccontextmanager
async def agent_of(machine: RemoteMachine) -> AsyncIterator[Agent]:
    """The agent that runs there."""
    contact = contact_to(machine)
    try:
        yield await contact.agent(10)
    finally:
        await contact.close()
