"""What faults of etcd members have in common: who can be spared, who can help, and how one joins anew."""

from __future__ import annotations

import contextlib

from rwk_tui.board.board import Board
from rwk_tui.board.rows import QuorumRow
from rwk_tui.cluster.etcd import UNIT
from rwk_tui.cluster.etcdctl import etcdctl
from rwk_tui.cluster.ops import RunOp, UnitOp
from rwk_tui.cluster.rejoin import rejoin
from rwk_tui.faults import sights
from rwk_tui.faults.base import Case, NothingToHeal, machine_of
from rwk_tui.faults.ground import Ground
from rwk_tui.lab.protocol import LabError, Machine

PREFIX = "/rwk/fault/"
"""Below it lie the keys that faults write, each below its own ID."""
JOIN_ANEW = "Let it join anew"


def spared(board: Board) -> tuple[str, ...]:
    """The machines whose members are healthy voters that the others, as far as they are healthy, can do without."""
    healthy, votes = tuple(sorted(sights.voters(board))), len(sights.voting(board))
    return healthy if len(healthy) - 1 >= votes // 2 + 1 else ()


def victim(case: Case) -> Machine:
    """The machine that a case is about. Raises LabError."""
    return case.ground.machine(machine_of(case.target))


async def require_up(machine: Machine) -> None:
    """Raises NothingToHeal if the machine went with its disk, and LabError if it is down."""
    power = (await machine.status()).power
    if power == "gone":
        raise NothingToHeal(f"{machine.name} was destroyed meanwhile")
    if power != "up":
        raise LabError(f"{machine.name} is {power}, switch it on first")


def helper(ground: Ground, machine: str) -> Machine:
    """Another machine whose member can change who the members are, the leader's if it can be. Raises LabError."""
    board = ground.hub.board
    quorum = board.get(QuorumRow, "quorum")
    if quorum is None or quorum.state in ("none", "lost"):
        raise LabError("etcd has no quorum now, so nobody can be removed or added")
    others = [name for name in sights.voters(board) if name != machine]
    if not others:
        raise LabError(f"no {'member but that of ' + machine if machine else 'member'} votes and is healthy")
    untouched = sights.untouched(board, others)
    best = min(others, key=lambda name: (name not in untouched, name != quorum.leader))
    return ground.machine(best)


async def until_well(ground: Ground, machine: str) -> None:
    """Wait until the machine's member is healthy again after a restart. Raises LabError if it is not in time."""
    asked = ground.hub.now()

    def is_well(board: Board) -> bool:
        row = sights.member(board, machine)
        return row is not None and row.fresh and row.seen_at > asked and row.health == "healthy"

    if not await ground.hub.wait(is_well, ground.within(ground.settings.timeouts.member_start)):
        row = sights.member(ground.hub.board, machine)
        saw = f"{row.health}, {row.why}" if row is not None else "not a member"
        raise LabError(f"the member of {machine} does not come back: {saw}")


async def until_led_by_others(ground: Ground, machine: str) -> None:
    """Wait until another machine's member leads. Raises LabError if none does in time."""

    def leads(board: Board) -> bool:
        return sights.leader(board) not in ("", machine)

    if not await ground.hub.wait(leads, ground.within(ground.settings.timeouts.election)):
        raise LabError(f"no member but that of {machine} leads")


async def join_again(ground: Ground, machine: Machine) -> None:
    """Let a machine's member join anew with an empty disk, each command shown. Raises LabError."""
    via = helper(ground, machine.name)
    stop, *others = rejoin(machine, via, ground.site, ground.settings, ground.known())
    await ground.do(JOIN_ANEW, [stop])
    await until_led_by_others(ground, machine.name)
    await ground.do(JOIN_ANEW, others)


def votes_again(board: Board, machine: str) -> bool:
    """Whether the machine's member runs, is healthy and votes."""
    row = sights.member(board, machine)
    return row is not None and row.role in ("leader", "follower") and sights.unit_is_well(board, machine, UNIT)


async def stop_member(ground: Ground, title: str, machine: Machine) -> None:
    """Stop a machine's member, with the command shown, and see that another one leads. Raises LabError."""
    await ground.do(title, [UnitOp(machine, UNIT, "stop")])
    await until_led_by_others(ground, machine.name)


async def forget_keys(case: Case) -> None:
    """Delete what a fault wrote; a key that stays because nobody can delete it now harms nobody."""
    ground = case.ground
    with contextlib.suppress(LabError):
        via = helper(ground, "")
        await ground.do("Tidy up", [RunOp(via, delete_keys(case, via))])


def delete_keys(case: Case, via: Machine) -> tuple[str, ...]:
    """The command that deletes every key of a fault."""
    return member_ctl(case.ground, via, "del", "--prefix", f"{PREFIX}{case.id}/")


def member_ctl(ground: Ground, via: Machine, *arguments: str) -> tuple[str, ...]:
    """An etcdctl command line that talks to the member of that machine, in the way in which it listens now."""
    return etcdctl(via, *arguments, scheme=ground.site.scheme_of(via.name), slack=ground.lab.slack)
