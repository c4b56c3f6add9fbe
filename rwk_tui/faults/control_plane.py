"""Faults of the control plane: who acts is killed, or who answers."""

from __future__ import annotations

from rwk_tui.board.board import Board
from rwk_tui.board.kube_rows import ApiServerRow, LeaseRow
from rwk_tui.board.rows import UnitRow
from rwk_tui.board.wording import seconds
from rwk_tui.cluster.kubernetes.units import API_SERVER
from rwk_tui.faults import sights
from rwk_tui.faults.base import Case, Sight, machine_of, unit_of
from rwk_tui.faults.process import KillUnit


class KillLeaseHolder(KillUnit):
    """The controller manager or scheduler that holds the lease is killed, and says goodbye to nobody."""

    name = "kill-lease-holder"
    domain = "control plane"
    stage = "kubernetes"
    title = "Kill who holds the lease"
    explain = "Of several controller managers or schedulers only the holder of a lease acts. It is killed, not stopped."
    look = "The lease still names the dead one. Another takes it when it has run out, and not before."
    must = "Each lease has one holder at a time; what runs goes on; what is wished meanwhile comes true a bit later."
    shows_within = 40.0
    well_within = 60.0

    def targets(self, board: Board) -> tuple[str, ...]:
        held = [row for row in board.rows(LeaseRow) if row.holder and row.name in sights.LED]
        running = sights.units(board, "running", "paused")
        return tuple(target for row in held if (target := f"{row.machine}/{row.name}") in running)

    def of_leader(self, machine: str) -> str:
        return ""

    async def shows(self, case: Case) -> Sight | None:
        hub, machine, name = case.ground.hub, machine_of(case.target), unit_of(case.target)
        row = hub.board.get(LeaseRow, f"lease/{name}")
        killed = sights.unit(hub.board, case.target)
        if row is None or killed is None or killed.state != "failed":
            return None
        if row.holder and row.machine not in ("", machine):
            return Sight(f"{row.machine} took the lease {name} after {seconds((row.since - case.at) * 1000)}")
        others = [one for one in hub.board.rows(UnitRow) if one.unit == name and one.machine != machine]
        if any(one.state == "running" for one in others):
            return None
        over = hub.now() - row.renewed - row.duration_s
        return Sight(f"the lease {name} ran out, and nobody takes it") if over > 0 else None


class KillApiServer(KillUnit):
    """One API server is killed; whoever comes to the lab's front is led to another one."""

    name = "kill-api-server"
    domain = "control plane"
    stage = "kubernetes"
    title = "Kill an API server"
    explain = "SIGKILL to one API server. It keeps nothing itself: all that it knew is in etcd."
    look = "Its row is down. Whoever has a second API server goes on there; a controller beside it gives up its lease."
    must = "With a second API server writes hardly stop; what runs on the nodes does not even notice."
    well_within = 60.0

    def targets(self, board: Board) -> tuple[str, ...]:
        running = sights.units(board, "running", "paused")
        return tuple(target for target in running if unit_of(target) == API_SERVER)

    def of_leader(self, machine: str) -> str:
        return f"{machine}/{API_SERVER}"

    def holds(self, board: Board, target: str) -> bool:
        """With whoever works through it: they end themselves when they could not renew their leases."""
        machine = machine_of(target)
        beside = [row for name in sights.LED if (row := sights.unit(board, f"{machine}/{name}")) is not None]
        wanted = [row.unit for row in beside if row.state != "stopped"]
        return super().holds(board, target) and all(sights.unit_is_well(board, machine, name) for name in wanted)

    async def shows(self, case: Case) -> Sight | None:
        board, machine = case.ground.hub.board, machine_of(case.target)
        row = board.get(ApiServerRow, f"api-server/{machine}")
        killed = sights.unit(board, case.target)
        if killed is None or killed.state != "failed" or (row is not None and row.state != "down"):
            return None
        others = [one.machine for one in board.rows(ApiServerRow) if one.machine != machine and one.state == "ready"]
        if not others:
            return Sight(f"the API server of {machine} is down, and there is no other")
        if not sights.api_serves(board):
            return None
        return Sight(f"the API server of {machine} is down, that of {' and '.join(others)} serves")
