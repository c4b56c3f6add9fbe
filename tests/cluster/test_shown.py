"""Which certificate a port shows, read from a real handshake."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from support.story_fakes import StageLab, StageMachine

from rwk_tui.cluster import roles
from rwk_tui.cluster.certificates import Identity
from rwk_tui.cluster.pki import Pki
from rwk_tui.cluster.shown import ShownOp, all_shown, shown
from rwk_tui.cluster.site import Site
from rwk_tui.lab.protocol import LabError

pytestmark = pytest.mark.process

HOSTS = ("127.0.0.1", "localhost")


class Reached(StageMachine):
    """A machine whose ports are all one server's."""

    port = 0

    async def reach(self, port: int) -> tuple[str, int]:
        return "127.0.0.1", self.port


@asynccontextmanager
async def serving(pki: Pki | None) -> AsyncIterator[int]:
    """The port of a server that shows that authority's certificate and asks for one, or speaks plain text."""

    def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\r\n")
        writer.close()

    context = None
    if pki is not None:
        pair = pki.issue("etcd", "member", Identity("core-01", hosts=HOSTS, usage="both"))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(pki.authority("etcd").cert))
        context.load_cert_chain(pair.cert, pair.key)
        context.verify_mode = ssl.CERT_REQUIRED
    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki(tmp_path / "pki")


async def test_what_is_shown_is_what_the_next_connection_gets(pki: Pki) -> None:
    machine, access = Reached("core-01", "10.0.0.1"), roles.access(pki, roles.PRESENTER)
    began = time.time()
    async with serving(pki) as machine.port:
        seen = await shown(machine, 2379, access, 3.0)
    pair = pki.issue("etcd", "member", Identity("core-01", hosts=HOSTS, usage="both"))
    certificate = x509.load_pem_x509_certificate(pair.cert.read_bytes())
    assert (seen.name, seen.serial, seen.ends) == (
        "core-01",
        certificate.serial_number,
        certificate.not_valid_after_utc,
    )
    assert began - 2 < seen.made <= time.time(), "certificates are dated early, which must not show"


async def test_a_port_that_shows_nothing_of_ours_is_one_line(pki: Pki, tmp_path: Path) -> None:
    machine, access = Reached("core-01", "10.0.0.1"), roles.access(pki, roles.PRESENTER)
    async with serving(Pki(tmp_path / "another")) as machine.port:
        with pytest.raises(LabError, match="core-01:2379 shows no certificate of ours: CERTIFICATE_VERIFY_FAILED"):
            await shown(machine, 2379, access, 3.0)
    async with serving(None) as machine.port:
        with pytest.raises(LabError, match="core-01:2380 shows no certificate of ours: "):
            await shown(machine, 2380, access, 3.0)
    with pytest.raises(LabError, match="core-01:2380 shows no certificate of ours: "):
        await shown(machine, 2380, access, 3.0)


async def test_a_port_that_never_answers_is_given_up(pki: Pki) -> None:
    machine, access = Reached("core-01", "10.0.0.1"), roles.access(pki, roles.PRESENTER)
    held: list[asyncio.StreamWriter] = []
    async with await asyncio.start_server(lambda _reader, writer: held.append(writer), "127.0.0.1", 0) as server:
        machine.port = server.sockets[0].getsockname()[1]
        with pytest.raises(LabError, match=r"core-01:2379 shows nothing within 0.1 s"):
            await shown(machine, 2379, access, 0.1)
        for writer in held:
            writer.close()


async def test_every_port_is_told_of(pki: Pki) -> None:
    site = Site(StageLab(), pki)
    machine = Reached("core-01", "10.0.0.1")
    with pytest.raises(LabError, match="nobody has made certificates for etcd yet"):
        await all_shown(machine, site)
    roles.access(pki, roles.PRESENTER)
    told: list[str] = []
    async with serving(pki) as machine.port:
        result = await ShownOp((machine,), site).run(lambda _stream, text: told.append(text))
    assert result.stdout == "\n".join(told)
    assert [line.split("  ")[0].strip() for line in told] == ["core-01:2379 to clients", "core-01:2380 to peers"]
