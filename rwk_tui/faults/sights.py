"""What the board says about what faults aim at: who leads, what runs, and what is well."""

from __future__ import annotations

from collections.abc import Iterable

from rwk_tui.board.board import Board
from rwk_tui.board.kube_rows import ApiServerRow, DeploymentRow, KubeRow, LeaseRow, NodeRow
from rwk_tui.board.rows import FaultRow, LinkRow, MachineRow, MemberRow, QuorumRow, UnitRow
from rwk_tui.board.targets import target_machines
from rwk_tui.cluster.etcd import UNIT
from rwk_tui.cluster.kubernetes.units import API_SERVER, CONTROLLER_MANAGER, KUBELET, SCHEDULER

LED = (CONTROLLER_MANAGER, SCHEDULER)
"""The units of which one at a time acts: the one that holds the lease of the same name."""


def leader(board: Board) -> str:
    """The machine that leads etcd, or ""."""
    quorum = board.get(QuorumRow, "quorum")
    return quorum.leader if quorum is not None and quorum.fresh else ""


def machine_is_up(board: Board, machine: str) -> bool:
    row = board.get(MachineRow, f"machine/{machine}")
    return row is not None and row.power == "up"


def machines_up(board: Board) -> tuple[str, ...]:
    """The machines that are up."""
    return tuple(row.name for row in board.rows(MachineRow) if row.power == "up")


def unit(board: Board, target: str) -> UnitRow | None:
    """The row of a unit that is named like "core-01/etcd"."""
    return board.get(UnitRow, f"unit/{target}")


def units(board: Board, *states: str) -> tuple[str, ...]:
    """The units, as machine/unit, that are in one of the states on a machine that is up."""
    return tuple(
        f"{row.machine}/{row.unit}"
        for row in board.rows(UnitRow)
        if row.state in states and machine_is_up(board, row.machine)
    )


def unit_left(board: Board, target: str, since: float, *states: str) -> bool:
    """Whether the unit was seen after `since` (unix, s) in none of the states, or went with its machine's disk."""
    row = unit(board, target)
    if row is not None:
        return row.fresh and row.seen_at > since and row.state not in states
    machine = board.get(MachineRow, f"machine/{target.partition('/')[0]}")
    return machine is not None and machine.fresh and machine.seen_at > since and machine.power == "gone"


def member(board: Board, machine: str) -> MemberRow | None:
    """The etcd member of a machine."""
    return next((row for row in board.rows(MemberRow) if row.machine == machine), None)


def voters(board: Board) -> tuple[str, ...]:
    """The machines whose members vote and are healthy now."""
    return tuple(
        row.machine
        for row in board.rows(MemberRow)
        if row.machine and row.fresh and row.health == "healthy" and row.role in ("leader", "follower")
    )


def voting(board: Board) -> tuple[str, ...]:
    """The machines whose members have a vote, healthy or not."""
    return tuple(row.machine for row in board.rows(MemberRow) if row.machine and row.role != "learner")


def etcd_is_whole(board: Board) -> bool:
    """Whether every voter is healthy and one of them leads."""
    quorum = board.get(QuorumRow, "quorum")
    return quorum is not None and quorum.fresh and quorum.state == "healthy"


def unit_is_well(board: Board, machine: str, name: str) -> bool:
    """Whether the unit runs and does its part: a member follows, a server or node is ready, a lease is held."""
    row = unit(board, f"{machine}/{name}")
    if row is None or not row.fresh or row.state != "running":
        return False
    if name == UNIT:
        return member_is_well(board, machine)
    if name == API_SERVER:
        return api_is_well(board, machine)
    if name == KUBELET:
        return node_is_well(board, machine)
    return name not in LED or lease_is_held(board, name)


def member_is_well(board: Board, machine: str) -> bool:
    """Whether the machine's etcd member, if it has one, is healthy."""
    return all(row.fresh and row.health == "healthy" for row in board.rows(MemberRow) if row.machine == machine)


def machine_is_well(board: Board, machine: str) -> bool:
    """Whether the machine is up with every unit that belongs there, its member included."""
    if not machine_is_up(board, machine):
        return False
    rows = [row for row in board.rows(UnitRow) if row.machine == machine]
    has_etcd = any(row.unit == UNIT for row in rows)
    wanted = (row.unit for row in rows if row.state != "stopped")
    return all(unit_is_well(board, machine, name) for name in wanted) and (
        not has_etcd or member_is_well(board, machine)
    )


def all_well(board: Board, machines: Iterable[str]) -> bool:
    """Whether all of these machines are well."""
    return all(machine_is_well(board, machine) for machine in machines)


def link_is_cut(board: Board, source: str, target: str) -> bool:
    """Whether nothing goes from one machine to the other."""
    row = board.get(LinkRow, f"link/{source}/{target}")
    return row is not None and row.state == "cut"


def untouched(board: Board, machines: Iterable[str]) -> tuple[str, ...]:
    """Those of the machines that no active fault lies on."""
    targets = [row.target for row in board.rows(FaultRow)]
    if any(not target_machines(target) for target in targets):
        return ()
    hit = {machine for target in targets for machine in target_machines(target)}
    return tuple(machine for machine in machines if machine not in hit)


def api_serves(board: Board) -> bool:
    """Whether Kubernetes answers, with every watch in step."""
    row = board.get(KubeRow, "kube")
    return row is not None and row.fresh and row.state == "ready"


def api_is_well(board: Board, machine: str) -> bool:
    """Whether the API server of that machine is ready."""
    row = board.get(ApiServerRow, f"api-server/{machine}")
    return row is not None and row.fresh and row.state == "ready"


def node_is_well(board: Board, name: str) -> bool:
    """Whether the node is Ready; what is no node has nothing to be."""
    row = board.get(NodeRow, f"node/{name}")
    return row is None or (row.state == "ready" and api_serves(board))


def lease_is_held(board: Board, name: str) -> bool:
    """Whether a running unit holds that lease and renews it."""
    row = board.get(LeaseRow, f"lease/{name}")
    if row is None or not row.holder or not api_serves(board) or row.renewed + row.duration_s < board.at:
        return False
    holder = unit(board, f"{row.machine}/{name}")
    return not row.machine or (holder is not None and holder.state == "running" and row.renewed >= holder.since)


def deployments_are_well(board: Board) -> bool:
    """Whether every deployment has as many pods ready as it wants."""
    return api_serves(board) and all(row.ready == row.wanted for row in board.all_of(DeploymentRow))
