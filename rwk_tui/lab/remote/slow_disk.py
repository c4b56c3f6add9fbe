"""A slow disk: strace attached to one unit, so that each of its syncs begins later. It ends with our connection."""

from __future__ import annotations

import asyncio

from rwk_tui.lab.protocol import LabError, MachineDown
from rwk_tui.lab.remote import layout
from rwk_tui.lab.remote.host import RemoteHost
from rwk_tui.lab.remote.run import RemoteRun

_SYNCS = "fsync,fdatasync"
_LONGEST_MS = 60_000
_ATTACHED_WITHIN = 5.0
_LOOK_EVERY = 0.02

# All processes of a service, whichever version of cgroups the machine has; its main process ($2) at least.
_PROCESSES = """
way=$(systemctl show --property=ControlGroup --value -- "$1")
for root in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
  if [ -n "$way" ] && grep -sq . "$root$way/cgroup.procs"; then exec cat "$root$way/cgroup.procs"; fi
done
echo "$2"
"""
_ALL_TRACED = """
for pid; do
  if grep -hsq '^TracerPid:[[:space:]]*0$' "/proc/$pid/task/"*/status; then exit 1; fi
done
"""


class SlowDisk:
    """Slows one unit."""

    def __init__(self, host: RemoteHost, unit: str, slack: float) -> None:
        self._host = host
        self._unit = unit
        self._slack = slack
        self._lock = asyncio.Lock()
        self._run: RemoteRun | None = None
        self._reading: asyncio.Task[str] | None = None
        self._milliseconds = 0.0
        self._pid = 0

    @property
    def is_on(self) -> bool:
        """Whether anything is held back now."""
        return self._reading is not None and not self._reading.done()

    @property
    def is_wanted(self) -> bool:
        """Whether something was to be held back until its process ends."""
        return self._pid != 0

    async def slow(self, pid: int, milliseconds: float) -> None:
        """Hold back each sync of the unit, whose main process that is, in place of what was before.

        Raises MachineDown, or LabError if that is no time, the machine can't do it, or the unit ends meanwhile.
        """
        if not 0 < milliseconds <= _LONGEST_MS:
            raise LabError(f"a delay of {milliseconds:g} ms is not within 0 and {_LONGEST_MS}")
        if why := self._host.lacks("slow disk"):
            raise LabError(why)
        async with self._lock:
            await self._detach()
            await self._attach(pid, milliseconds)

    async def end(self) -> None:
        """Hold back nothing more; what runs goes on."""
        async with self._lock:
            await self._detach()

    def forget(self) -> None:
        """Its process is gone, and what held it back with it."""
        self._pid = 0

    async def again(self, pid: int) -> None:
        """There is contact again after it was lost, which has ended it: go on if the same process still runs."""
        async with self._lock:
            if self._pid and self._pid == pid and not self.is_on:
                await self._attach(pid, self._milliseconds)

    async def _detach(self) -> None:
        run, self._run, self._pid = self._run, None, 0
        if run is not None:
            await run.kill()
        if self._reading is not None:
            await asyncio.wait({self._reading})
        self._reading = None

    async def _attach(self, pid: int, milliseconds: float) -> None:
        service = layout.service(self._unit)
        pids = (await self._host.checked("/bin/sh", "-c", _PROCESSES, "processes", service, str(pid))).split()
        targets = [word for each in pids for word in ("-p", each)]
        inject = f"inject={_SYNCS}:delay_enter={round(milliseconds * 1000)}"
        strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={_SYNCS}", "-e", inject, *targets]
        agent = await self._host.agent()
        self._run = await agent.run(strace, layout.environment(self._host.name, {}), "/")
        self._reading = reading = asyncio.create_task(_words(self._run), name=f"slow-disk-{self._unit}")
        self._milliseconds, self._pid = milliseconds, pid
        try:
            await self._attached(pids, reading)
        except BaseException:
            await asyncio.shield(self._detach())
            raise
        if reading.done():
            self._pid = 0
            raise LabError(f"the disk of {self._unit} on {self._host.name} can't be slowed: {reading.result()}")

    async def _attached(self, pids: list[str], reading: asyncio.Task[str]) -> None:
        """Until every thread is held or strace has ended."""
        try:
            async with asyncio.timeout(_ATTACHED_WITHIN * self._slack):
                while not reading.done():
                    if not (await self._host.exec("/bin/sh", "-c", _ALL_TRACED, "traced", *pids)).code:
                        return
                    await asyncio.sleep(_LOOK_EVERY)
        except TimeoutError:
            where = f"{self._unit} on {self._host.name}"
            raise LabError(f"strace took too long to slow the disk of {where}") from None


async def _words(run: RemoteRun) -> str:
    """Until it ends: the last line of what it complained of."""
    last = "it ended at once"
    try:
        async for line in run:
            last = line.text.removeprefix("strace: ") or last
    except (LabError, MachineDown) as error:
        return str(error)
    return last
