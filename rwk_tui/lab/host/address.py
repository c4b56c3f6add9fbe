"""Addresses that are listened on or dialled, and the ports that any machine may serve for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

NO_MACHINE = ""
"""What stands for the machine of something that is on none: it is the presenter's."""

BALANCED: Mapping[int, int] = MappingProxyType({6443: 6444})
"""Ports that any machine may serve for all, and the port of each machine's localhost where its balancer listens."""


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port to listen on or to dial."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
