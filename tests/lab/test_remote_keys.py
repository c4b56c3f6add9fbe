"""Keys with a passphrase: nobody is asked for it here, so a real ssh-agent has to know them."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest
from support.lab import eventually
from support.remote_ssh import NEEDS_AGENT, USER, RemoteMachine, machine_at, quick
from support.tools import unavailable

from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote import keys
from rwk_tui.lab.remote.contact import Contact
from rwk_tui.lab.remote.login import Login
from rwk_tui.lab.remote.pins import Pins
from rwk_tui.lab.remote.terminal import terminal
from rwk_tui.lab.remote.trouble import NeedsHelp

pytestmark = [NEEDS_AGENT, pytest.mark.process]


@pytest.fixture
async def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RemoteMachine]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    async with machine_at(tmp_path / "machine") as machine:
        yield machine


@pytest.fixture
def locked(machine: RemoteMachine, tmp_path: Path) -> Path:
    """The key that the machine knows, as a file with a passphrase."""
    key = tmp_path / "locked"
    machine.key.write_private_key(key, "pkcs8-pem", passphrase="secret")
    return key


@pytest.fixture
async def ssh_agent(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[asyncssh.SSHAgentClient]:
    """An agent of the user's without any key."""
    if shutil.which("ssh-agent") is None:
        unavailable("there is no ssh-agent on PATH")
    directory = tempfile.mkdtemp()  # a socket's path must be short
    socket = Path(directory) / "agent"
    process = await asyncio.create_subprocess_exec("ssh-agent", "-D", "-a", str(socket), stdout=asyncio.subprocess.PIPE)
    try:

        async def listens() -> bool:
            return socket.exists()

        await eventually(listens, what="the agent to listen")
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        async with asyncssh.connect_agent(str(socket)) as client:
            yield client
    finally:
        process.terminate()
        await process.wait()
        shutil.rmtree(directory)


@contextlib.asynccontextmanager
async def contact_by(machine: RemoteMachine, *files: Path, agent: bool = False) -> AsyncIterator[Contact]:
    async def login() -> Login:
        return Login("127.0.0.1", machine.port, USER, files, agent=agent)

    pins = Pins(machine.directory / "pins")
    contact = Contact("core-02", login, pins, lambda: None, print, arguments=machine.arguments, patience=quick())
    try:
        yield contact
    finally:
        await contact.close()


@pytest.mark.parametrize("usual", [True, False], ids=["the usual one", "a named one"])
async def test_a_locked_key_is_used_by_way_of_the_agent(
    usual: bool, machine: RemoteMachine, locked: Path, ssh_agent: asyncssh.SSHAgentClient
) -> None:
    await ssh_agent.add_keys([machine.key])
    async with contact_by(machine, locked, agent=usual) as contact:
        await contact.agent(10)


async def test_of_the_agents_keys_only_the_named_one_is_tried(
    machine: RemoteMachine, locked: Path, ssh_agent: asyncssh.SSHAgentClient
) -> None:
    await ssh_agent.add_keys([machine.key])
    stranger = asyncssh.generate_private_key("ssh-ed25519")
    public = Path(f"{locked}.pub")
    stranger.write_public_key(public)
    async with contact_by(machine, locked) as contact:
        with pytest.raises(LabError, match="refuses our key"):
            await contact.agent(10)
        machine.key.write_public_key(public)
        await contact.agent(10)


async def test_a_locked_key_does_not_stand_in_the_way_of_another(machine: RemoteMachine, locked: Path) -> None:
    async with contact_by(machine, locked, machine.directory / "key", agent=True) as contact:
        await contact.agent(10)


async def test_without_an_agent_it_is_said_what_to_do(machine: RemoteMachine, locked: Path) -> None:
    async with contact_by(machine, locked, agent=True) as contact:
        with pytest.raises(NeedsHelp, match=f"core-02: the key {locked} has a passphrase and no ssh-agent runs: start"):
            await contact.agent(10)
    assert machine.connections == []


async def test_a_key_that_the_agent_was_not_told_is_named(
    machine: RemoteMachine, locked: Path, ssh_agent: asyncssh.SSHAgentClient
) -> None:
    async with contact_by(machine, locked, agent=True) as contact:
        with pytest.raises(LabError, match=f"refuses our key .*; the key {locked} has a passphrase: `ssh-add` it$"):
            await contact.agent(10)


def test_which_keys_are_locked(machine: RemoteMachine, locked: Path, tmp_path: Path) -> None:
    (tmp_path / "rubbish").write_text("no key")
    files = [locked, machine.directory / "key", tmp_path / "rubbish", tmp_path / "missing"]
    assert [keys.is_locked(file) for file in files] == [True, False, False, False]


def test_a_shell_asks_the_agent_for_a_locked_key_and_no_other(
    machine: RemoteMachine, locked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    login = Login("10.0.0.11", 22, "me", (locked,))
    made = terminal("core-01", login, machine.directory / "known", {})
    assert "IdentitiesOnly=yes" in made.argv and "IdentityAgent=none" not in made.argv
    assert f'IdentityFile="{locked}"' in made.argv
    assert dict(made.environment)["SSH_AUTH_SOCK"] == "/run/agent"
    plain = terminal("core-01", replace(login, keys=(machine.directory / "key",)), machine.directory / "known", {})
    assert "IdentityAgent=none" in plain.argv and "SSH_AUTH_SOCK" not in dict(plain.environment)
