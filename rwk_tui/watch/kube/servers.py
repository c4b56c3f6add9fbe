"""The API servers: one probe a machine, and what all of them together amount to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from rwk_tui.board.kube_rows import ApiServerRow, ApiState, KubeState
from rwk_tui.cluster.kubernetes.units import API_PORT, API_SERVER
from rwk_tui.lab.protocol import Lab, Machine, UnitStatus
from rwk_tui.watch.kube.front import Doors
from rwk_tui.watch.kube.protocol import Kube, Readiness
from rwk_tui.watch.kube.refusals import KubeError
from rwk_tui.watch.pace import Pace
from rwk_tui.watch.sightings import Scene

CALM, CLOSE, STARTING = 1.0, 0.25, 0.1
"""Seconds between two questions: in quiet times, around a fault, and to a server that was never ready yet.

Whoever builds on it waits for its first readiness, and so does the audience.
"""
LOOK = 0.1
"""Seconds between two looks at what the machine says while the API server has not answered."""
DEADLINE = 1.0
"""Seconds that /readyz may take, to be multiplied by the backend's slack."""


@dataclass(slots=True)
class Server:
    """What the API server of one machine said last; `asked` is when the newest question ended, well or not."""

    state: ApiState = "down"
    since: float = 0.0
    at: float = 0.0
    asked: float = 0.0
    why: str = "not asked yet"
    version: str = ""
    failing: tuple[str, ...] = ()
    latency_ms: float = 0.0
    was_ready: bool = False


class Servers:
    """Asks every API server that is set up how it stands, and steers the fronts to those that are ready."""

    def __init__(
        self,
        lab: Lab,
        scene: Scene,
        doors: Doors,
        pace: Pace,
        clock: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        self._lab = lab
        self._scene = scene
        self._doors = doors
        self._pace = pace
        self._clock = clock
        self._changed = changed
        self._deadline = DEADLINE * lab.slack
        self._steered: tuple[str, ...] | None = None
        self.seen: dict[str, Server] = {}

    def unit(self, machine: str) -> UnitStatus | None:
        """The unit of the API server on that machine, as it was seen last."""
        status = self._scene.machines[machine].status
        return status.units.get(API_SERVER) if status is not None else None

    def exist(self) -> bool:
        """Whether any machine has an API server set up; what was known stays known while a machine can't be asked."""
        return any(self.unit(name) is not None for name in self._scene.machines)

    def ready(self) -> tuple[str, ...]:
        """The machines whose API server is ready."""
        return tuple(name for name in self._lab.machines if name in self.seen and self.seen[name].state == "ready")

    def forget(self) -> None:
        """No API server is set up any more."""
        self.seen.clear()
        self._after()

    async def watch(self, machine: Machine) -> None:
        """Ask the API server of one machine, for ever, as long as there is one."""
        while True:
            if self.unit(machine.name) is None:
                if self.seen.pop(machine.name, None) is not None:
                    self._after()
            else:
                await self._ask(machine)
            calm, close = (STARTING, STARTING) if self._starts(machine.name) else (CALM, CLOSE)
            await self._pace.beat(calm, close)

    def rows(self) -> list[ApiServerRow]:
        """A row for each API server that is set up and was asked."""
        return [
            ApiServerRow(
                seen_at=seen.at,
                fresh=seen.state != "down",
                why=seen.why,
                machine=name,
                state=seen.state,
                since=seen.since,
                version=seen.version,
                failing=seen.failing,
                latency_ms=round(seen.latency_ms, 2),
            )
            for name, seen in self.seen.items()
            if seen.asked
        ]

    def together(self, *, quorum_lost: bool) -> tuple[KubeState, str]:
        """What all of them amount to, and why."""
        if not self.exist():
            return "none", "no API server is set up"
        seen = self.seen.values()
        if self.ready():
            return "ready", ""
        young = not any(one.was_ready for one in seen)
        answering = {name: one for name, one in self.seen.items() if one.state == "unready"}
        if answering:
            if all("etcd" in one.failing for one in answering.values()):
                why = "etcd has no quorum" if quorum_lost else "etcd does not answer"
                return ("starting" if young else "unready"), f"{why}, so no API server can serve"
            name, one = next(iter(answering.items()))
            return ("starting" if young else "unready"), f"the API server of {name} is not ready: {one.why}"
        if young and any(self._runs(name) for name in self._scene.machines):
            return "starting", "no API server answers yet"
        whys = {one.why for one in seen}
        alone = f": {whys.pop()}" if len(whys) == 1 else ""
        frozen = any(one.why.startswith("the API server does not answer") for one in seen)
        return "unreachable", f"no API server {'answers' if frozen else 'is up'}{alone}"

    def _runs(self, machine: str) -> bool:
        unit = self.unit(machine)
        return unit is not None and unit.state == "running"

    def _starts(self, machine: str) -> bool:
        seen = self.seen.get(machine)
        return seen is not None and not seen.was_ready and self._runs(machine)

    async def _ask(self, machine: Machine) -> None:
        name = machine.name
        seen = self.seen.setdefault(name, Server(since=self._clock()))
        idle = self._scene.idle(name, API_SERVER)
        state: ApiState = "down"
        failing: tuple[str, ...] = ()
        began = time.monotonic()
        why = idle
        if not idle:
            try:
                kube = await self._doors.of(machine)
                answer = await self._answer(kube, name)
                took = time.monotonic() - began
                state, failing = ("ready" if answer.ready else "unready"), answer.failing
                why = "" if answer.ready else _unmet(failing)
            except KubeError as error:
                why = str(error)
                state = "unready" if error.trouble == "answer" else "down"
            else:
                seen.latency_ms = took * 1000
                if answer.ready and (seen.state != "ready" or not seen.version):
                    seen.version = await self._version(kube) or seen.version
        if self.seen.get(name) is not seen:
            return  # it was taken down meanwhile
        now = self._clock()
        if state != "down":
            seen.at = now
        alive = seen.state == "ready"
        news = (state, failing, why) != (seen.state, seen.failing, seen.why)
        if state != seen.state:
            seen.since = now
        seen.state, seen.failing, seen.why, seen.asked = state, failing, why, now
        seen.was_ready = seen.was_ready or state == "ready"
        if alive and state != "ready":
            self._pace.alert(5.0)
        if news:
            self._after()
        else:
            self._changed()

    async def _answer(self, kube: Kube, name: str) -> Readiness:
        """Its readiness; a machine that says meanwhile that the program is frozen or gone is believed at once."""
        asking = asyncio.ensure_future(kube.ready(timeout=self._deadline))
        try:
            while not (await asyncio.wait({asking}, timeout=LOOK))[0]:
                if idle := self._scene.idle(name, API_SERVER):
                    raise KubeError(idle, trouble="silent")
            return asking.result()
        finally:
            if not asking.done():
                asking.cancel()
                await asyncio.wait({asking})

    def _after(self) -> None:
        """Something changed: let the fronts follow at once."""
        ready = self.ready()
        if ready != self._steered:
            self._steered = ready
            self._lab.steer(API_PORT, ready)
        self._changed()

    async def _version(self, kube: Kube) -> str:
        """Its version; "" if it does not say, and then it is asked again."""
        try:
            return await kube.version(timeout=self._deadline)
        except KubeError:
            return ""


def _unmet(failing: tuple[str, ...]) -> str:
    """Which checks don't pass, in few words: while a server starts there are dozens."""
    names = [name.rpartition("/")[2] for name in failing]
    if len(names) > 2:
        return f"{len(names)} checks do not pass, such as {names[0]}"
    return f"{' and '.join(names) or 'a check'} {'do' if len(names) > 1 else 'does'} not pass"
