"""How the presenter's own tools get into the lab: endpoints, certificates, a kubeconfig; kept in step with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import MachineRow
from rwk_tui.daemon.parts import Parts
from rwk_tui.daemon.sign import LabSign

log = logging.getLogger("rwk-tui")

ETCD_PORT = 2379
PAUSE = 0.25
"""Seconds between two looks at least: of pods, thousands may change in a moment."""


class Ways:
    """Shows them in the lab's row, and gives them to the presenter's desk, whenever the lab was set up otherwise."""

    def __init__(self, parts: Parts, hub: Hub, sign: LabSign, complain: Callable[[str], None]) -> None:
        self._parts = parts
        self._hub = hub
        self._sign = sign
        self._complain = complain
        self._told = ""
        self._given: object = None
        self._moved = asyncio.Event()
        self._following: asyncio.Task[None] | None = None
        parts.watcher.subscribe(self._moved.set)

    async def look(self) -> dict[str, str]:
        """Look once, and show what there is; returns what the tools need in their environment. Raises LabError."""
        site, machines = self._parts.site, self._parts.lab.machines
        await site.look()
        variables = site.variables()
        reach: list[tuple[str, str]] = []
        for name, machine in machines.items():
            host, port = await machine.reach(ETCD_PORT)
            reach.append((name, f"https://{host}:{port}" if site.is_secured(name) else f"{host}:{port}"))
        self._sign.show(reach=tuple(reach), variables=tuple(sorted(variables.items())))
        return variables

    def follow(self) -> None:
        """From now on, look whenever a state on the board changed."""
        self._moved.set()
        if self._following is None:
            self._following = asyncio.create_task(self._follow(), name="ways")

    async def close(self) -> None:
        """Look no more."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)

    async def _follow(self) -> None:
        while True:
            await self._moved.wait()
            self._moved.clear()
            try:
                await self._give(await self.look())
            except self._parts.refusals as refusal:
                line = f"your own tools may not get into the lab: {refusal}"
                if line != self._told:
                    self._complain(line)
                self._told = line
            except Exception:
                # A mistake of ours must not end the looking; its origin goes to the log.
                log.exception("looking for the ways into the lab failed")
            else:
                self._told = ""
            await asyncio.sleep(PAUSE)

    async def _give(self, variables: dict[str, str]) -> None:
        """Have the desk's commands find the same. A reset empties the desk, and switches every machine anew."""
        switched = tuple(row.since for row in self._hub.board.rows(MachineRow))
        if (variables, switched) == self._given:
            return
        await self._parts.lab.desk.set_profile(variables)
        self._given = (variables, switched)
