"""Whether all members store the same: etcd's own hash of the key space, compared at one revision."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from rwk_tui.watch.answers import Etcd, Hash
from rwk_tui.watch.refusals import EtcdError


@dataclass(frozen=True, slots=True)
class HashCheck:
    """The members' hashes at `revision`; `equal` is None when they could not be compared, and `why` says why.

    `known` says of which bug of etcd it is known that they differ, "" if of none.
    """

    equal: bool | None
    members: int = 0
    revision: int = 0
    hashes: tuple[Hash, ...] = ()
    why: str = ""
    known: str = ""

    def words(self) -> str:
        """The result in words."""
        if self.equal is None:
            return f"hashkv not compared: {self.why}"
        return f"hashkv {'equal' if self.equal else 'DIFFERS'} on {self.members} members"


async def compare_hashes(clients: Sequence[Etcd], *, timeout: float = 2.0, tries: int = 20) -> HashCheck:
    """Ask every member for its hash at a revision that all of them have; tries again while they are catching up."""
    why = "no member answers"
    if not clients:
        return HashCheck(None, why=why)
    for attempt in range(tries):
        if attempt:
            await asyncio.sleep(0.1)
        try:
            statuses = [await client.status(timeout=timeout) for client in clients]
            revision = min(status.revision for status in statuses)
            hashes = [await client.hashkv(revision, timeout=timeout) for client in clients]
        except EtcdError as error:
            why = str(error)
            continue
        if len({one.compacted for one in hashes}) > 1:
            why = "the members are compacted differently"
            continue
        equal = len({one.hash for one in hashes}) == 1
        return HashCheck(equal, len(hashes), revision, tuple(hashes))
    return HashCheck(None, why=why)
