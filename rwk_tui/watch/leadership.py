"""Who leads and whether there is a quorum, over time: elections, handovers, losses, with what they measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import MachineRow, MemberRow, QuorumRow, Row, UnitRow
from rwk_tui.board.wording import seconds
from rwk_tui.watch.expected import Expected
from rwk_tui.watch.sightings import ETCD


@dataclass(frozen=True, slots=True)
class Election:
    """One change of leader; `ms` is None where the moment at which the old one was lost is not known."""

    at: float
    leader: str
    term: int
    ms: float | None
    resolution_ms: float
    graceful: bool


class Leadership:
    """Follows the leader from board to board; times are unix (s)."""

    def __init__(self, hub: Hub, expected: Expected) -> None:
        self._hub = hub
        self._expected = expected
        self._leader = ""
        self._term = 0
        self._seen_leading = 0.0
        self._looked = 0.0
        self._leaderless = False
        self._early = ("", 0.0, 0.0)
        self._anew = False
        self._quorum = "none"
        self._lost_at = 0.0
        self.elections: list[Election] = []

    @property
    def undecided(self) -> bool:
        """Whether a new leader is seen whose term is not reported yet: its election is not told before that."""
        return bool(self._early[0])

    def forget(self) -> None:
        """The cluster is gone; the next one starts from nothing."""
        self._leader, self._term, self._leaderless, self._quorum = "", 0, False, "none"
        self._early, self._anew = ("", 0.0, 0.0), False

    def may_begin_anew(self) -> None:
        """Another history may go on in the place of this one: a term that did not grow is then that of another."""
        self._anew = True

    def follow(self, rows: Mapping[str, Row], at: float) -> None:
        """Take in the rows as they stand; `at` is the time of the newest answer they rest on."""
        quorum = rows.get("quorum")
        if not isinstance(quorum, QuorumRow):
            return
        self._follow_leader(quorum, rows, at)
        self._follow_quorum(quorum, at)
        self._looked = at

    def _follow_leader(self, quorum: QuorumRow, rows: Mapping[str, Row], at: float) -> None:
        if not quorum.leader:
            self._leaderless = bool(self._leader)
            return
        if self._anew and (quorum.leader, quorum.term) != (self._leader, self._term):
            if quorum.term <= self._term:
                self.forget()
            self._anew = False
        if not self._leader:
            text = f"{quorum.leader} leads etcd in term {quorum.term}"
            self._hub.tell("leader", text, level="info", subject="quorum")
        elif quorum.leader != self._leader and quorum.term <= self._term:
            # A term has one leader, so the new term is not reported yet; the moment of the election is this one.
            if self._early[0] != quorum.leader:
                self._early = (quorum.leader, at, self._looked)
            return
        elif (quorum.leader, quorum.term) != (self._leader, self._term):
            early, self._early = self._early, ("", 0.0, 0.0)
            if early[0] == quorum.leader:
                at, self._looked = early[1], early[2]
            self._changed(quorum, rows, at)
        self._leader, self._term, self._leaderless = quorum.leader, quorum.term, False
        self._early = ("", 0.0, 0.0)
        for row in rows.values():
            if isinstance(row, MemberRow) and row.role == "leader" and row.fresh:
                self._seen_leading = row.seen_at

    def _changed(self, quorum: QuorumRow, rows: Mapping[str, Row], at: float) -> None:
        graceful = self._handed_over(rows) and quorum.leader != self._leader
        lost_at, exact = self._lost(rows, at)
        resolution = max(1.0, (at - self._looked) * 1000)
        if not exact:
            resolution += max(0.0, (self._looked - lost_at) * 1000) if not self._leaderless else 0.0
        took = max(0.0, (at - lost_at) * 1000)
        if graceful:
            text = f"leadership passed from {self._leader} to {quorum.leader} (term {quorum.term})"
        else:
            again = " again" if quorum.leader == self._leader else ""
            text = f"{quorum.leader} elected{again} in term {quorum.term} after {seconds(took)}"
        self._hub.tell(
            "election",
            text,
            level="good",
            subject="quorum",
            duration_ms=None if graceful else round(took, 1),
            resolution_ms=round(resolution, 1),
            at=at,
        )
        self.elections.append(
            Election(at, quorum.leader, quorum.term, None if graceful else took, resolution, graceful)
        )
        del self.elections[:-50]

    def _handed_over(self, rows: Mapping[str, Row]) -> bool:
        """Whether the old leader gave its place away in good order: it lives on in agreement, or was asked to stop."""
        if self._leaderless or self._expected.disturbed(self._leader) >= self._seen_leading:
            return False
        machine = rows.get(f"machine/{self._leader}")
        if isinstance(machine, MachineRow) and machine.power in ("off", "gone"):
            return False
        unit = rows.get(f"unit/{self._leader}/{ETCD}")
        if isinstance(unit, UnitRow) and unit.state in ("failed", "paused"):
            return False
        if isinstance(unit, UnitRow) and unit.state == "stopped":
            return True
        return any(
            isinstance(row, MemberRow) and row.machine == self._leader and row.fresh and row.health == "healthy"
            for row in rows.values()
        )

    def _lost(self, rows: Mapping[str, Row], at: float) -> tuple[float, bool]:
        """When the old leader was lost, and whether that moment is known rather than inferred from its last answer."""
        moments = [self._expected.disturbed(self._leader)]
        machine = rows.get(f"machine/{self._leader}")
        if isinstance(machine, MachineRow) and machine.power in ("off", "gone", "halted"):
            moments.append(machine.since)
        unit = rows.get(f"unit/{self._leader}/{ETCD}")
        if isinstance(unit, UnitRow) and unit.state in ("failed", "stopped"):
            moments.append(unit.since)
        known = [moment for moment in moments if self._seen_leading - 2.0 <= moment <= at]
        return (min(known), True) if known else (self._seen_leading or at, False)

    def _follow_quorum(self, quorum: QuorumRow, at: float) -> None:
        before, self._quorum = self._quorum, quorum.state
        if quorum.state == "lost" and before != "lost":
            self._lost_at = at
            self._hub.tell("quorum", f"quorum lost: {_reason(quorum)}", level="bad", subject="quorum", at=at)
        elif before == "lost" and quorum.state in ("healthy", "degraded"):
            if quorum.state == "degraded" and not quorum.leader:
                self._quorum = "lost"  # Enough voters are back, but nothing is decided before one of them leads.
                return
            took = (at - self._lost_at) * 1000
            self._hub.tell(
                "quorum",
                f"quorum regained after {seconds(took)}: {quorum.reachable} of {quorum.voters} voters reachable",
                level="good",
                subject="quorum",
                duration_ms=round(took, 1),
                resolution_ms=round(max(1.0, (at - self._looked) * 1000), 1),
                at=at,
            )


def _reason(quorum: QuorumRow) -> str:
    return quorum.why.removeprefix("no quorum: ")
