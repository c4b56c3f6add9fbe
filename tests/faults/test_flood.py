"""The crowd that floods the API: how it reads answers, counts them and asks in bursts; and what it is let in with."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from rwk_tui.cluster import roles
from rwk_tui.cluster.certificates import Identity
from rwk_tui.cluster.pki import Pki
from rwk_tui.faults import flood, overload

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n2;x=y\r\n!!\r\n0\r\n\r\n"
REFUSED = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 3\r\n\r\nno\n"


async def answered(*answers: bytes) -> list[str]:
    """What is read of these answers, one after another on one connection."""
    reader = asyncio.StreamReader()
    reader.feed_data(b"".join(answers))
    reader.feed_eof()

    class Sink:
        def write(self, data: bytes) -> None:
            return None

        async def drain(self) -> None:
            return None

    return [await flood.ask((reader, Sink()), b"") for _ in answers]  # type: ignore[arg-type]


async def test_answers_are_read_to_their_ends() -> None:
    assert await answered(PLAIN, CHUNKED, REFUSED, PLAIN) == ["200", "200", "429", "200"]


async def test_an_answer_that_breaks_off_is_an_error() -> None:
    with pytest.raises(EOFError):
        await answered(PLAIN[:-2])


@asynccontextmanager
async def api(pki: Pki, seats: int) -> AsyncIterator[tuple[str, int]]:
    """A server that asks for certificates, and turns away whoever comes while `seats` are taken."""
    taken = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                if taken >= seats:
                    writer.write(REFUSED)
                    continue
                taken += 1
                await asyncio.sleep(0.05)
                writer.write(PLAIN)
                taken -= 1
        except (EOFError, ConnectionError):
            pass
        finally:
            writer.close()

    pair = pki.issue("kubernetes", "server", Identity("kube-apiserver", hosts=(flood.SERVER_NAME,), usage="server"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(pki.authority("kubernetes").cert))
    context.load_cert_chain(pair.cert, pair.key)
    context.verify_mode = ssl.CERT_REQUIRED
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()
    finally:
        server.close()
        await server.wait_closed()


async def lines_of(argv: tuple[str, ...], number: int) -> list[str]:
    """The first lines that a command prints; it is ended then."""
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            return [(await process.stdout.readline()).decode() for _ in range(number)]
    finally:
        process.kill()
        await process.wait()


@pytest.mark.process
async def test_the_crowd_comes_in_bursts_and_counts_who_was_turned_away(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    access = roles.access(pki, overload.CROWD)
    async with api(pki, seats=3) as (host, port):
        counts = overload.tally(await lines_of(overload.command(host, port, access), 2))
    assert counts.keys() == {"200", "429"}
    assert counts["429"] > 2 * counts["200"] > 0, counts


@pytest.mark.process
async def test_where_nobody_listens_the_crowd_counts_that_and_stays(tmp_path: Path) -> None:
    access = roles.access(Pki(tmp_path), overload.CROWD)
    lines = await lines_of(overload.command("127.0.0.1", 1, access), 2)
    assert [set(json.loads(line)) for line in lines] == [{"failed"}, {"failed"}]


def test_what_else_the_commands_of_a_fault_print_is_not_counted() -> None:
    lines = ['{"200": 3, "429": 7}', "flowschema.flowcontrol.apiserver.k8s.io/rwk-crowd created", "[]", '{"429": 1}']
    assert overload.tally(lines) == Counter({"429": 8, "200": 3})


def test_the_crowd_is_one_user_who_is_not_exempt_and_has_few_seats_that_nobody_lends_it() -> None:
    assert overload.CROWD.identity == Identity("rwk-crowd")
    level, flow, rights = overload.limits()
    assert level["spec"]["limited"] == {
        "nominalConcurrencyShares": 1,
        "lendablePercent": 0,
        "borrowingLimitPercent": 0,
        "limitResponse": {"type": "Reject"},
    }
    assert flow["spec"]["priorityLevelConfiguration"]["name"] == level["metadata"]["name"]
    assert flow["spec"]["rules"][0]["subjects"] == [{"kind": "User", "user": {"name": "rwk-crowd"}}]
    assert rights["roleRef"]["name"] == "view"
