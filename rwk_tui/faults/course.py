"""The course of one fault: from its injection, over what probes saw of it, to its healing."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from rwk_tui.board.rows import FaultRow
from rwk_tui.faults.base import Case, Fault, Sight


@dataclass(slots=True)
class Course:
    """One fault on its way; times are unix (s), `inf` where it has not come so far."""

    kind: Fault
    case: Case
    row: FaultRow
    acted: float = math.inf
    """When what the fault does was done."""
    sight: Sight | None = None
    sight_ms: float | None = None
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    """What is being done for it: the injection, what keeps it up, and who watches its effect."""

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Do something for as long as the fault lasts."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def stop(self) -> None:
        """End all that is being done for it."""
        tasks = [task for task in self.tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
