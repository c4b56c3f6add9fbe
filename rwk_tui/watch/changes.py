"""From rows to events: what changed between two boards, told once and in words."""

from __future__ import annotations

from collections.abc import Mapping

from rwk_tui.board.frames import Level
from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import MachineRow, MemberRow, Power, Row, UnitRow
from rwk_tui.watch.expected import Expected

POWER_WORDS: dict[Power, tuple[Level, str]] = {
    "up": ("good", "is up"),
    "halted": ("warning", "is halted"),
    "off": ("bad", "lost its power"),
    "gone": ("bad", "is gone with its disk"),
}
"""Only where a machine ends up is told, not that it is on its way."""


class Changes:
    """Tells what happened to machines, units and members; the first sight of a thing is no change of it."""

    def __init__(self, hub: Hub, expected: Expected) -> None:
        self._hub = hub
        self._expected = expected
        self._power: dict[str, Power] = {}

    def tell(self, old: Mapping[str, Row], new: Mapping[str, Row]) -> None:
        """Tell the changes from one set of rows, by key, to the next."""
        fell = {row.name for row in new.values() if isinstance(row, MachineRow) and self._machine(row)}
        for key, row in new.items():
            if isinstance(row, UnitRow) and row.machine not in fell:
                self._unit(old.get(key), row, known=f"machine/{row.machine}" in old)
        self._members(old, new)

    def _machine(self, row: MachineRow) -> bool:
        """Tell a machine's new power state; True when its units are down with it, so that they go without saying."""
        before = self._power.get(row.name)
        if row.power in POWER_WORDS and row.fresh:
            self._power[row.name] = row.power
            if before is not None and before != row.power and not self._expected.takes(row.key, row.power):
                level, words = POWER_WORDS[row.power]
                self._hub.tell("machine", f"{row.name} {words}", level=level, subject=row.key, at=_when(row))
        return row.power != "up"

    def _unit(self, before: Row | None, row: UnitRow, *, known: bool) -> None:
        if not row.fresh or (before is None and (not known or row.state != "running")):
            return
        was = before.state if isinstance(before, UnitRow) else "stopped"
        restarted = isinstance(before, UnitRow) and was == row.state == "running" and before.pid != row.pid
        if was == row.state and not restarted:
            return
        if self._expected.takes(row.key, row.state):
            return
        level, words = _unit_words(was, row, restarted)
        if words:
            text = f"{row.unit} {words} on {row.machine}" + (
                f": {row.exit}" if row.state == "failed" and row.exit else ""
            )
            self._hub.tell("unit", text, level=level, subject=row.key, at=_when(row))

    def _members(self, old: Mapping[str, Row], new: Mapping[str, Row]) -> None:
        before = {key: row for key, row in old.items() if isinstance(row, MemberRow)}
        after = {key: row for key, row in new.items() if isinstance(row, MemberRow)}
        if not before:
            return
        for key, row in after.items():
            self._member(before.get(key), row)
        if not after:
            return
        for key in before.keys() - after.keys():
            self._hub.tell("member", f"{before[key].name} left the etcd cluster", level="warning", subject=key)

    def _member(self, before: MemberRow | None, row: MemberRow) -> None:
        started = row.health != "unstarted"
        if before is None:
            what = "a learner" if row.role == "learner" else "a voter"
            text = f"{row.name} was added to the etcd cluster as {what}" + ("" if started else ", not started yet")
            self._hub.tell("member", text, level="info", subject=row.key)
            return
        if before.health == "unstarted" and started:
            what = "as a learner" if row.role == "learner" else "as a voter"
            self._hub.tell("member", f"{row.name} joined the etcd cluster {what}", level="good", subject=row.key)
        if before.role == "learner" and row.role != "learner":
            self._hub.tell("member", f"{row.name} was promoted: it votes now", level="good", subject=row.key)
        if before.peer_urls and row.peer_urls != before.peer_urls:
            text = f"{row.name} is reached by its peers at {', '.join(row.peer_urls)} now"
            self._hub.tell("member", text, subject=row.key)
        for alarm in set(row.alarms) - set(before.alarms):
            self._hub.tell("alarm", f"{row.name} raised the alarm {alarm}", level="bad", subject=row.key)
        for alarm in set(before.alarms) - set(row.alarms):
            self._hub.tell("alarm", f"the alarm {alarm} of {row.name} is over", level="good", subject=row.key)


def _unit_words(was: str, row: UnitRow, restarted: bool) -> tuple[Level, str]:
    if restarted:
        return "warning", "restarted"
    if row.state == "running":
        return ("good", "goes on") if was == "paused" else ("good", "started")
    if row.state == "paused":
        return "bad", "is paused"
    if row.state == "failed":
        return "bad", "failed"
    return ("info", "") if was == "failed" else ("warning", "stopped")


def _when(row: MachineRow | UnitRow) -> float:
    """The moment of the change: the lab's own record where it is believable, else that of the sighting."""
    return row.since if row.seen_at - 5.0 <= row.since <= row.seen_at else row.seen_at
