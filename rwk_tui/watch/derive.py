"""From sightings to rows: what the board is to say about machines, units, members, quorum and links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from rwk_tui.board.rows import Health, LinkRow, MachineRow, MemberRow, QuorumRow, QuorumState, Role, Row, UnitRow
from rwk_tui.lab.protocol import Link
from rwk_tui.watch.answers import Member, Status
from rwk_tui.watch.leader import Belief, believe, largest_group, main_cluster, majority
from rwk_tui.watch.sightings import MachineSighting, Roster, Scene


class Deriver:
    """Works out all rows from the scene; remembers only since when a health or a quorum state has lasted.

    `patience` is for how long (s) a cluster may be without a leader before that counts as a lost quorum.
    """

    def __init__(self, scene: Scene, patience: float) -> None:
        self._scene = scene
        self._patience = patience
        self._health: dict[str, tuple[Health, float]] = {}
        self._state: tuple[str, float] = ("none", 0.0)
        self._leaderless_since = 0.0
        self.cluster = ""
        self.belief: Belief | None = None

    def rows(self, links: Sequence[Link], now: float) -> dict[str, Row]:
        """Every row that holds now, by key."""
        scene = self._scene
        found: list[Row] = []
        for name, seen in scene.machines.items():
            found.extend(_machine_rows(name, scene.addresses[name], seen))
        found.extend(_link_row(link, now) for link in links)
        living = scene.living()
        self.cluster = main_cluster(living, self.cluster if scene.roster else "")
        inside = {machine: status for machine, status in living.items() if status.cluster_id == self.cluster}
        cut = {(link.source, link.target) for link in links if link.is_cut}
        found.extend(self._etcd_rows(inside, cut, now))
        return {row.key: row for row in found}

    def _etcd_rows(self, living: Mapping[str, Status], cut: set[tuple[str, str]], now: float) -> list[Row]:
        roster = self._scene.roster or _provisional(living, now)
        voters = {member.id for member in roster.members if not member.learner}
        self.belief = belief = believe(living.values(), voters)
        if not roster.members:
            self._health.clear()
            return [self._lasting(QuorumRow(seen_at=now, state="none", why="no etcd member is known"), now)]
        top = max((status.raft_index for status in living.values()), default=0)
        rows: list[Row] = []
        names: dict[str, str] = {}
        for member in roster.members:
            row = self._member_row(member, roster, living, belief, top, now)
            names[member.id] = row.machine or row.name
            rows.append(row)
        for gone in set(self._health) - names.keys():
            del self._health[gone]
        rows.append(self._quorum(roster, living, cut, names, now))
        return rows

    def _member_row(
        self,
        member: Member,
        roster: Roster,
        living: Mapping[str, Status],
        belief: Belief | None,
        top: int,
        now: float,
    ) -> MemberRow:
        machine = self._scene.home(member)
        seen = self._scene.members.get(machine)
        status = seen.status if seen is not None and seen.status and seen.status.member_id == member.id else None
        alive = status is not None and living.get(machine) is status
        role, health, why = _standing(member, status if alive else None, belief)
        if health == "down":
            why = (self._scene.silence(machine) if machine else "") or "its machine is not known"
        alarms = sorted({a.name for one in living.values() for a in one.alarms if a.member_id in (member.id, "")})
        row = MemberRow(
            seen_at=seen.at if alive and seen is not None else (roster.at if health == "unstarted" else 0.0),
            fresh=alive or (health == "unstarted" and not roster.why),
            why=why,
            id=member.id,
            name=member.name or machine,
            machine=machine,
            role=role,
            health=health,
            since=self._since(member.id, health, now),
            alarms=tuple(alarms),
            peer_urls=member.peer_urls,
            client_urls=member.client_urls,
        )
        if status is None or seen is None:
            return row
        return replace(
            row,
            seen_at=seen.at,
            version=status.version,
            term=status.term,
            raft_index=status.raft_index,
            applied_index=status.applied_index,
            lag=max(0, top - status.applied_index) if alive else 0,
            db_size=status.db_size,
            latencies=tuple(seen.latencies),
            errors=status.errors if alive else (),
        )

    def _since(self, member: str, health: Health, now: float) -> float:
        known = self._health.get(member)
        if known is None or known[0] != health:
            known = self._health[member] = (health, now)
        return known[1]

    def _quorum(
        self,
        roster: Roster,
        living: Mapping[str, Status],
        cut: set[tuple[str, str]],
        names: Mapping[str, str],
        now: float,
    ) -> QuorumRow:
        voters = {member.id for member in roster.members if not member.learner}
        needed, belief = majority(len(voters)), self.belief
        homes = {machine for machine, status in living.items() if status.member_id in voters}
        if belief is not None:
            self._leaderless_since = 0.0
            reachable = sum(1 for machine in homes if _follows(living[machine], belief))
        else:
            self._leaderless_since = self._leaderless_since or now
            reachable = largest_group(homes, cut)
        learners = len(roster.members) - len(voters)
        all_well = belief is not None and reachable == len(voters)
        missing_learner = learners > sum(1 for status in living.values() if status.learner)
        some = f"{reachable} of {len(voters)} voter{'s' if len(voters) != 1 else ''} reachable"
        state: QuorumState = "degraded"
        why = some
        if reachable < needed:
            state, why = "lost", f"no quorum: {some}"
        elif belief is None and now - self._leaderless_since >= self._patience:
            state, why = "lost", f"no leader, though {some}"
        elif belief is None:
            why = f"no leader: {some}, an election is due"
        elif all_well and missing_learner:
            why = "a learner does not answer"
        elif all_well:
            state, why = "healthy", ""
        row = QuorumRow(
            seen_at=max((self._scene.members[machine].at for machine in living), default=roster.at),
            fresh=bool(living),
            why=why,
            state=state,
            voters=len(voters),
            learners=learners,
            needed=needed,
            reachable=reachable,
            leader=names.get(belief.leader, "") if belief else "",
            term=belief.term if belief else max((status.term for status in living.values()), default=0),
            cluster_id=self.cluster,
        )
        return self._lasting(row, now)

    def _lasting(self, row: QuorumRow, now: float) -> QuorumRow:
        """The row with the time since when its state has lasted."""
        if self._state[0] != row.state:
            self._state = (row.state, now)
        return replace(row, since=self._state[1])


def _provisional(living: Mapping[str, Status], now: float) -> Roster:
    """The members that answer, for as long as no list has been fetched."""
    members = (Member(status.member_id, machine, learner=status.learner) for machine, status in living.items())
    return Roster(tuple(members), now)


def _follows(status: Status, belief: Belief) -> bool:
    return status.leader == belief.leader


def _standing(member: Member, status: Status | None, belief: Belief | None) -> tuple[Role, Health, str]:
    """Role, health and the reason of a member, given its status if it answers."""
    if status is None:
        role: Role = "learner" if member.learner else "unknown"
        if not member.started:
            return role, "unstarted", "added, not started yet"
        return role, "down", ""
    if belief is not None and _follows(status, belief):
        if member.id == belief.leader:
            return "leader", "healthy", ""
        return ("learner" if member.learner else "follower"), "healthy", ""
    role = "learner" if member.learner else "unknown"
    if status.leader == member.id:
        return role, "no leader", "claims to lead, but no majority follows"
    if status.leader:
        return role, "no leader", "follows a leader that no majority follows"
    return role, "no leader", "knows no leader"


def _machine_rows(name: str, address: str, seen: MachineSighting) -> list[Row]:
    status = seen.status
    if status is None:
        return []
    fresh = not seen.why and status.seen
    why = seen.why or status.why
    rows: list[Row] = [
        MachineRow(
            seen_at=seen.at,
            fresh=fresh,
            why=why,
            name=name,
            power=status.power,
            address=status.address or address,
            since=status.since,
        )
    ]
    for unit, state in status.units.items():
        rows.append(
            UnitRow(
                seen_at=seen.at,
                fresh=fresh,
                why=why,
                machine=name,
                unit=unit,
                state=state.state,
                pid=state.pid,
                since=state.since,
                exit=state.exit,
                environment=state.spec.environment if state.spec else (),
                argv=state.spec.argv if state.spec else (),
            )
        )
    return rows


def _link_row(link: Link, now: float) -> LinkRow:
    return LinkRow(
        seen_at=now,
        source=link.source,
        target=link.target,
        state="cut" if link.is_cut else "open",
        delay_ms=link.delay_ms,
        jitter_ms=link.jitter_ms,
        loss=link.loss,
    )
