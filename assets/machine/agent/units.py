"""The units of the lab on this machine. Systemd is asked only about those that may have changed."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import Any

from systemd import end_of, number, on_the_clock, show, slices, spec_in, stat_of

LOOK_ANYWAY = 30.0  # seconds after which systemd is asked though nothing seems to have changed
LOOK_WITHOUT_CGROUPS = 1.0  # the same where nobody sees a unit start
PREFIX, SUFFIX = "rwk-", ".service"
GONE = ("", "Z", "X")  # state letters of a process that has ended


class Unit:
    """What is known of one unit."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.service = PREFIX + name + SUFFIX
        self.file: tuple[int, int] | None = None
        self.spec = ""
        self.urgent = True  # ask systemd now
        self.unsettled = False  # ask it again soon
        self.asked = 0.0
        self._active = ""
        self._pid = 0
        self._birth = ""
        self._letter = ""
        self._paused = False
        self._since = 0.0
        self._exit = ""
        self._ended_well = False

    def look(self, ways: list[str]) -> None:
        """Note whether its main process still is what it was or, where there was none, whether there is one now."""
        if self._pid:
            self._letter, birth = stat_of(self._pid)
            if self._letter in GONE or birth != self._birth:
                self.urgent = True
        elif not self.unsettled and any(os.path.exists(f"{way}/{self.service}") for way in ways):
            self.urgent = True

    def take(self, shown: dict[str, str]) -> None:
        """Take what systemd says about it."""
        before, self._pid = self._pid, number(shown, "MainPID")
        self._active = shown.get("ActiveState", "")
        self.urgent, self.asked = False, time.monotonic()
        if self._pid:
            self._letter, self._birth = stat_of(self._pid)
            self.unsettled = self._active != "active" or self._letter in GONE
            if self._pid != before:
                self._since = on_the_clock(shown, "ExecMainStartTimestampMonotonic")
                self._exit, self._paused = "", False
            return
        self.unsettled = self._active not in ("inactive", "failed")
        self._paused = False
        if number(shown, "ExecMainExitTimestampMonotonic"):
            self._exit, self._ended_well = end_of(shown)
            self._since = on_the_clock(shown, "ExecMainExitTimestampMonotonic")
        elif shown.get("Result", "success") != "success":
            self._exit, self._ended_well = f"could not start: {shown['Result']}", False
            self._since = on_the_clock(shown, "StateChangeTimestampMonotonic")
        elif before:  # it ended well, and systemd has forgotten it already
            self._exit, self._ended_well, self._since = "ended when asked to", True, time.time()

    def report(self, told: list[str], held: list[str], wanted: bool) -> dict[str, Any]:
        if self._pid:
            paused = self._letter == "T" or (self._letter == "t" and self.name in told)
            if self.name in held:
                paused = self.name in told
            if paused != self._paused:
                self._paused, self._since = paused, time.time()
        return {
            "name": self.name,
            "spec": self.spec,
            "active": self._active,
            "ended_well": self._ended_well,
            "pid": self._pid,
            "paused": self._paused,
            "since": self._since,
            "exit": self._exit,
            "enabled": wanted,
        }


class Units:
    """All of them; a file without a spec is a helper of ours and no unit of the lab."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._units: dict[str, Unit] = {}
        self._helpers: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()
        self._ways = slices()
        self._version = 0
        self._last: list[dict[str, Any]] | None = None
        self._not_before = 0.0

    def touch(self) -> None:
        """Somebody may have changed something."""
        with self._lock:
            for unit in self._units.values():
                unit.urgent = True

    def report(self, message: dict[str, Any]) -> dict[str, Any]:
        """How they stand; only the version of that where the other side has seen it."""
        if message["fresh"]:
            self.touch()
        with self._lock:
            self._read_files()
            self._ask()
            wants = f"{self._directory}/multi-user.target.wants/"
            units = [
                unit.report(message["told"], message["held"], os.path.lexists(wants + unit.service))
                for _, unit in sorted(self._units.items())
            ]
            if units != self._last:
                self._last = units
                self._version += 1
            if message["seen"] == self._version:
                return {"version": self._version}
            return {"version": self._version, "units": units}

    def _read_files(self) -> None:
        files = {}
        with contextlib.suppress(FileNotFoundError), os.scandir(self._directory) as entries:
            for entry in entries:
                if entry.name.startswith(PREFIX) and entry.name.endswith(SUFFIX):
                    with contextlib.suppress(FileNotFoundError):
                        found = entry.stat()
                        files[entry.name[len(PREFIX) : -len(SUFFIX)]] = (found.st_mtime_ns, found.st_ino)
        for name in set(self._units) - set(files):
            del self._units[name]
        for name, file in files.items():
            unit = self._units.get(name)
            if self._helpers.get(name) == file or (unit is not None and unit.file == file):
                continue
            spec = spec_in(f"{self._directory}/{PREFIX}{name}{SUFFIX}")
            if not spec:
                self._helpers[name] = file
                self._units.pop(name, None)
                continue
            unit = self._units.setdefault(name, Unit(name))
            unit.file, unit.spec, unit.urgent = file, spec, True

    def _ask(self) -> None:
        now = time.monotonic()
        anyway = LOOK_ANYWAY if self._ways else LOOK_WITHOUT_CGROUPS
        units = []
        for unit in self._units.values():
            unit.look(self._ways)
            if unit.urgent or now - unit.asked > anyway or (unit.unsettled and now > self._not_before):
                units.append(unit)
        if units:
            shown = show([unit.service for unit in units])
            for unit in units:
                unit.take(shown.get(unit.service, {}))
            done = time.monotonic()
            self._not_before = done + 2 * (done - now)  # a slow machine has more to do than to be asked
