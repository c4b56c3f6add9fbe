"""The canary's check: is every write that was acknowledged still there, with its value?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from rwk_tui.lab.protocol import Machine
from rwk_tui.watch.answers import Etcd
from rwk_tui.watch.ledger import Ledger
from rwk_tui.watch.refusals import EtcdError

ClientOf = Callable[[Machine], Awaitable[Etcd]]

PAGE = 100
"""Keys read at once: small enough not to hold up the event loop while they are decoded."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found: of `acknowledged` writes in this epoch, `checked` were read again and `lost` were not there.

    `why` says why nothing could be checked; `done` is False then. `missing` names the first lost keys. `unknown` counts
    writes that may be there or not. `known` says of which bug of etcd the loss is known, "" if of none.
    """

    epoch: int
    acknowledged: int = 0
    checked: int = 0
    lost: int = 0
    unknown: int = 0
    missing: tuple[str, ...] = ()
    done: bool = True
    why: str = ""
    known: str = ""

    @property
    def holds(self) -> bool:
        """Whether the check was made and nothing was lost."""
        return self.done and self.lost == 0

    def words(self) -> str:
        """The verdict in words."""
        if not self.done:
            return f"not checked: {self.why}"
        return f"{self.lost} of {self.acknowledged} acknowledged writes lost"


async def read_back(client: Etcd, first: str, end: str, *, timeout: float, page: int = PAGE) -> dict[str, str]:
    """All keys from `first` to `end` with their values as of one moment, read linearizably. Raises EtcdError."""
    found: dict[str, str] = {}
    revision = 0
    while True:
        part = await client.page(first, end, limit=page, revision=revision, timeout=timeout)
        revision = part.revision
        found.update((item.key, item.value) for item in part.items)
        if not part.more or not part.items:
            return found
        first = part.items[-1].key + "\0"
        await asyncio.sleep(0)  # Others get a turn between pages.


def compare(expected: dict[str, str], found: dict[str, str]) -> tuple[str, ...]:
    """The keys that are missing or carry another value than was acknowledged."""
    return tuple(key for key, value in sorted(expected.items()) if found.get(key) != value)


async def check(ledger: Ledger, targets: Sequence[Machine], client_of: ClientOf, timeout: float) -> Verdict:
    """Read all that the ledger's epoch has acknowledged from the first of `targets` that answers, and compare."""
    epoch = ledger.epoch
    expected = {ledger.key(seq): ledger.value(seq) for seq in epoch.acknowledged}
    counted, first, end = epoch.acknowledged_count, ledger.key(epoch.low), ledger.key(10**10 - 1)
    why = "no member answers"
    for machine in targets:
        try:
            async with asyncio.timeout(timeout):
                found = await read_back(await client_of(machine), first, end, timeout=timeout)
        except (EtcdError, TimeoutError) as error:
            why = str(error) or f"no answer within {timeout:g} s"
            continue
        missing = compare(expected, found)
        return Verdict(epoch.number, counted, len(expected), len(missing), epoch.unknown_count, missing[:10])
    return Verdict(epoch.number, counted, unknown=epoch.unknown_count, done=False, why=why)
