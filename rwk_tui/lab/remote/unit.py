"""One unit of one machine, which systemd runs there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

from rwk_tui.lab.protocol import LabError, UnitSpec, UnitStatus, UnitVerb
from rwk_tui.lab.remote import layout, show
from rwk_tui.lab.remote.engines import MachineEngines
from rwk_tui.lab.remote.ground import Ground
from rwk_tui.lab.remote.host import RemoteHost
from rwk_tui.lab.remote.log import log
from rwk_tui.lab.remote.slow_disk import SlowDisk
from rwk_tui.lab.remote.unit_file import unit_text
from rwk_tui.lab.remote.units import Units

_NOTHING = UnitStatus("stopped")
_SEEN_WITHIN = 10.0
_LOOK_EVERY = 0.01
_AGAIN = 20
"""Looks after which a program that does not freeze is told once more."""


class RemoteUnit:
    """A unit of the machine that `host` is, among its `units`."""

    def __init__(self, ground: Ground, host: RemoteHost, units: Units, engines: MachineEngines, name: str) -> None:
        self._ground = ground
        self._host = host
        self._units = units
        self._engines = engines
        self._name = name
        self._service = layout.service(name)
        self._lock = asyncio.Lock()
        self._slow_disk = SlowDisk(host, name, ground.slack)
        self._grace = ground.timeouts.stop * ground.slack

    @property
    def name(self) -> str:
        return self._name

    async def configure(self, spec: UnitSpec) -> None:
        """Write down how the unit runs. Raises MachineDown, or LabError if the disk refuses."""
        await self._host.agent()
        if spec.name != self._name:
            raise LabError(f"a spec of {spec.name} can't configure {self._name}")
        async with self._lock:
            program = await self._engines.find(spec.argv[0]) or f"{layout.BIN}/{spec.argv[0]}"
            await self._write(spec, program)

    async def start(self) -> None:
        """Start it and keep it wanted. Raises MachineDown, or LabError without spec or program."""
        async with self._lock:
            spec = await self._spec()
            if (await self.status()).pid == 0:
                await self._make_ready(spec)
            await self._units.systemctl("enable", "--now", "--no-reload", self._service)
        self._ground.changed()

    async def stop(self) -> None:
        """Ask it to end and no longer want it. Raises MachineDown."""
        async with self._lock:
            self._host.require_up()
            if self._name in await self._units.ask():
                self._units.frozen.discard(self._name)  # systemd wakes what it ends
                await self._units.systemctl("disable", "--now", "--no-reload", self._service, grace=self._grace)
                self._ended()

    async def restart(self) -> None:
        """Stop, then start; it never stops being wanted in between."""
        async with self._lock:
            await self._make_ready(await self._spec())
            self._units.frozen.discard(self._name)
            await self._units.systemctl("enable", "--no-reload", self._service)
            await self._units.systemctl("restart", self._service, grace=self._grace)
            self._ended()

    async def kill(self) -> None:
        """End it at once; it stays wanted. Raises MachineDown."""
        self._host.require_up()
        pid = (await self.status()).pid
        if not pid:
            return
        await self._signal("KILL")
        await self._seen(lambda status: status.pid != pid, "is killed and does not end")
        self._ended()

    async def pause(self) -> None:
        """Freeze it. Raises MachineDown, or LabError if it does not run."""
        await self._running()
        self._units.frozen.add(self._name)
        await self._freeze()
        self._ground.changed()

    async def resume(self) -> None:
        """Let it go on. Raises MachineDown, or LabError if it does not run."""
        await self._running()
        self._units.frozen.discard(self._name)
        await self._signal("CONT")
        await self._seen(lambda status: status.state != "paused", "does not go on")
        self._ground.changed()

    async def slow_disk(self, milliseconds: float) -> None:
        """Hold back each of its syncs by that long. Raises MachineDown, or LabError if it does not run or can't be.

        0 is for no more, and harmless where nothing runs.
        """
        if milliseconds:
            status = await self._running()
            self._note_frozen(status)
            try:
                await self._slow_disk.slow(status.pid, milliseconds)
            finally:
                self.note_held()
            return
        if self._host.agent_now is None:
            self._slow_disk.forget()
            self.note_held()
            return
        self._note_frozen(await self.status())
        await self._slow_disk.end()
        self.note_held()
        if self._name in self._units.frozen and (await self.status()).pid:
            # It may have been told while a sync was held back, and stands still only when that is over.
            await self._freeze()

    async def slow_again(self) -> None:
        """There is contact again: hold back what was held back before, if it still runs. Raises LabError."""
        if self._slow_disk.is_wanted:
            try:
                await self._slow_disk.again((await self.status()).pid)
            finally:
                self.note_held()

    async def mend_disk(self) -> None:
        """Hold back no sync any more; never raises."""
        await self._slow_disk.end()
        self.note_held()

    async def status(self) -> UnitStatus:
        if self._host.power not in ("up", "starting"):
            return self._units.without_power().get(self._name, _NOTHING)
        self.note_held()
        return (await self._units.ask()).get(self._name, _NOTHING)

    async def log(self, *, lines: int = 200, follow: bool = False) -> AsyncIterator[str]:
        """The newest lines of its output, then, with `follow`, what comes."""
        async with aclosing(log(self._host, self._units, self._name, lines, follow=follow)) as found:
            async for line in found:
                yield line

    def show(self, verb: UnitVerb) -> str:
        written = self._units.written(self._name)
        return self.show_spec(verb, written.spec if written is not None else UnitSpec(self._name, (self._name,)))

    def show_spec(self, verb: UnitVerb, spec: UnitSpec) -> str:
        return show.unit(verb, spec, self._host.name)

    def note_held(self) -> None:
        """See whether its syncs are held back still: what does that ends with the unit and with our connection."""
        if self._slow_disk.is_on:
            self._units.held.add(self._name)
        else:
            self._units.held.discard(self._name)

    async def _spec(self) -> UnitSpec:
        self._host.require_up()
        await self._units.ask()
        written = self._units.written(self._name)
        if written is None:
            raise LabError(f"{self._name} on {self._host.name} is not configured yet")
        return written.spec

    async def _make_ready(self, spec: UnitSpec) -> None:
        """Have what it needs on the machine. Raises LabError if there is no such program."""
        await self._engines.bring(spec.argv)
        program = await self._engines.find(spec.argv[0])
        if program is None:
            raise LabError(f"there is no program {spec.argv[0]} on {self._host.name}")
        await self._write(spec, program)

    async def _write(self, spec: UnitSpec, program: str) -> None:
        text = unit_text(spec, program, self._host.name, self._host.address, grace=self._grace, since=self._units.since)
        await self._units.write(self._name, text)

    async def _signal(self, signal: str) -> None:
        await self._host.checked("systemctl", "kill", f"--signal={signal}", self._service)

    async def _freeze(self) -> None:
        await self._signal("STOP")
        for _ in range(10):
            if await self._comes(lambda status: status.state == "paused" or not status.pid, looks=_AGAIN):
                return
            # A program that waits for a child which it was just making can't stop before that child goes on.
            await self._signal("CONT")
            await self._signal("STOP")
        raise LabError(f"{self._name} on {self._host.name} does not stand still")

    async def _seen(self, holds: Callable[[UnitStatus], bool], trouble: str) -> None:
        if not await self._comes(holds, looks=round(_SEEN_WITHIN * self._ground.slack / _LOOK_EVERY)):
            raise LabError(f"{self._name} on {self._host.name} {trouble}")

    async def _comes(self, holds: Callable[[UnitStatus], bool], looks: int) -> bool:
        for _ in range(looks):
            if holds(await self.status()):
                return True
            await asyncio.sleep(_LOOK_EVERY)
        return False

    async def _running(self) -> UnitStatus:
        """Its status. Raises MachineDown, or LabError if it does not run."""
        self._host.require_up()
        status = await self.status()
        if not status.pid:
            raise LabError(f"{self._name} does not run on {self._host.name}")
        return status

    def _ended(self) -> None:
        self._units.frozen.discard(self._name)
        self._slow_disk.forget()
        self._ground.changed()

    def _note_frozen(self, status: UnitStatus) -> None:
        """Whoever froze it: once it is traced, nobody can see that any more."""
        if status.state == "paused":
            self._units.frozen.add(self._name)
        else:
            self._units.frozen.discard(self._name)
