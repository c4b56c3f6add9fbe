"""The way to a machine: what can go wrong on it, in words, and how it is found again."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncssh
import psutil
import pytest
from support.lab import eventually
from support.remote_ssh import (
    NEEDS_AGENT,
    USER,
    RemoteMachine,
    contact_to,
    machine_at,
    private,
    quick,
    slow_line,
    until_upload,
)

from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote.agent import Agent
from rwk_tui.lab.remote.contact import Contact
from rwk_tui.lab.remote.login import Login
from rwk_tui.lab.remote.pins import Pins
from rwk_tui.lab.remote.trouble import NeedsHelp

pytestmark = [NEEDS_AGENT, pytest.mark.process]


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[RemoteMachine]:
    async with machine_at(tmp_path / "machine") as machine:
        yield machine


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def changes() -> list[str]:
    return []


@pytest.fixture
async def contact(machine: RemoteMachine, complaints: list[str], changes: list[str]) -> AsyncIterator[Contact]:
    made = contact_to(machine, changed=lambda: changes.append(made.why), complain=complaints.append)
    yield made
    await made.close()


async def until_it_sleeps(machine: RemoteMachine) -> None:
    """The command that the agent was asked for runs, and dies with it from now on."""

    async def sleeps() -> bool:
        try:
            children = psutil.Process(machine.agents[-1].pid).children(recursive=True)
            return any(child.name() == "sleep" for child in children)
        except psutil.NoSuchProcess:
            return False

    await eventually(sleeps, what="the command")


async def until_connected(contact: Contact, but: Agent | None = None) -> Agent:
    async def connected() -> bool:
        return contact.agent_now not in (None, but)

    await eventually(connected, what="contact")
    assert contact.agent_now is not None
    return contact.agent_now


async def until_lost(contact: Contact) -> None:
    async def lost() -> bool:
        return contact.agent_now is None

    await eventually(lost, what="the loss of contact to be noticed")


async def as_login(contact: Contact, machine: RemoteMachine, login: Login) -> Contact:
    async def other() -> Login:
        return login

    return Contact("core-02", other, Pins(machine.directory / "pins"), lambda: None, print, patience=quick())


async def test_contact_is_made_when_it_is_wanted_and_is_one(contact: Contact, changes: list[str]) -> None:
    assert contact.agent_now is None
    assert contact.why
    first, second = await asyncio.gather(contact.agent(), contact.agent())
    assert first is second
    assert await contact.agent() is first
    assert changes == [""] == [contact.why]
    assert abs(first.offset) < 1


async def test_a_key_is_taken_once_and_no_other_is_trusted(
    machine: RemoteMachine, contact: Contact, changes: list[str], tmp_path: Path
) -> None:
    await contact.agent()
    pins = Pins(tmp_path / "known_hosts")
    assert private(pins.file)
    assert pins.of("core-02") == (machine.host_keys[0].export_public_key("openssh").decode().strip(),)
    for other in ("ssh-ed25519", "ecdsa-sha2-nistp256"):  # of the same kind, and of another one
        await contact.rest()
        await machine.halt()
        machine.host_keys = [asyncssh.generate_private_key(other)]
        await machine.boot()
        with pytest.raises(NeedsHelp, match=f"core-02 .* another host key than before.*remove the line .*{pins.file}"):
            await contact.wait_up(30)
        assert "another host key" in contact.why
    pins.forget("core-02")
    await contact.agent()
    await contact.rest()
    await contact.agent()


async def test_a_key_that_can_not_be_kept_leaves_no_connection(
    machine: RemoteMachine, contact: Contact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise LabError("can't write the host keys: No space left on device")

    monkeypatch.setattr(Pins, "take", full)
    with pytest.raises(LabError, match="No space left"):
        await contact.agent()
    (server,) = machine.connections

    async def hung_up() -> bool:
        return server.is_closed()

    await eventually(hung_up, what="the end of the connection")


async def test_a_host_key_that_is_known_beforehand_counts(
    machine: RemoteMachine, contact: Contact, tmp_path: Path
) -> None:
    machine.host_keys.append(asyncssh.generate_private_key("ecdsa-sha2-nistp256"))
    await machine.halt()
    await machine.boot()
    known = machine.host_keys[1].export_public_key("openssh").decode()
    right = await as_login(
        contact, machine, Login("127.0.0.1", machine.port, USER, (tmp_path / "machine/key",), (known,))
    )
    await right.agent()
    await right.close()
    assert not (machine.directory / "pins").exists()
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode()
    wrong = await as_login(
        contact, machine, Login("127.0.0.1", machine.port, USER, (tmp_path / "machine/key",), (stranger,))
    )
    with pytest.raises(NeedsHelp, match="than the one it is known by"):
        await wrong.agent()


async def test_a_key_that_is_refused_is_named(machine: RemoteMachine, contact: Contact, tmp_path: Path) -> None:
    key = tmp_path / "stranger"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(key)
    stranger = await as_login(contact, machine, Login("127.0.0.1", machine.port, USER, (key,)))
    with pytest.raises(LabError, match=f"core-02 .*refuses our key .user {USER}, keys {key}"):
        await stranger.agent()


async def test_keys_that_do_not_exist_are_named(
    machine: RemoteMachine, contact: Contact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home" / ".ssh"  # what lies in the user's home is nobody's business
    home.mkdir(parents=True)
    machine.key.write_private_key(home / "id_ed25519")
    monkeypatch.setenv("HOME", str(home.parent))
    nobody = await as_login(contact, machine, Login("127.0.0.1", machine.port, USER, (tmp_path / "a", tmp_path / "b")))
    with pytest.raises(NeedsHelp, match=f"no key to log in to core-02 with .{tmp_path}/a, {tmp_path}/b"):
        await nobody.agent()
    assert machine.connections == []


async def test_a_key_that_is_no_key_is_named(machine: RemoteMachine, contact: Contact, tmp_path: Path) -> None:
    key = tmp_path / "rubbish"
    key.write_text("no key")
    other = await as_login(contact, machine, Login("127.0.0.1", machine.port, USER, (key,)))
    with pytest.raises(NeedsHelp, match="key for core-02 can't be used"):
        await other.agent()


async def test_where_nothing_listens_it_is_said_at_once(machine: RemoteMachine, contact: Contact) -> None:
    await machine.halt()
    begun = time.monotonic()
    with pytest.raises(LabError, match=f"core-02 refuses connections on SSH .127.0.0.1:{machine.port}"):
        await contact.agent()
    assert time.monotonic() - begun < 1
    assert "core-02 refuses" in contact.why


async def test_a_machine_that_never_answers_is_given_up(contact: Contact, machine: RemoteMachine) -> None:
    await machine.halt()
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", machine.port, reuse_address=True)
    async with server:
        with pytest.raises(LabError, match=f"core-02 does not answer on SSH .127.0.0.1:{machine.port}. for 1 s"):
            await contact.agent(10)
        with pytest.raises(LabError, match="core-02 is not there within 0.2 s"):
            await contact.agent(0.2)
        await contact.rest()


@pytest.mark.parametrize(
    ("code", "said", "words"),
    [
        (127, "sh: 1: python3: not found", r"core-02 has no python3: install it"),
        (1, "sudo: python3: command not found", r"core-02 has no python3: install it"),
        (1, "ModuleNotFoundError: No module named 'json'", "no standard library .*apt install python3"),
        (127, "sh: 1: sudo: not found", "core-02 has no sudo"),
        (1, "sudo: a password is required", "sudo on core-02 asks for a password: let .* NOPASSWD"),
    ],
)
async def test_what_a_machine_lacks_is_said(
    machine: RemoteMachine, contact: Contact, code: int, said: str, words: str
) -> None:
    machine.refuse = code, said
    with pytest.raises(NeedsHelp, match=words):
        await contact.wait_up(30)
    machine.refuse = None
    await contact.agent()


async def test_an_agent_that_breaks_is_quoted(machine: RemoteMachine, contact: Contact) -> None:
    machine.refuse = 1, "Traceback\nMemoryError"
    with pytest.raises(LabError, match=r"the agent on core-02 does not start .exit code 1.: MemoryError"):
        await contact.agent()


async def test_a_login_that_can_not_be_had_is_the_reason(machine: RemoteMachine, contact: Contact) -> None:
    async def none() -> Login:
        raise LabError("core-02 does not exist")

    other = Contact("core-02", none, Pins(machine.directory / "pins"), lambda: None, print)
    with pytest.raises(LabError, match="core-02 does not exist"):
        await other.agent()
    assert other.why == "core-02 does not exist"


async def test_waiting_for_a_machine_that_boots(machine: RemoteMachine, contact: Contact) -> None:
    await machine.halt()
    waiting = asyncio.create_task(contact.wait_up(20))
    await asyncio.sleep(0.5)  # it is refused once or twice
    assert not waiting.done()
    await machine.boot()
    assert (await (await waiting).exec("echo", "here")).out == "here\n"
    await machine.halt()
    await until_lost(contact)
    with pytest.raises(LabError, match="no contact with core-02 within 1 s: core-02 refuses"):
        await contact.wait_up(1)


async def test_contact_that_is_kept_comes_back(machine: RemoteMachine, contact: Contact, changes: list[str]) -> None:
    contact.keep()
    contact.keep()
    agent = await until_connected(contact)
    begun = time.monotonic()
    await machine.halt()
    await until_lost(contact)
    assert time.monotonic() - begun < 5, "a machine that shuts down is noticed at once"
    with pytest.raises(LabError, match="core-02 closed the SSH connection"):
        await agent.exec("true")
    await machine.boot()
    assert await until_connected(contact, but=agent) is not agent
    assert changes[0] == "" == changes[-1]
    assert any("core-02" in change for change in changes)


async def test_a_machine_without_power_is_noticed(machine: RemoteMachine, contact: Contact) -> None:
    agent = await contact.agent()
    asking = asyncio.create_task(agent.exec("sleep", "300", within=300))
    await until_it_sleeps(machine)
    machine.freeze()
    begun = time.monotonic()
    await until_lost(contact)
    assert time.monotonic() - begun < 4.5 * quick().alive + 3
    with pytest.raises(LabError, match="core-02 does not answer on SSH"):
        await asking
    assert "does not answer on SSH" in contact.why


async def test_an_agent_that_is_killed_comes_back(machine: RemoteMachine, contact: Contact) -> None:
    contact.keep()
    agent = await until_connected(contact)
    waiting = asyncio.create_task(agent.exec("sleep", "300", within=300))
    await until_it_sleeps(machine)
    machine.agents[-1].kill()
    with pytest.raises(LabError, match="the agent on core-02 ended .killed"):
        await waiting
    assert await until_connected(contact, but=agent) is not agent


async def test_rest_hangs_up_and_stays_so(machine: RemoteMachine, contact: Contact, changes: list[str]) -> None:
    contact.keep()
    await until_connected(contact)
    await contact.rest()
    assert contact.agent_now is None
    before = list(changes)

    async def agent_ended() -> bool:
        return machine.agents[-1].returncode is not None

    await eventually(agent_ended, what="the agent's end")
    await asyncio.sleep(0.7)  # longer than the pause before a new attempt
    assert len(machine.agents) == 1
    assert changes == before
    await contact.rest()
    await contact.agent()


async def test_rest_ends_an_attempt(machine: RemoteMachine, contact: Contact) -> None:
    await machine.halt()
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", machine.port, reuse_address=True)
    async with server:
        waiting = asyncio.create_task(contact.agent(10))
        await asyncio.sleep(0.2)
        await contact.rest()
        with pytest.raises(LabError, match="we hung up on core-02"):
            await waiting


async def test_a_name_that_leads_nowhere_is_told(machine: RemoteMachine, contact: Contact) -> None:
    nowhere = await as_login(contact, machine, Login("core-02.invalid", 22, USER, (machine.directory / "key",)))
    with pytest.raises(LabError, match=r"core-02 can't be reached over SSH .core-02.invalid:22."):
        await nowhere.agent(20)


async def test_who_is_called_first_gets_the_agent_before_anybody_else(contact: Contact) -> None:
    seen: list[object] = []

    async def greet(agent: Agent) -> None:
        assert contact.agent_now is None
        seen.append((await agent.exec("echo", "first")).out)

    contact.on_connect = greet
    await contact.agent()
    assert seen == ["first\n"]


async def test_what_can_not_be_applied_is_complained_about(contact: Contact, complaints: list[str]) -> None:
    async def greet(_: Agent) -> None:
        raise LabError("core-02 has no nft")

    contact.on_connect = greet
    assert await contact.agent() is contact.agent_now
    assert complaints == ["core-02 has no nft"]


async def test_a_clock_that_is_off_is_complained_about_once(
    machine: RemoteMachine, contact: Contact, complaints: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ahead:
        @staticmethod
        def time() -> float:
            return time.time() + 37

    monkeypatch.setattr("rwk_tui.lab.remote.agent.time", Ahead)
    agent = await contact.agent()
    assert abs(agent.offset + 37) < 1
    assert len(complaints) == 1
    assert complaints[0].startswith("core-02's clock is 37 s behind yours")


async def test_an_address_that_the_machine_lacks_is_complained_about(
    machine: RemoteMachine, complaints: list[str]
) -> None:
    async def complained() -> bool:
        return bool(complaints)

    for address in ("127.0.0.1", "203.0.113.7"):
        arguments = (*machine.arguments, "--address", address)
        pins = Pins(machine.directory / "pins")
        contact = Contact(
            "core-02", machine.login, pins, lambda: None, complaints.append, arguments=arguments, patience=quick()
        )
        agent = await contact.agent()
        assert (await agent.instead(0) is None) == (address == "127.0.0.1")
        if address != "127.0.0.1":
            await eventually(complained, what="the complaint")
        await contact.close()
    assert len(complaints) == 1
    assert re.match("core-02 has no address 203.0.113.7, (only|nor any other).* in the hosts file", complaints[0])


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1000):
        writer.write(data.upper())
    writer.write(b"end")
    writer.close()


async def ask(host: str, port: int, words: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(words)
        writer.write_eof()
        return await asyncio.wait_for(reader.read(), 5)
    except OSError:
        return b""
    finally:
        writer.close()


async def test_a_port_of_the_machine_is_reached_whenever_there_is_contact(
    machine: RemoteMachine, contact: Contact
) -> None:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        where = await contact.forward(port)
        assert await ask(*where, b"too early") == b""
        await contact.agent()
        assert await ask(*where, b"hello") == b"HELLOend"
        reader, writer = await asyncio.open_connection(*where)
        writer.write(b"open")
        assert await reader.readexactly(4) == b"OPEN"
        await machine.halt()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(1), 3)
        writer.close()
        await until_lost(contact)
        assert await ask(*where, b"gone") == b""
        await machine.boot()
        await contact.agent()
        assert await contact.forward(port) == where
        assert await ask(*where, b"again") == b"AGAINend"
    assert await ask(*where, b"nobody listens there") == b""
    await contact.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*where)


async def test_a_program_is_installed_once_it_is_known_to_be_right(
    machine: RemoteMachine, contact: Contact, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"#!/bin/sh\necho hello\n" + os.urandom(3_000_000))
    checksum = hashlib.sha256(program.read_bytes()).hexdigest()
    path = machine.root / "engines" / checksum / "program"
    await contact.upload(program, f"engines/{checksum}/program", checksum)
    assert path.read_bytes() == program.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o755
    await contact.upload(program, str(path), checksum)  # over what is there
    with pytest.raises(LabError, match="program can't be installed on core-02: it arrived with another checksum"):
        await contact.upload(program, str(path), "0" * 64)
    assert [file.name for file in path.parent.iterdir()] == ["program"]
    with pytest.raises(LabError, match="No such file"):
        await contact.upload(tmp_path / "nothing", str(path), checksum)
    (machine.root / "file").write_text("")
    with pytest.raises(LabError, match="Not a directory|File exists"):
        await contact.upload(program, "file/program", checksum)


async def test_contact_outlives_an_upload_over_a_slow_line(machine: RemoteMachine, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(os.urandom(1_500_000))
    checksum = hashlib.sha256(program.read_bytes()).hexdigest()
    reasons: list[str] = []
    async with slow_line(machine.port, rate=400_000) as port:
        way = contact_to(machine, changed=lambda: reasons.append(way.why), port=port, alive=0.5)
        await way.upload(program, "engines/program", checksum)
        assert reasons == [""]
        await way.close()


async def test_a_program_that_shrinks_on_its_way_is_not_waited_for(
    machine: RemoteMachine, contact: Contact, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    with program.open("wb") as file:
        file.truncate(2**30)
    uploading = asyncio.create_task(contact.upload(program, "engines/x/program", "0" * 64))
    await until_upload(machine, 1)
    os.truncate(program, 0)
    with pytest.raises(LabError, match="program can't be installed on core-02: the connection was lost"):
        await uploading


async def test_an_upload_that_is_cut_off_leaves_nothing(
    machine: RemoteMachine, contact: Contact, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    with program.open("wb") as file:
        file.truncate(2 * 2**30)
    uploading = asyncio.create_task(contact.upload(program, "engines/x/program", "0" * 64))

    async def under_way() -> bool:
        return any((machine.root / "engines" / "x").glob(".program*"))

    await eventually(under_way, what="the upload to begin")
    uploading.cancel()
    await asyncio.gather(uploading, return_exceptions=True)

    async def clean() -> bool:
        return not list((machine.root / "engines" / "x").iterdir())

    await eventually(clean, what="what was left half done to go")
    again = asyncio.create_task(contact.upload(program, "engines/x/program", "0" * 64))
    await eventually(under_way, what="the upload to begin")
    await machine.halt()
    with pytest.raises(LabError, match="program can't be installed on core-02"):
        await again
