"""What etcd answers, as typed values; IDs are hexadecimal, as on etcd's command line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Protocol

ALARM = re.compile(r"memberID:(\d+)\s+alarm:(\w+)")


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm that is raised for a member: NOSPACE or CORRUPT."""

    member_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Status:
    """One member as it sees itself; `leader` is "" while it knows none, sizes in bytes."""

    member_id: str
    leader: str
    term: int
    cluster_id: str
    version: str = ""
    revision: int = 0
    raft_index: int = 0
    applied_index: int = 0
    db_size: int = 0
    db_in_use: int = 0
    learner: bool = False
    errors: tuple[str, ...] = ()
    alarms: tuple[Alarm, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """One line of the member list; a member that has never started has no name yet."""

    id: str
    name: str
    peer_urls: tuple[str, ...] = ()
    client_urls: tuple[str, ...] = ()
    learner: bool = False

    @property
    def started(self) -> bool:
        return bool(self.name)


@dataclass(frozen=True, slots=True)
class KeyValue:
    """One key with its value and the revisions and version that etcd keeps for it.

    `raw` is the value as it is stored, which need not be text; "" where only the text is known.
    """

    key: str
    value: str
    create_revision: int = 0
    mod_revision: int = 0
    version: int = 0
    raw: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """Some keys of a range, in order; `more` tells that the range goes on, `revision` is the one that was read."""

    items: tuple[KeyValue, ...]
    revision: int
    more: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """An acknowledged write."""

    revision: int
    cluster_id: str
    term: int = 0


@dataclass(frozen=True, slots=True)
class Hash:
    """The hash of a member's whole key space up to `revision`; comparable where `compacted` is equal."""

    member_id: str
    hash: int
    revision: int
    compacted: int


def hex_id(number: int) -> str:
    """An ID as etcd's command line prints it; "" for none."""
    return format(number, "x") if number else ""


def split_errors(lines: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Alarm, ...]]:
    """Tell the alarms from the other errors of a Status: etcd reports both as lines of text."""
    errors: list[str] = []
    alarms: list[Alarm] = []
    for line in lines:
        found = ALARM.search(line)
        if found:
            alarms.append(Alarm(hex_id(int(found[1])), found[2]))
        else:
            errors.append(line.removeprefix("etcdserver: ").strip())
    return tuple(errors), tuple(alarms)


class Etcd(Protocol):
    """A client of one member. Every method raises EtcdError and keeps its deadline (s)."""

    async def status(self, *, timeout: float = 1.0) -> Status: ...

    async def members(self, *, timeout: float = 1.0) -> tuple[Member, ...]: ...

    async def get(self, key: str, *, serializable: bool = False, timeout: float = 5.0) -> KeyValue | None: ...

    async def page(
        self,
        first: str,
        end: str,
        *,
        limit: int = 0,
        revision: int = 0,
        serializable: bool = False,
        timeout: float = 5.0,
    ) -> Page: ...

    async def put(self, key: str, value: str, *, timeout: float = 5.0) -> Written: ...

    async def delete(self, key: str, end: str = "", *, timeout: float = 5.0) -> int: ...

    async def hashkv(self, revision: int = 0, *, timeout: float = 5.0) -> Hash: ...

    async def close(self) -> None: ...
