"""The API canary: it never stops writing through the lab's front, as the presenter's kubectl would."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec

from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import CanaryRow, CanaryState
from rwk_tui.watch.gaps import Gap
from rwk_tui.watch.kube.kinds import SYSTEM
from rwk_tui.watch.kube.protocol import Kube
from rwk_tui.watch.kube.refusals import KubeError
from rwk_tui.watch.kube.tally import Tally
from rwk_tui.watch.kube.wire import ConfigMap
from rwk_tui.watch.pace import Pace
from rwk_tui.watch.stalls import Stalls
from rwk_tui.watch.writes import Writes

AT_ONCE = 24
"""Writes that may be under way together."""

NAME = "rwk-canary"
ALL_MAPS = f"/api/v1/namespaces/{SYSTEM}/configmaps"
MAP = f"{ALL_MAPS}/{NAME}"
FIELD = "number"

_MAP = msgspec.json.Decoder(ConfigMap)


class ApiCanary(Writes):
    """Writes growing numbers into one ConfigMap while `active()`; publishes its row and its outages.

    `front` gives the client (it may raise KubeError), `era` names the etcd canary's epoch: when that changes, the
    store is another one, and what was written to the last is not expected in it.
    """

    def __init__(
        self,
        hub: Hub,
        pace: Pace,
        stalls: Stalls,
        front: Callable[[], Kube],
        active: Callable[[], bool],
        era: Callable[[], int],
        *,
        slack: float = 1.0,
    ) -> None:
        super().__init__(hub, pace, stalls, name="api", words="API writes", at_once=AT_ONCE, slack=slack)
        self._front = front
        self._active_now = active
        self._era = era
        self._tally = Tally(time.monotonic)
        self._epoch = 0
        self._in_era = 0
        self._doubt = True
        self._lost = 0
        self._anew = ""
        self._shown = False

    def new_epoch(self, why: str) -> None:
        """Count anew: what was written before is not expected to be there any more."""
        if self._tally.count or self._tally.unknown_count:
            self._begin(why)

    def forget(self) -> None:
        """Kubernetes was set down: no row, and the next one is another one."""
        self._gaps.restart()
        self._anew = "Kubernetes was set up anew" if self._epoch else ""
        self._doubt = True
        if self._shown:
            self._shown = False
            self._hub.retract(self._subject)

    @property
    def lost(self) -> int:
        """How many acknowledged writes of this epoch were found to be lost."""
        return self._lost

    async def report(self) -> None:
        """Publish the row every second, for ever."""
        while True:
            await asyncio.sleep(1.0)
            if self._shown or self._active_now():
                self.publish()

    def publish(self) -> None:
        """Put the row on the board as it stands."""
        now, current = self._hub.now(), self.gap()
        gap = current or self._gaps.newest()
        state = self._state(current)
        whys = {"stopped": "paused", "idle": "no API server yet", "failing": "writes are not acknowledged"}
        self._shown = True
        self._hub.publish(
            CanaryRow(
                seen_at=now,
                name="api",
                why=whys.get(state, ""),
                state=state,
                epoch=self._epoch,
                rate=round(1 / self.interval, 1),
                acknowledged=self._tally.count,
                failed=self._tally.failed_count,
                unknown=self._tally.unknown_count,
                lost=self._lost,
                gap_ms=round(gap.ms, 1) if gap else 0.0,
                resolution_ms=round((gap.resolution if gap else self.interval) * 1000, 1),
                history=self._minute.history(now),
            )
        )

    def _active(self) -> bool:
        return not self._paused and self._active_now()

    def _state(self, current: Gap | None) -> CanaryState:
        if self._paused:
            return "stopped"
        if not self._active_now():
            return "idle"
        return "failing" if current is not None or not self._gaps.last else "flowing"

    async def _attempt(self, interval: float) -> None:
        """One write; where something may have happened to the store, what it holds is read first."""
        epoch, number = self._epoch, 0
        try:
            async with asyncio.timeout(self._deadline):
                kube = self._front()
                if self._doubt or self._era() != self._in_era:
                    await self._look(kube)
                epoch, number = self._epoch, self._tally.intend()
                await kube.patch(MAP, {"data": {FIELD: str(number)}}, timeout=self._deadline)
        except (KubeError, TimeoutError) as error:
            self._doubt = True
            definite = isinstance(error, KubeError) and error.definite
            if number and epoch == self._epoch:
                (self._tally.failed if definite else self._tally.unknown)(number)
            self._missed()
        else:
            self._acknowledged(number, epoch, interval)

    async def _look(self, kube: Kube) -> None:
        """Read the number that is stored, and count what is lost; make the ConfigMap if there is none."""
        while True:
            epoch, era, mark = self._epoch, self._era(), self._tally.mark
            stored = await self._stored(kube)
            if (epoch, era) == (self._epoch, self._era()):
                break  # else another write began an epoch meanwhile, of which our mark says nothing
        if not self._epoch or self._anew or era != self._in_era:
            self._begin(self._anew or ("its etcd counts anew" if self._epoch else ""), stored)
            self._in_era = era
        elif lost := self._tally.lost(max(0, stored), mark):
            self._tell_lost(lost)
            self._tally.settle(stored)
        if stored < 0:
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NAME, "namespace": SYSTEM}}
            try:
                await kube.create(ALL_MAPS, body, timeout=self._deadline)
            except KubeError as error:
                if not error.conflict:  # another write of ours was faster
                    raise
        self._doubt = False

    async def _stored(self, kube: Kube) -> int:
        """The number that the store holds, -1 where there is no ConfigMap. Raises KubeError."""
        try:
            found = _MAP.decode(await kube.get(MAP, timeout=self._deadline))
        except KubeError as error:
            if not error.missing:
                raise
            return -1
        return _number((found.data or {}).get(FIELD, ""))

    def _acknowledged(self, number: int, epoch: int, interval: float) -> None:
        if epoch != self._epoch:
            return
        self._tally.acknowledged(number)
        self._heard(interval)

    def _begin(self, why: str, stored: int = 0) -> None:
        before = self._tally.count
        self._tally.begin(max(stored, 0))
        self._epoch += 1
        self._lost, self._anew = 0, ""
        self._gaps.restart()
        if before:
            text = f"the API canary counts anew (epoch {self._epoch}): {why}; {before} writes were acknowledged before"
            self._hub.tell("epoch", text, subject=self._subject)
        self.publish()

    def _tell_lost(self, lost: int) -> None:
        self._lost += lost
        text = f"{lost} of {self._tally.count} acknowledged API writes are lost: the store went back"
        self._hub.tell("lost", text, level="bad", subject=self._subject)


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return 0
