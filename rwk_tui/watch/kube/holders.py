"""On which machine the holder of a lease runs, where its identity does not say so.

The identity begins with the host's name. Where machines can't have host names of their own, as on systems without name
spaces for them, all holders are called alike; then the logs of the units tell who acquired a lease last.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable

from rwk_tui.board.hub import Hub
from rwk_tui.board.kube_rows import LeaseRow
from rwk_tui.lab.protocol import Lab, LabError, Machine

EVERY = 1.0
"""Seconds between two looks for holders whose machine is not known."""
LINES = 5000
"""How far back in a log is looked, in lines."""
# As the election of leaders in client-go writes it, after the level and the time: "I1124 08:15:09.123456 …".
_ACQUIRED = re.compile(r"[A-Z](\d{4} [\d:.]+) .*successfully acquired lease", re.IGNORECASE)


class Holders:
    """`known` maps identities to machines, as far as that had to be found out."""

    def __init__(self, lab: Lab, hub: Hub) -> None:
        self._lab = lab
        self._hub = hub
        self.known: dict[str, str] = {}

    async def run(self) -> None:
        """Find out what is not known, for ever."""
        while True:
            for row in self._hub.board.rows(LeaseRow):
                if row.holder and not row.machine and row.holder not in self.known:
                    machine = await self._find(row.name, self._lab.machines.values())
                    if machine:
                        self.known[row.holder] = machine
            await asyncio.sleep(EVERY)

    async def _find(self, unit: str, machines: Iterable[Machine]) -> str:
        """The machine whose unit of that name acquired its lease last; "" if none says that it did."""
        found = [(await _acquired(machine, unit), machine.name) for machine in machines]
        at, name = max(found)
        return name if at else ""


async def _acquired(machine: Machine, unit: str) -> str:
    """When the running unit of that machine last acquired its lease, as its log writes a time; "" if it did not."""
    try:
        if (await machine.unit(unit).status()).state not in ("running", "paused"):
            return ""
        last = ""
        async for line in machine.unit(unit).log(lines=LINES):
            if found := _ACQUIRED.match(line):
                last = found[1]
    except LabError:
        return ""
    return last
