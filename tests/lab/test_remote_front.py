"""The presenter's balancer, against small servers at addresses of loopback."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from support.lab import eventually

from rwk_tui.lab.host.address import Address
from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote import balancer
from rwk_tui.lab.remote.front import Front, front_place

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="needs all of 127.0.0.0/8"), pytest.mark.process]
NAMES = ("core-01", "core-02", "core-03")


@pytest.fixture
def place(subnet: int) -> Address:
    return Address(f"127.0.{subnet}.100", 6443)


@pytest.fixture
def at(subnet: int) -> Callable[[str], str]:
    return lambda name: f"127.0.{subnet}.{101 + NAMES.index(name)}"


@contextlib.asynccontextmanager
async def serving(name: str, host: str) -> AsyncIterator[None]:
    """A server that says its name and then echoes until it is told the end, as several API servers would."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            writer.write(f"{name}\n".encode())
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            writer.write(b"over")
        writer.close()

    server = await asyncio.start_server(answer, host, 6443)
    try:
        yield
    finally:
        server.close()


@pytest.fixture
async def front(place: Address, at: Callable[[str], str]) -> AsyncIterator[Front]:
    front = Front(lambda: {name: at(name) for name in NAMES}, place)
    await front.open()
    await front.open()
    try:
        yield front
    finally:
        await front.close()


async def who(place: Address) -> str:
    """Who answers a dial, "" if nobody does."""
    try:
        reader, writer = await asyncio.open_connection(place.host, place.port)
        try:
            return (await reader.readline()).decode().strip()
        finally:
            writer.close()
    except OSError:
        return ""


async def test_dials_take_turns_among_those_that_are_ready(front: Front, at: Callable[[str], str]) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for name in NAMES:
            await stack.enter_async_context(serving(name, at(name)))
        front.steer(["core-02", "core-03"])
        assert [await who(front.address) for _ in range(4)] == ["core-02", "core-03"] * 2
        front.steer(["core-02", "core-03"])
        assert await who(front.address) == "core-02", "the same word again changes nothing, not even whose turn it is"


async def test_one_that_is_gone_or_silent_is_passed_over(front: Front, at: Callable[[str], str]) -> None:
    front.steer(["core-01", "core-02"])
    assert await who(front.address) == ""
    with socket.socket() as silent:  # it is full, so that the kernel answers no dial
        silent.bind((at("core-01"), 6443))
        silent.listen(0)
        with socket.create_connection((at("core-01"), 6443)):
            async with serving("core-03", at("core-03")):
                started = asyncio.get_running_loop().time()
                assert await who(front.address) == "core-03"
                assert asyncio.get_running_loop().time() - started < balancer.DIAL_WITHIN + 3


async def test_bytes_pass_in_both_directions_and_each_may_end_first(front: Front, at: Callable[[str], str]) -> None:
    async with serving("core-01", at("core-01")):
        reader, writer = await asyncio.open_connection(front.address.host, front.address.port)
        much = bytes(range(256)) * 40_000  # more than buffers hold

        async def send() -> None:
            writer.write(much)
            await writer.drain()
            writer.write_eof()

        sending = asyncio.create_task(send())
        assert await reader.readline() == b"core-01\n"
        assert await asyncio.wait_for(reader.read(), 20) == much + b"over"
        await sending
        writer.close()


class Wire(asyncio.Transport):
    """A transport that keeps what it is to send."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += bytes(data)

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


def test_what_was_read_before_a_server_was_found_is_sent_once() -> None:
    dialled, found = Wire(), Wire()
    client, server = balancer.End(lambda _client: None), balancer.End()
    client.connection_made(dialled)
    client.data_received(b"early, ")
    server.connection_made(found)
    server.data_received(b"a greeting, ")
    client.join(server)
    client.data_received(b"late")
    server.data_received(b"an answer")
    assert (found.sent, dialled.sent) == (b"early, late", b"a greeting, an answer")


async def test_a_connection_moves_only_when_a_better_one_can_be_had(front: Front, at: Callable[[str], str]) -> None:
    async with serving("core-01", at("core-01")):
        front.steer(["core-01"])
        reader, writer = await asyncio.open_connection(front.address.host, front.address.port)
        await reader.readline()

        async def echoed() -> None:
            writer.write(b"x")
            assert await asyncio.wait_for(reader.readexactly(1), 5) == b"x"

        front.steer(["core-02"])  # nobody serves there
        await settled(front)
        await echoed()
        front.steer([])
        async with serving("core-02", at("core-02")):
            front.steer(["core-02", "core-01"])
            await settled(front)
            await echoed()
            front.steer(["core-02"])
            with contextlib.suppress(ConnectionError):
                assert await asyncio.wait_for(reader.read(), 5) == b""
            assert await who(front.address) == "core-02"
        writer.close()


async def settled(front: Front) -> None:
    async def idle() -> bool:
        return not front._balancer._tasks

    await eventually(idle)


async def test_closing_breaks_what_is_open_and_refuses_the_rest(front: Front, at: Callable[[str], str]) -> None:
    async with serving("core-01", at("core-01")):
        reader, writer = await asyncio.open_connection(front.address.host, front.address.port)
        await reader.readline()
        await front.close()
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        assert await who(front.address) == ""
        writer.close()


async def test_a_taken_address_is_told_with_who_has_it(place: Address) -> None:
    with socket.create_server((place.host, place.port)):
        front = Front(dict, place)
        with pytest.raises(LabError, match=f"{place} is taken by .*; end it"):
            await front.open()


def test_its_place_is_an_address_of_its_own_or_a_port_that_is_kept(tmp_path: Path) -> None:
    kept = tmp_path / "lab" / "port"
    assert front_place(8, kept, "linux") == Address("127.0.8.100", 6443)
    elsewhere = front_place(8, kept, "darwin")
    assert elsewhere.host == "127.0.0.1" and front_place(8, kept, "darwin") == elsewhere
    kept.write_text("nonsense")
    assert front_place(8, kept, "darwin").port > 0
