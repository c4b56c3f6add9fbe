"""Restarting a member with its configuration changed a little."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from rwk_tui.cluster.etcd import UNIT
from rwk_tui.cluster.ops import OpResult, Tell, UnitOp
from rwk_tui.cluster.site import Site
from rwk_tui.lab.protocol import LabError, Machine, UnitSpec

Change = Callable[[UnitSpec], UnitSpec]


@dataclass(slots=True)
class RestartOp:
    """Restart a member as `change` makes of its configuration, which is looked up just before.

    With `afterwards`, it is configured like that again as soon as it has started: the change is for one start only.
    Raises LabError where there is no member.
    """

    on: Machine
    site: Site
    change: Change
    afterwards: Change | None = None

    @property
    def machine(self) -> str:
        return self.on.name

    async def resolve(self) -> None:
        await self.site.look()

    def command(self) -> str:
        spec = self.site.spec(self.on.name, UNIT) or UnitSpec(UNIT, (UNIT,))
        return self.on.unit(UNIT).show_spec("restart", self.change(spec))

    async def run(self, tell: Tell) -> OpResult:
        spec = self.site.spec(self.on.name, UNIT)
        if spec is None:
            raise LabError(f"{self.on.name} has no member that could be restarted")
        try:
            return await UnitOp(self.on, UNIT, "restart", self.change(spec)).run(tell)
        finally:
            if self.afterwards is not None:
                await asyncio.shield(self.on.unit(UNIT).configure(self.afterwards(spec)))
            await self.site.look()
