"""The others in this machine's network, who must know at which Ethernet address it is."""

from __future__ import annotations

import fcntl
import socket
import struct
import time

SIOCGIFADDR, SIOCGIFHWADDR = 0x8915, 0x8927
ETHERNET = 1
ARP, IPV4, REQUEST = 0x0806, 0x0800, 1
EVERYBODY = b"\xff" * 6
LOOK_EVERY = 0.25


def announce(address: str) -> bool:
    """Tell the others where that address is now; False if none of this machine's Ethernet devices has it.

    A machine that was destroyed and made anew has another Ethernet address. Whoever knew the old one would go on
    sending there, and reach nobody for some ten seconds.
    """
    try:
        wanted = socket.inet_aton(address)
        found = _device(wanted)
        if found is None:
            return False
        device, hardware = found
        body = struct.pack("!HHBBH6s4s6s4s", ETHERNET, IPV4, 6, 4, REQUEST, hardware, wanted, bytes(6), wanted)
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as packets:
            packets.bind((device, 0))
            packets.send(EVERYBODY + hardware + struct.pack("!H", ARP) + body)
    except OSError:
        return False  # They find out by themselves, only later.
    return True


def instead_of(address: str, within: float) -> list[str] | None:
    """None as soon as this machine has that address; those that it has instead, if that takes longer (s).

    SSH may answer before all networks of a machine that boots are up.
    """
    until = time.monotonic() + within
    waited = False
    while not _has(address):
        if time.monotonic() >= until:
            return _addresses()
        waited = True
        time.sleep(LOOK_EVERY)
    if waited:
        announce(address)
    return None


def _has(address: str) -> bool:
    """Whether something here could listen there."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            any_socket.bind((address, 0))
    except OSError:
        return False
    return True


def _addresses() -> list[str]:
    """The first address of each device, without those where only the machine itself is."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for _, name in socket.if_nameindex():
            try:
                has = fcntl.ioctl(any_socket, SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))[20:24]
            except OSError:
                continue
            if not has.startswith(b"\x7f"):
                found.append(socket.inet_ntoa(has))
    return found


def _device(wanted: bytes) -> tuple[str, bytes] | None:
    """The Ethernet device with that address, and its own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for _, name in socket.if_nameindex():
            asked = struct.pack("256s", name.encode()[:15])
            try:
                has = fcntl.ioctl(any_socket, SIOCGIFADDR, asked)[20:24]
                kind, hardware = struct.unpack("H6s", fcntl.ioctl(any_socket, SIOCGIFHWADDR, asked)[16:24])
            except OSError:
                continue  # It has no address.
            if has == wanted and kind == ETHERNET:
                return name, hardware
    return None
