"""One supervised program of one machine: configured on its disk, started, ended, frozen, and watched to its end."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

from rwk_tui.lab.host import procs, show
from rwk_tui.lab.host.process import Group, in_words
from rwk_tui.lab.local.ground import Ground
from rwk_tui.lab.local.output import Output
from rwk_tui.lab.local.slow_disk import SlowDisk
from rwk_tui.lab.local.unit_file import read_unit, write_unit
from rwk_tui.lab.protocol import LabError, Listen, UnitSpec, UnitStatus, UnitVerb

_LOOK_AT_LOG_EVERY = 5.0
_AGAIN = 20
"""Looks after which a program that does not freeze is told once more."""


class LocalUnit:
    """A unit; `disk` is its machine's directory."""

    def __init__(self, ground: Ground, machine: str, disk: Path, name: str) -> None:
        self._ground = ground
        self._machine = machine
        self._disk = disk
        self._name = name
        self._lock = asyncio.Lock()
        self._output = Output(disk / "log" / f"{name}.log")
        self._watching: asyncio.Task[None] | None = None
        self._ending = False
        self._loaded = False
        self._spec: UnitSpec | None = None
        self._wanted = False
        self._since = 0.0
        self._exit = ""
        self._failed = False
        self._paused = False
        self._told_to_stop = False
        self._slow_disk = SlowDisk(ground, machine, name)
        self.group: Group | None = None

    @property
    def name(self) -> str:
        return self._name

    @property
    def wanted(self) -> bool:
        """Whether it comes back with its machine."""
        self._load()
        return self._wanted

    @property
    def spec(self) -> UnitSpec | None:
        """How it is configured, None if it is not."""
        self._load()
        return self._spec

    async def configure(self, spec: UnitSpec) -> None:
        """Write down how the unit runs. Raises MachineDown, or LabError if the disk refuses."""
        self._require_up()
        if spec.name != self._name:
            raise LabError(f"a spec of {spec.name} can't configure {self._name}")
        self._save(spec, self.wanted)

    async def start(self) -> None:
        """Start it and keep it wanted. Raises MachineDown, or LabError without spec, program or free ports."""
        async with self._lock:
            self._require_up()
            if self.spec is None:
                raise LabError(f"{self._name} on {self._machine} is not configured yet")
            self._save(self.spec, True)
            await self._spawn(self.spec)

    async def boot(self) -> None:
        """Start it with its machine; whatever goes wrong shows in its status, as on a host that boots."""
        async with self._lock:
            if self.spec is None or not self.wanted:
                return
            try:
                await self._spawn(self.spec)
            except LabError as error:
                self._note(f"could not start: {error}", failed=True)

    async def stop(self) -> None:
        """Ask it to end and no longer want it. Raises MachineDown."""
        async with self._lock:
            self._require_up()
            if self.spec is not None:
                self._save(self.spec, False)
            await self.end()

    async def restart(self) -> None:
        """Stop, then start; it never stops being wanted in between."""
        async with self._lock:
            self._require_up()
            if self.spec is None:
                raise LabError(f"{self._name} on {self._machine} is not configured yet")
            self._save(self.spec, True)
            await self.end()
            self._require_up()
            await self._spawn(self.spec)

    async def kill(self) -> None:
        """End it at once; it stays wanted. Raises MachineDown."""
        self._require_up()
        if self.group is not None:
            self.group.signal(signal.SIGKILL)
        await self.settled()

    async def pause(self) -> None:
        """Freeze it. Raises MachineDown, or LabError if it does not run."""
        await self._signal_running(signal.SIGSTOP, stopped=True)

    async def resume(self) -> None:
        """Let it go on. Raises MachineDown, or LabError if it does not run."""
        await self._signal_running(signal.SIGCONT, stopped=False)

    async def slow_disk(self, milliseconds: float) -> None:
        """Hold back each of its syncs by that long. Raises MachineDown, or LabError if it does not run or can't be.

        0 is for no more, and harmless where nothing runs.
        """
        self._told_to_stop = self.look().state == "paused"  # whoever froze it
        if milliseconds:
            await self._slow_disk.slow(self._running(), milliseconds)
            return
        await self._slow_disk.end()
        if self._told_to_stop and self.group is not None:
            # It may have been told while a sync was held back, and stands still only when that is over.
            await self._signal(self.group, signal.SIGSTOP, stopped=True)

    async def mend_disk(self) -> None:
        """Hold back no sync any more; what is frozen may go on."""
        await self._slow_disk.end()

    async def status(self) -> UnitStatus:
        return self.look()

    def look(self) -> UnitStatus:
        """The status, at the price of one small read."""
        if self.group is not None and self.group.code is None:
            # What is held back looks frozen now and then, and what is told to freeze goes on to the end of a sync.
            held = self._slow_disk.is_on
            paused = self._told_to_stop if held else procs.is_stopped(self.group.pid, told=self._told_to_stop)
            if paused != self._paused:
                self._paused = paused
                self._since = time.time()
            return UnitStatus("paused" if paused else "running", self.group.pid, self._since, "", self.spec)
        failed = self._failed and self._ground.powers.get(self._machine)[0] == "up"
        return UnitStatus("failed" if failed else "stopped", 0, self._since, self._exit, self.spec)

    async def log(self, *, lines: int = 200, follow: bool = False) -> AsyncIterator[str]:
        """The newest lines of its output, then, with `follow`, what comes."""
        async for line in self._output.lines(lines, follow=follow):
            yield line

    def show(self, verb: UnitVerb) -> str:
        spec = self.spec
        return self.show_spec(verb, spec if spec is not None else UnitSpec(self._name, (self._name,)))

    def show_spec(self, verb: UnitVerb, spec: UnitSpec) -> str:
        pids = [self.group.pid] if self.group is not None and self.group.code is None else []
        idle = f"{self._name} does not run on {self._machine}"
        return show.unit(verb, spec, str(self._output.path), pids, idle)

    async def end(self) -> None:
        """End what runs, within the grace time."""
        if self.group is not None and self.group.code is None:
            self._ending = True
            await self.group.end(self._ground.grace)
        await self.settled()

    def forget(self) -> None:
        """Know nothing any more, and look nothing up on a disk that is going."""
        self._loaded, self._spec, self._wanted = True, None, False
        self._since, self._exit, self._failed, self._paused = 0.0, "", False, False

    @property
    def _file(self) -> Path:
        return self._disk / "etc" / "units" / f"{self._name}.json"

    def _load(self) -> None:
        if not self._loaded:
            self._spec, self._wanted = read_unit(self._file, self._name)
            self._loaded = True

    def _save(self, spec: UnitSpec, wanted: bool) -> None:
        if self._loaded and (spec, wanted) == (self._spec, self._wanted):
            return
        write_unit(self._file, spec, wanted)
        self._spec, self._wanted, self._loaded = spec, wanted, True

    def _require_up(self) -> None:
        self._ground.require_up(self._machine)

    async def _spawn(self, spec: UnitSpec) -> None:
        if self.group is not None and self.group.code is None:
            return
        await self.settled()
        program = self._ground.programs.find(spec.argv[0], self._disk, f"on {self._machine}")
        environment = self._ground.environment(self._machine, self._disk, dict(spec.environment))
        public = [listen for listen in spec.listens if listen.public]
        await self._ground.check_ports(self._machine, spec, fronts=False)
        descriptor = self._output.open()
        try:
            for listen in public:
                await self._ground.network.open(self._machine, listen)
            self._require_up()  # its power may have been cut in the meantime
            group = self._ground.processes.spawn(
                [program, *spec.argv[1:]],
                machine=self._machine,
                what=self._name,
                environment=environment,
                directory=self._disk,
                output=descriptor,
                errors=descriptor,
            )
        except BaseException:
            self._close_fronts(public)
            raise
        finally:
            os.close(descriptor)
        self.group = group
        self._ending = self._told_to_stop = False
        self._note("", failed=False)
        self._watching = asyncio.create_task(self._watch(group, public), name=f"{self._machine}/{self._name}")

    async def _watch(self, group: Group, public: list[Listen]) -> None:
        """Keep the log small while the program runs; close its fronts and note how it ended when it does."""
        while group.code is None:
            try:
                async with asyncio.timeout(_LOOK_AT_LOG_EVERY):
                    await group.wait()
            except TimeoutError:
                try:
                    await self._output.rotate()
                except LabError as error:
                    self._ground.complaints.add(self._machine, str(error))
        self._close_fronts(public)
        asked = self._ending and group.code in (0, -signal.SIGTERM, 128 + signal.SIGTERM)
        self._note(
            "ended when asked to" if asked else in_words(group.code),
            failed=not self._ending and group.code != 0,
        )

    async def settled(self) -> None:
        """Until the end of the program has been noticed."""
        if self._watching is not None:
            await asyncio.shield(self._watching)

    def _running(self) -> Group:
        """What runs. Raises MachineDown, or LabError if nothing does."""
        self._require_up()
        if self.group is None or self.group.code is not None:
            raise LabError(f"{self._name} does not run on {self._machine}")
        return self.group

    async def _signal_running(self, number: int, *, stopped: bool) -> None:
        group = self._running()
        self._told_to_stop = stopped
        await self._signal(group, number, stopped=stopped)

    async def _signal(self, group: Group, number: int, *, stopped: bool) -> None:
        """Send a signal until it works or something else is wanted."""
        group.signal(number)
        looked = 0
        while group.code is None and self._told_to_stop == stopped and not self._ending:
            if procs.is_stopped(group.pid, told=stopped) == stopped:
                break
            await asyncio.sleep(0.005)
            looked += 1
            if stopped and looked % _AGAIN == 0:
                # A program that waits for a child which it was just making can't stop before that child goes on.
                group.signal(signal.SIGCONT)
                await asyncio.sleep(0.005)
                group.signal(number)
        self.look()
        self._ground.changed()

    def _close_fronts(self, listens: list[Listen]) -> None:
        for listen in listens:
            self._ground.network.close(self._machine, listen.port)

    def _note(self, words: str, *, failed: bool) -> None:
        self._exit, self._failed, self._paused = words, failed, False
        self._since = time.time()
        self._ground.changed()
