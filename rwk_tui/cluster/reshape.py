"""Starting, growing, shrinking and wiping an etcd cluster, as operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from rwk_tui.cluster.etcd import (
    PLAIN,
    REGISTRY_UNIT,
    UNIT,
    Discovery,
    Static,
    Style,
    data_dir,
    member_spec,
    peer_url,
    registry_spec,
)
from rwk_tui.cluster.etcdctl import etcdctl
from rwk_tui.cluster.members import JoinOp, Live, MemberOp, list_members
from rwk_tui.cluster.ops import Op, Retry, RunOp, Together, UnitOp
from rwk_tui.cluster.promotion import Promotion
from rwk_tui.lab.protocol import Machine
from rwk_tui.settings import Settings

SETTLING = ("unhealthy cluster", "not enough started members")
"""What etcd answers to a reshaping for some seconds after a member (re)started; nothing was changed then."""
CATCHING_UP = ("in sync with leader", "in sync with its leader", *SETTLING)
"""What etcd answers to a promotion until the learner has the log."""
APART = 0.1
"""Seconds between the starts of new members. Each first asks the others whether it was there before; where all of them
listen but none serves yet, each waits two seconds for the others."""

NOTICING = 0.3
"""Seconds in which a leader is sure to notice that its followers are gone."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known of the members: guesses for previews, and `live` for the moment when it counts."""

    member_id: Callable[[str], str]
    """The ID of a machine's member; "" where there is no guess."""
    peers: Callable[[], Mapping[str, str]]
    """The members, name to peer URL."""
    live: Live = list_members


def start_alone(machine: Machine, settings: Settings, *, public: bool, style: Style = PLAIN) -> Op:
    """Start a new cluster of one; unless `public`, only its own machine can talk to it."""
    cluster = Static({machine.name: peer_url(machine, public=public, scheme=style.scheme)})
    return UnitOp(machine, UNIT, "start", member_spec(machine, settings, cluster, public=public, style=style))


def publish(
    machine: Machine, settings: Settings, known: Knowledge, *, deadline: float, style: Style = PLAIN
) -> tuple[Op, ...]:
    """Let a member that kept to localhost advertise its machine's address, and listen there."""
    update = MemberOp(
        machine,
        machine,
        lambda id_: ("member", "update", id_, f"--peer-urls={peer_url(machine)}"),
        known.member_id,
        known.live,
        public=False,
        style=replace(style, secured=False),
    )
    spec = member_spec(machine, settings, Static({machine.name: peer_url(machine)}), public=True)
    return Retry(update, SETTLING, deadline), UnitOp(machine, UNIT, "restart", spec)


def add(member: Machine, via: Machine, *, learner: bool, deadline: float, style: Style = PLAIN) -> Op:
    """Put a machine on the member list, as a voter or as a learner; it must be started next."""
    arguments = ["member", "add", member.name, f"--peer-urls={peer_url(member, scheme=style.scheme)}"]
    if learner:
        arguments.append("--learner")
    command = etcdctl(via, *arguments, scheme=style.scheme, slack=style.slack)
    return Retry(RunOp(via, command), SETTLING, deadline)


def join(member: Machine, via: Machine, settings: Settings, known: Knowledge, *, style: Style = PLAIN) -> Op:
    """Start etcd on a machine that is on the member list already."""
    return JoinOp(via, member, settings, known.peers, known.live, style)


def promote(member: Machine, via: Machine, known: Knowledge, *, deadline: float, style: Style = PLAIN) -> Op:
    """Give a learner its vote, as soon as it has caught up."""
    op = _about(member, via, "promote", known, style)
    return Promotion(Retry(op, CATCHING_UP, deadline), deadline)


def remove(member: Machine, via: Machine, known: Knowledge, *, deadline: float, style: Style = PLAIN) -> Op:
    """Take a machine off the member list."""
    return Retry(_about(member, via, "remove", known, style), SETTLING, deadline)


def move_leader(to: Machine, leader: Machine, known: Knowledge, *, style: Style = PLAIN) -> Op:
    """Let the leader hand over to another machine's member."""
    return MemberOp(leader, to, lambda id_: ("move-leader", id_), known.member_id, known.live, style=style)


def _about(member: Machine, via: Machine, verb: str, known: Knowledge, style: Style) -> Op:
    return MemberOp(via, member, lambda id_: ("member", verb, id_), known.member_id, known.live, style=style)


def bootstrap(machines: Sequence[Machine], settings: Settings, *, token: str = "rwk", style: Style = PLAIN) -> Op:
    """Start a new cluster whose members know each other from their configuration."""
    cluster = Static({m.name: peer_url(m, scheme=style.scheme) for m in machines}, token=token)
    specs = {m.name: member_spec(m, settings, cluster, style=style) for m in machines}
    return Together(tuple(UnitOp(m, UNIT, "start", specs[m.name]) for m in machines), APART)


def registry(machine: Machine, settings: Settings) -> Op:
    """Start the etcd in which a new cluster finds its members."""
    return UnitOp(machine, REGISTRY_UNIT, "start", registry_spec(machine, settings))


def discover(machines: Sequence[Machine], settings: Settings, discovery: Discovery) -> Op:
    """Start a new cluster whose members find each other in the registry; needs etcd 3.6."""
    return Together(tuple(UnitOp(m, UNIT, "start", member_spec(m, settings, discovery)) for m in machines))


def wipe(machines: Sequence[Machine], *, leader: str = "") -> tuple[Op, ...]:
    """Stop the members on these machines and delete their data.

    A leader that is asked to end hands over first, and tries that for seven seconds if its heir is leaving as well. So
    the one on the machine `leader` stops after the others: then it sees that there is nobody left, and does not try.
    Where no leader is known, they stop one after another.
    """
    known = any(machine.name == leader for machine in machines)
    rounds = [[m for m in machines if m.name != leader], [m for m in machines if m.name == leader]]
    if not known:
        rounds = [[machine] for machine in machines]
    stops = (
        Together(tuple(UnitOp(m, UNIT, "stop") for m in some), pause=NOTICING if n else 0.0)
        for n, some in enumerate(rounds)
    )
    return (
        *(stop for stop in stops if stop.ops),
        Together(tuple(RunOp(machine, ("rm", "-rf", data_dir(machine))) for machine in machines)),
    )
