"""All units of one machine as they stand, and what systemd there is told about them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from rwk_tui.lab.protocol import LabError, UnitStatus
from rwk_tui.lab.remote import layout
from rwk_tui.lab.remote.agent import UnitReport, UnitsReport
from rwk_tui.lab.remote.ground import Ground
from rwk_tui.lab.remote.host import RemoteHost
from rwk_tui.lab.remote.unit_file import Written, read_spec

_SAME = 1.0
"""Seconds by which the time of one and the same change may differ between two looks: clocks are measured again."""
_SET_BACK = 2.0
"""Seconds by which the lab must have begun in a machine's future before its clock counts as set back."""
_UNNOTICED = 60.0
"""Seconds for which that may have been so before it was noticed."""
_MOMENT = 30.0
"""Seconds within which systemd does what needs no grace."""


class Units:
    """`frozen` are the units that were told to stand still, `held` those whose syncs are held back."""

    def __init__(self, ground: Ground, host: RemoteHost) -> None:
        self._ground = ground
        self._host = host
        self._lock = asyncio.Lock()
        self._stale = True
        self._since = 0.0
        self._report: UnitsReport | None = None
        self._lines: dict[str, tuple[str, Written]] = {}
        self._last: dict[str, UnitStatus] = {}
        self._enabled: tuple[str, ...] = ()
        self._life = 0
        self.frozen: set[str] = set()
        self.held: set[str] = set()

    @property
    def last(self) -> Mapping[str, UnitStatus]:
        """As they were last seen, by name."""
        return self._last

    @property
    def enabled(self) -> tuple[str, ...]:
        """Those that come back with the machine, as last seen."""
        return self._enabled

    def without_power(self) -> Mapping[str, UnitStatus]:
        """As they are when their machine is not up."""
        return {name: replace(each, state="stopped", pid=0) for name, each in self._last.items()}

    def greeted(self) -> None:
        """There is new contact: nothing is known of what changed meanwhile."""
        self._stale = True
        self._report = None

    def begin(self, since: float) -> None:
        """What units print after this time (unix s, the machine's clock) is the lab's."""
        self._since = since

    def heed_clock(self, now: float) -> bool:
        """Whether the machine's clock, which shows `now`, was set back to before the lab began.

        All that units print would be older than the lab then, so it began about when that was done.
        """
        if self._since <= now + _SET_BACK:
            return False
        self._since = now - _UNNOTICED
        return True

    def forget(self) -> None:
        """The disk is gone or wiped: there are none."""
        self._life += 1
        self._report, self._last, self._lines, self._enabled = None, {}, {}, ()
        self.frozen.clear()
        self.held.clear()
        self._ground.known.note(self._host.name, ())

    async def ask(self) -> Mapping[str, UnitStatus]:
        """How they stand now. Raises MachineDown, or LabError."""
        agent, life = await self._host.agent(), self._life
        report = await agent.units(self.frozen, self.held)
        if report is not self._report and life == self._life:
            self._take(report)
        return self._last

    def written(self, name: str) -> Written | None:
        """What the unit's file said when it was last seen; None if there is none."""
        return self._lines[name][1] if name in self._lines else None

    @property
    def since(self) -> float:
        """When the lab began to be this one, on the machine's clock."""
        return self._since

    async def write(self, name: str, text: str) -> None:
        """Have that unit file; systemd hears of it before the next unit is started. Raises MachineDown, or LabError."""
        path = layout.unit_path(name)
        try:
            same = (await self._host.get(path)).decode() == text
        except LabError:
            self._host.require_up()
            same = False
        if not same:
            await self._host.put(path, text.encode(), 0o644)
            self._stale = True

    async def systemctl(self, *words: str, grace: float = 0.0) -> None:
        """Tell systemd something, after it has read what is new; it may take that long (s). Raises LabError."""
        await self._host.agent()
        async with self._lock:
            if self._stale:
                self._stale = False  # before: what is written while it reads may be too late for it
                try:
                    await self._host.checked("systemctl", "daemon-reload", within=_MOMENT)
                except BaseException:
                    self._stale = True
                    raise
        await self._host.checked("systemctl", *words, within=grace + _MOMENT)
        if words[0] in ("enable", "disable"):
            # Whether it is wanted must outlive a power cut in the next moment; systemd itself does not see to that.
            await self._host.checked("sync", "--file-system", layout.UNIT_FILES, within=_MOMENT)

    async def start_enabled(self) -> None:
        """Let all that come back with the machine run, but for those that tried and failed. Raises LabError."""
        await self.ask()
        names = [layout.service(name) for name in self._enabled if self._last[name].state == "stopped"]
        if names:
            await self._host.exec("systemctl", "start", *names, within=_MOMENT)

    def _take(self, report: UnitsReport) -> None:
        units = {}
        for name, each in report.units.items():
            if name not in self._lines or self._lines[name][0] != each.spec:
                self._lines[name] = (each.spec, read_spec(each.spec, self._host.name, name))
            units[name] = self._status(each, self._lines[name][1])
            if name in self._last and self._last[name].pid != each.pid:
                self.frozen.discard(name)
        for name in set(self._lines) - set(units):
            del self._lines[name]
        self._report, self._last = report, units
        self._enabled = tuple(name for name, each in report.units.items() if each.enabled)
        self._ground.known.note(self._host.name, self._enabled)

    def _status(self, report: UnitReport, written: Written) -> UnitStatus:
        new = UnitStatus(report.state, report.pid, report.since, report.exit, written.spec)
        old = self._last.get(report.name)
        if old is not None and abs(old.since - new.since) < _SAME and replace(new, since=old.since) == old:
            return old
        return new
