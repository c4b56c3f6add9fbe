"""What all machines of a lab over SSH stand on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from rwk_tui.lab.host.complaints import Complaints
from rwk_tui.lab.host.powers import Powers
from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote.engines import Engines
from rwk_tui.lab.remote.known import Known
from rwk_tui.lab.remote.logins import Logins
from rwk_tui.lab.remote.pins import Pins
from rwk_tui.lab.remote.switch import Switch
from rwk_tui.settings import Timeouts


@dataclass(frozen=True, slots=True)
class Ground:
    """Handed to all machines and units of one lab; `slack` multiplies every deadline in `timeouts`."""

    switch: Switch
    powers: Powers
    pins: Pins
    known: Known
    logins: Logins
    engines: Engines
    timeouts: Timeouts
    slack: float
    changed: Callable[[], None]
    complaints: Complaints = field(default_factory=Complaints)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def in_background(self, machine: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something for a machine that nobody waits for; what goes wrong is a complaint."""
        task = asyncio.create_task(self._calmly(machine, work))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def close(self) -> None:
        """End what goes on in the background."""
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _calmly(self, machine: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except LabError as error:
            self.complaints.add(machine, str(error))
