"""Which certificates a member's ports show to whoever connects now."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509

from rwk_tui.cluster.access import Access
from rwk_tui.cluster.certificates import EARLY
from rwk_tui.cluster.etcd import CLIENT_PORT, PEER_PORT
from rwk_tui.cluster.ops import OpResult, Tell
from rwk_tui.cluster.site import Site
from rwk_tui.lab.protocol import LabError, Machine

PORTS = {CLIENT_PORT: "clients", PEER_PORT: "peers"}
WITHIN = 3.0
"""Seconds that a port may take to show its certificate, to be multiplied by the backend's slack."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate as a port showed it: whom it names, its serial number, and when it was made (unix, s) and ends."""

    name: str
    serial: int
    made: float
    ends: datetime.datetime


async def shown(machine: Machine, port: int, access: Access, within: float) -> Shown:
    """Connect to that port and read what it shows; LabError if it shows nothing that our authority vouches for."""
    host, number = await machine.reach(port)
    try:
        context = await asyncio.to_thread(_context, access)
        async with asyncio.timeout(within):
            _, writer = await asyncio.open_connection(host, number, ssl=context)
    except TimeoutError:
        raise LabError(f"{machine.name}:{port} shows nothing within {within:g} s") from None
    except (OSError, ssl.SSLError) as error:
        raise LabError(f"{machine.name}:{port} shows no certificate of ours: {_reason(error)}") from error
    try:
        encoded = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.transport.abort()  # a server that wants more from us must not keep us
    return _read(encoded)


@dataclass(frozen=True, slots=True)
class ShownOp:
    """Tell for each port of these members which certificate it shows."""

    of: tuple[Machine, ...]
    site: Site

    @property
    def machine(self) -> str:
        return ""

    async def resolve(self) -> None:
        await self.site.look()

    def command(self) -> str:
        return f"# which certificates {', '.join(machine.name for machine in self.of)} show to new connections"

    async def run(self, tell: Tell) -> OpResult:
        lines = []
        for machine in self.of:
            for port, certificate in (await all_shown(machine, self.site)).items():
                lines.append(_line(machine, port, certificate))
                tell("out", lines[-1])
        return OpResult(0, "\n".join(lines))


async def all_shown(machine: Machine, site: Site) -> dict[int, Shown]:
    """What each port of that machine's member shows. Raises LabError."""
    access = site.etcd_access()
    if access is None:
        raise LabError("nobody has made certificates for etcd yet")
    within = WITHIN * site.lab.slack
    return {port: await shown(machine, port, access, within) for port in PORTS}


def _context(access: Access) -> ssl.SSLContext:
    context = access.context()
    context.check_hostname = False  # the presenter may come by a forwarded port
    return context


def _read(encoded: bytes) -> Shown:
    found = x509.load_der_x509_certificate(encoded)
    names: Sequence[x509.NameAttribute[str | bytes]] = list(found.subject)
    made = found.not_valid_before_utc + EARLY
    return Shown(
        str(names[-1].value) if names else "", found.serial_number, made.timestamp(), found.not_valid_after_utc
    )


def _line(machine: Machine, port: int, certificate: Shown) -> str:
    made = datetime.datetime.fromtimestamp(certificate.made, datetime.UTC).astimezone().strftime("%H:%M:%S")
    serial = f"{certificate.serial:x}"[:8]
    whom = f"{machine.name}:{port} to {PORTS[port]}"
    return f"{whom:24} serial {serial}…  made {made}  good until {certificate.ends:%Y-%m-%d}"


def _reason(error: OSError) -> str:
    return error.reason if isinstance(error, ssl.SSLError) and error.reason else error.strerror or str(error)
