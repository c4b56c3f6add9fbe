"""A slow disk: strace attached to one unit, so that each of its syncs begins later."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import tempfile

from rwk_tui.lab.host import procs
from rwk_tui.lab.host.disk import said
from rwk_tui.lab.host.process import Group
from rwk_tui.lab.local.abilities import told, why_not
from rwk_tui.lab.local.ground import Ground
from rwk_tui.lab.protocol import LabError

_SYNCS = "fsync,fdatasync"
_LONGEST_MS = 60_000
_ATTACHED_WITHIN = 5.0
_DETACHED_WITHIN = 2.0
_LOOK_EVERY = 0.005


class SlowDisk:
    """Slows one unit; what holds it back is a program of its machine, which ends with the unit, the machine or us."""

    def __init__(self, ground: Ground, machine: str, unit: str) -> None:
        self._ground = ground
        self._machine = machine
        self._unit = unit
        self._lock = asyncio.Lock()
        self._tracer: Group | None = None

    @property
    def is_on(self) -> bool:
        """Whether anything is held back now."""
        return self._tracer is not None and self._tracer.code is None

    async def slow(self, group: Group, milliseconds: float) -> None:
        """Hold back each sync of what runs by that long, in place of what it was before.

        Raises MachineDown, or LabError if that is no time, this computer can't do it, or the unit ends meanwhile.
        """
        if not 0 < milliseconds <= _LONGEST_MS:
            raise LabError(f"a delay of {milliseconds:g} ms is not within 0 and {_LONGEST_MS}")
        async with self._lock:
            await self._detach()
            await self._attach(group, milliseconds)

    async def end(self) -> None:
        """Hold back nothing more; what runs goes on, and stays frozen if it was."""
        async with self._lock:
            await self._detach()

    async def _detach(self) -> None:
        if self._tracer is not None:
            await self._tracer.end(_DETACHED_WITHIN)
        self._tracer = None

    async def _attach(self, group: Group, milliseconds: float) -> None:
        why = await asyncio.to_thread(why_not, "slow disk")
        strace = shutil.which("strace")
        if why or strace is None:
            raise LabError(why or "strace is gone")
        sessions = await asyncio.to_thread(procs.sessions)
        pids = [pid for pid, session in sessions.items() if session == group.pid]
        targets = [word for pid in pids for word in ("-p", str(pid))]
        inject = f"inject={_SYNCS}:delay_enter={round(milliseconds * 1000)}"
        with contextlib.ExitStack() as stack:
            with said("can't keep what strace complains of"):
                complaints = stack.enter_context(tempfile.TemporaryFile())
            self._ground.require_up(self._machine)
            if group.code is not None:
                raise LabError(f"{self._unit} on {self._machine} has ended")
            tracer = self._ground.processes.spawn(
                [strace, "-f", "-qq", "-o", os.devnull, "-e", f"trace={_SYNCS}", "-e", inject, *targets],
                machine=self._machine,
                what=f"slow disk of {self._unit}",
                environment=self._ground.environment(self._machine, self._ground.root, {}),
                directory=self._ground.root,
                output=subprocess.DEVNULL,
                errors=complaints.fileno(),
                named=False,
            )
            self._tracer = tracer
            try:
                await self._attached(tracer, pids)
            except BaseException:
                await asyncio.shield(self._detach())
                raise
            if tracer.code is not None:
                complaints.seek(0)
                words = told(complaints.read().decode(errors="replace"))
                raise LabError(f"the disk of {self._unit} on {self._machine} can't be slowed: {words}")

    async def _attached(self, tracer: Group, pids: list[int]) -> None:
        """Until every thread is held or the tracer has ended."""
        try:
            async with asyncio.timeout(_ATTACHED_WITHIN):
                # Nothing tells when it is done.
                while tracer.code is None and not all(  # noqa: ASYNC110
                    procs.is_traced_by(pid, tracer.pid) for pid in pids
                ):
                    await asyncio.sleep(_LOOK_EVERY)
        except TimeoutError:
            raise LabError(f"strace took too long to slow the disk of {self._unit} on {self._machine}") from None
