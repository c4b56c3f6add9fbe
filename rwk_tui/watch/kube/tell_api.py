"""Whether Kubernetes can be reached, told once and in words: single API servers, all of them, and the watches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rwk_tui.board.frames import Level
from rwk_tui.board.hub import Hub
from rwk_tui.board.kube_rows import ApiServerRow, KubeRow
from rwk_tui.board.rows import UnitRow
from rwk_tui.board.wording import seconds
from rwk_tui.cluster.kubernetes.units import API_SERVER
from rwk_tui.watch.expected import Expected

TOLD = 0.5
"""Seconds: a shorter loss is known but not told."""
APART_TOLD = 1.0
"""The same for the watches, which resume by themselves."""


@dataclass(slots=True)
class Known:
    """What was told of one API server: the process that was ready last, and since when it counts as lost (0: not)."""

    pid: int = -1
    lost_at: float = 0.0
    together: bool = False
    """Whether all were lost with it, so that one line said it for all."""


class ApiTeller:
    """Follows the rows of the API servers and of Kubernetes as a whole."""

    def __init__(self, hub: Hub, expected: Expected) -> None:
        self._hub = hub
        self._expected = expected
        self._known: dict[str, Known] = {}
        self._served = False
        self._lost_at = 0.0
        self._lost_told = False
        self._apart_at = 0.0
        self._apart_told = False

    def forget(self) -> None:
        """Kubernetes was set down."""
        self._known.clear()
        self._served = self._lost_told = self._apart_told = False
        self._lost_at = self._apart_at = 0.0

    def work_out(self, servers: Sequence[ApiServerRow], kube: KubeRow, now: float, resolution_ms: float) -> bool:
        """Take in the rows as they stand; True if something waits for mere time to pass."""
        waits = self._kube(kube, now, resolution_ms)
        for row in servers:
            first = row.machine not in self._known
            known = self._known.setdefault(row.machine, Known())
            if row.state == "ready":
                self._ready(row, known, now, resolution_ms, first=first)
            elif known.pid >= 0 and not known.lost_at:
                waits = self._lost(row, known, kube, now) or waits
        for machine in self._known.keys() - {row.machine for row in servers}:
            del self._known[machine]
        return self._watches(kube, now) or waits

    def _ready(self, row: ApiServerRow, known: Known, now: float, resolution_ms: float, *, first: bool) -> None:
        unit = self._unit(row.machine)
        pid = unit.pid if unit is not None else 0
        lost_at, same, together = known.lost_at, known.pid == pid, known.together
        known.pid, known.lost_at, known.together = pid, 0.0, False
        # One that lives on, and whose loss was too short to be told or was told for all of them, has no line here.
        if same and (not lost_at or together):
            return
        if self._expected.takes(row.key, "ready"):
            return
        since, words = 0.0, ""
        if same:
            since, words = lost_at, " again after {}"
        elif not first and unit is not None and unit.since:
            since, words = unit.since, ", {} after its start"
        took = (now - since) * 1000 if since else None
        text = f"the API server of {row.machine} is ready{words.format(seconds(took)) if took else ''}"
        self._tell("api", text, "good", row.key, took, resolution_ms)

    def _lost(self, row: ApiServerRow, known: Known, kube: KubeRow, now: float) -> bool:
        if now - row.since < TOLD:
            return True
        known.lost_at, known.together = row.since, kube.state != "ready"
        unit = self._unit(row.machine)
        # A unit or a machine that went down was told as such.
        alone = not known.together and unit is not None and unit.state == "running"
        if alone and not self._expected.takes(row.key, row.state):
            text = f"the API server of {row.machine} is {'not ready' if row.state == 'unready' else 'lost'}: {row.why}"
            self._hub.tell("api", text, level="warning", subject=row.key, at=row.since)
        return False

    def _kube(self, kube: KubeRow, now: float, resolution_ms: float) -> bool:
        if kube.state == "ready":
            if self._lost_told and not self._expected.takes("kube", "ready"):
                took = (now - self._lost_at) * 1000
                self._tell("api", f"Kubernetes serves again after {seconds(took)}", "good", "kube", took, resolution_ms)
            self._served, self._lost_at, self._lost_told = True, 0.0, False
            return False
        if not self._served or self._lost_told:
            return False
        self._lost_at = self._lost_at or kube.since or now
        if now - self._lost_at < TOLD:
            return True
        self._lost_told = True
        if not self._expected.takes("kube", kube.state):
            self._hub.tell("api", kube.why, level="bad", subject="kube", at=self._lost_at)
        return False

    def _watches(self, kube: KubeRow, now: float) -> bool:
        """The watches on their own: that they break off with the API is part of that."""
        if kube.state != "ready" and not self._apart_told:
            self._apart_at = 0.0
        if kube.fresh and self._apart_told:
            took = (now - self._apart_at) * 1000
            self._tell("watch", f"Kubernetes is watched again after {seconds(took)}", "good", "kube", took, 10.0)
        if kube.fresh:
            self._apart_at, self._apart_told = 0.0, False
        if kube.fresh or kube.state != "ready" or self._apart_told or not kube.synced_at:
            return False
        self._apart_at = self._apart_at or now
        if now - self._apart_at < APART_TOLD:
            return True
        self._apart_told = True
        self._hub.tell("watch", kube.why, level="warning", subject="kube", at=self._apart_at)
        return False

    def _tell(self, kind: str, text: str, level: Level, subject: str, took: float | None, resolution_ms: float) -> None:
        self._hub.tell(
            kind,
            text,
            level=level,
            subject=subject,
            duration_ms=None if took is None else round(took, 1),
            resolution_ms=None if took is None else resolution_ms,
        )

    def _unit(self, machine: str) -> UnitRow | None:
        return self._hub.board.get(UnitRow, f"unit/{machine}/{API_SERVER}")
