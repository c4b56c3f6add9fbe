"""A machine that is busy: contact with it may be lost in the middle of something."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest
from support.remote_ssh import NEEDS_AGENT, RemoteMachine, contact_to, machine_at, slow_line, until_upload
from support.switch_fake import FakeSwitch

from rwk_tui.lab.host.powers import Powers
from rwk_tui.lab.protocol import MachineDown
from rwk_tui.lab.remote.engines import Engines
from rwk_tui.lab.remote.ground import Ground
from rwk_tui.lab.remote.host import RemoteHost
from rwk_tui.lab.remote.known import Known
from rwk_tui.lab.remote.logins import Logins
from rwk_tui.lab.remote.pins import Pins
from rwk_tui.lab.remote.upload import ContactLost
from rwk_tui.settings import Timeouts

pytestmark = [NEEDS_AGENT, pytest.mark.process]

SIZE = 1_500_000


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[RemoteMachine]:
    async with machine_at(tmp_path / "machine") as machine:
        yield machine


@pytest.fixture
async def host(machine: RemoteMachine, tmp_path: Path) -> AsyncIterator[RemoteHost]:
    """Believed to be up, at the other end of a line of 1 MB/s."""

    async def greet() -> None: ...

    switch = FakeSwitch(machine.directory / "key")
    ground = Ground(
        switch=switch,
        powers=Powers(tmp_path / "machines.json"),
        pins=Pins(tmp_path / "known_hosts"),
        known=Known(tmp_path / "units.json"),
        logins=Logins(tmp_path / "logins.json", switch),
        engines=Engines({}),
        timeouts=Timeouts(),
        slack=1.0,
        changed=lambda: None,
    )
    async with slow_line(machine.port, rate=1_000_000) as port:
        host = RemoteHost(ground, "core-02", greet, lambda: None)
        host.contact = contact_to(machine, port=port, alive=1.0)
        host.believe("up")
        yield host
        await host.contact.close()


@pytest.fixture
async def uploading(host: RemoteHost, tmp_path: Path) -> asyncio.Task[None]:
    program = tmp_path / "program"
    program.write_bytes(os.urandom(SIZE))
    checksum = sha256(program.read_bytes()).hexdigest()
    return asyncio.create_task(host.upload(program, "engines/program", checksum))


def lose_contact(machine: RemoteMachine) -> None:
    for connection in machine.connections:
        connection.abort()
    machine.connections.clear()


async def test_an_upload_is_done_again_when_contact_is_lost_in_the_middle(
    machine: RemoteMachine, uploading: asyncio.Task[None]
) -> None:
    for uploads in (1, 2):
        await until_upload(machine, uploads)
        lose_contact(machine)
    await uploading
    assert [(file.name, file.stat().st_size) for file in (machine.root / "engines").iterdir()] == [("program", SIZE)]


async def test_it_is_not_done_again_for_ever(machine: RemoteMachine, uploading: asyncio.Task[None]) -> None:
    for uploads in (1, 2, 3):
        await until_upload(machine, uploads)
        lose_contact(machine)
    with pytest.raises(ContactLost, match="program can't be installed on core-02: core-02 closed the SSH connection"):
        await uploading


async def test_it_is_not_done_again_on_a_machine_that_is_switched_off(
    machine: RemoteMachine, host: RemoteHost, uploading: asyncio.Task[None]
) -> None:
    await until_upload(machine, uploads=1)
    host.believe("off")
    lose_contact(machine)
    with pytest.raises(MachineDown, match="core-02 is without power, nothing runs there"):
        await uploading
