"""Where every port of every machine is found: the one place that computes an address or a port."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from rwk_tui.board.targets import MACHINES
from rwk_tui.lab.host.address import Address
from rwk_tui.lab.protocol import LabError
from rwk_tui.settings import Settings

USUAL_PORTS = (2379, 2380)
"""Ports that every lab needs sooner or later, so they are checked before anything starts."""

_SPAN = 1000
_SLOTS: Mapping[int, int] = MappingProxyType({12379: 779, 12380: 780})
"""Places in a range for ports that end like another one: a second etcd beside the first."""


class AddressPlan(Protocol):
    """Three faces for each port of each machine.

    The front is what other machines dial (a proxy listens there), the inside is the machine's network side behind that
    proxy, and localhost is what the machine keeps to itself.
    """

    def host(self, machine: str) -> str:
        """The address under which the other machines know the machine."""

    def front(self, machine: str, port: int) -> Address: ...

    def inside(self, machine: str, port: int) -> Address: ...

    def localhost(self, machine: str, port: int) -> Address: ...

    def desk(self, port: int) -> Address:
        """What the presenter dials for a balanced port, whichever machine serves it."""

    @property
    def way_out(self) -> str:
        """What to do where an address is taken by somebody else, as a command."""


@dataclass(frozen=True, slots=True)
class LoopbackPlan:
    """An address of 127.0.0.0/8 for each machine, standard ports: any Linux, where that whole net is loopback."""

    subnet: int

    def host(self, machine: str) -> str:
        return self._at(0, machine)

    def front(self, machine: str, port: int) -> Address:
        return Address(self._at(0, machine), port)

    def inside(self, machine: str, port: int) -> Address:
        return Address(self._at(2, machine), port)

    def localhost(self, machine: str, port: int) -> Address:
        return Address(self._at(1, machine), port)

    def desk(self, port: int) -> Address:
        return Address(f"127.0.{self.subnet}.100", port)

    @property
    def way_out(self) -> str:
        # Who listens on every address of this computer is in the way of every subnet.
        return 'set subnet to another number or addresses to "ports"'

    def _at(self, net: int, machine: str) -> str:
        return f"127.{net}.{self.subnet}.{101 + MACHINES.index(machine)}"


@dataclass(frozen=True, slots=True)
class PortsPlan:
    """One address and a range of ports for each machine and face, one more for the presenter: only 127.0.0.1 exists.

    The last three digits stay what they are where they can, so with base 21000 port 2379 of core-01 is at 21379, of
    core-02 at 22379.
    """

    base: int
    _taken: dict[int, int] = field(default_factory=dict, compare=False)

    def host(self, machine: str) -> str:
        return "127.0.0.1"

    def front(self, machine: str, port: int) -> Address:
        return self._at(0, machine, port)

    def inside(self, machine: str, port: int) -> Address:
        return self._at(1, machine, port)

    def localhost(self, machine: str, port: int) -> Address:
        return self._at(2, machine, port)

    def desk(self, port: int) -> Address:
        return self._in(3 * len(MACHINES), port)

    @property
    def way_out(self) -> str:
        return "set base_port to another number"

    def _at(self, face: int, machine: str, port: int) -> Address:
        return self._in(face * len(MACHINES) + MACHINES.index(machine), port)

    def _in(self, number: int, port: int) -> Address:
        slot = _SLOTS.get(port, port % _SPAN)
        other = self._taken.setdefault(slot, port)
        if other != port:
            raise LabError(f"ports {other} and {port} end in the same three digits: this address plan can't hold both")
        return Address("127.0.0.1", self.base + number * _SPAN + slot)


def choose_plan(settings: Settings) -> AddressPlan:
    """The plan that the settings ask for, "auto" by system. Raises LabError on values that can't work."""
    kind = settings.addresses
    if kind == "auto":
        kind = "loopback" if sys.platform == "linux" else "ports"
    if kind == "loopback":
        if not 0 <= settings.subnet <= 255:
            raise LabError(f"subnet {settings.subnet} is not within 0 to 255")
        return LoopbackPlan(settings.subnet)
    if kind == "ports":
        last = settings.base_port + (3 * len(MACHINES) + 1) * _SPAN - 1
        if settings.base_port < 1024 or last > 65535:
            raise LabError(f"base port {settings.base_port}: the lab needs ports {settings.base_port} to {last}")
        return PortsPlan(settings.base_port)
    raise LabError(f'addresses "{kind}": there are "auto", "loopback" and "ports"')
