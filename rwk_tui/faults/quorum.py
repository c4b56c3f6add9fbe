"""Faults that take the majority away: for as long as two machines are off, or for good."""

from __future__ import annotations

from itertools import combinations
from typing import ClassVar

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import Domain
from rwk_tui.board.rows import FaultRow, MachineRow, QuorumRow, UnitRow
from rwk_tui.board.targets import target_machines
from rwk_tui.cluster.etcd import UNIT
from rwk_tui.cluster.kubernetes.setup import secure_member
from rwk_tui.cluster.ops import MachineOp, Op, Together
from rwk_tui.cluster.rejoin import join_anew
from rwk_tui.cluster.survivor import alone
from rwk_tui.faults import sights
from rwk_tui.faults.base import Case, Fault, NothingToHeal, Sight
from rwk_tui.faults.ground import Ground
from rwk_tui.faults.machine import power
from rwk_tui.faults.members import join_again, until_well, votes_again
from rwk_tui.lab.protocol import LabError, Machine, MachineVerb


class TwoLost(Fault):
    """What faults have in common that take two machines of three."""

    domain: ClassVar[Domain] = "quorum"
    verb: ClassVar[MachineVerb]
    ends_as: ClassVar[str]
    """How the machines stand afterwards."""

    def why_not(self, ground: Ground) -> str:
        return ground.lab.lacks("power cut")

    def targets(self, board: Board) -> tuple[str, ...]:
        """The pairs of machines that are up without which there is no majority left."""
        healthy, votes = sights.voters(board), len(sights.voting(board))
        pairs = combinations((name for name in sights.machines_up(board) if name in healthy), 2)
        return tuple("+".join(pair) for pair in pairs if 0 < len(healthy) - 2 < votes // 2 + 1)

    def seen(self, target: str) -> tuple[tuple[str, str], ...]:
        return tuple((f"machine/{name}", self.ends_as) for name in target_machines(target))

    def seen_healed(self, target: str) -> tuple[tuple[str, str], ...]:
        return tuple((f"machine/{name}", "up") for name in target_machines(target))

    async def inject(self, case: Case) -> None:
        await case.ground.do(self.title, [_switch(case, self.verb, target_machines(case.target))])

    async def shows(self, case: Case) -> Sight | None:
        board = case.ground.hub.board
        quorum = board.get(QuorumRow, "quorum")
        lost = quorum is not None and quorum.state == "lost"
        if (
            quorum is None
            or not lost
            or any(power(board, name) != self.ends_as for name in target_machines(case.target))
        ):
            return None
        return Sight(quorum.why)

    def holds(self, board: Board, target: str) -> bool:
        return sights.all_well(board, target_machines(target)) and sights.etcd_is_whole(board)

    def persists(self, board: Board, target: str) -> bool:
        return any(power(board, name) in ("off", "gone") for name in target_machines(target))


class LoseTwo(TwoLost):
    """The power of two machines goes at once, and comes back."""

    name = "lose-two"
    title = "Lose two of three"
    explain = "The power of two machines goes at the same moment. Their disks stay."
    look = "The one that is left has all the data and may not write: it can't know whether the others go on without it."
    must = "Nothing is acknowledged without a majority. Switched on, they agree again, with every acknowledged write."
    well_within = 60.0
    verb = "kill"
    ends_as = "off"

    def of_leader(self, machine: str) -> str:
        number = int(machine[-1])
        return "+".join(sorted((machine, f"{machine[:-1]}{number % 3 + 1}")))

    def done(self, target: str) -> str:
        return f"{' and '.join(target_machines(target))} lost their power"

    def undone(self, target: str) -> str:
        return f"{' and '.join(target_machines(target))} are switched on"

    async def heal(self, case: Case, others: tuple[FaultRow, ...]) -> None:
        names = target_machines(case.target)
        powers = {name: (await case.ground.machine(name).status()).power for name in names}
        if all(power == "gone" for power in powers.values()):
            raise NothingToHeal("both were destroyed meanwhile")
        off = [name for name in names if powers[name] not in ("up", "starting", "gone")]
        if off:
            await case.ground.do("Switch them on", [_switch(case, "start", off)])

    def persists(self, board: Board, target: str) -> bool:
        return any(power(board, name) in ("off", "halted") for name in target_machines(target))

    def is_over(self, board: Board, target: str, since: float) -> bool:
        rows = [board.get(MachineRow, f"machine/{name}") for name in target_machines(target)]
        return all(
            row is not None and row.seen_at > since and row.fresh and row.power in ("up", "gone") for row in rows
        )


class LoseTwoForever(TwoLost):
    """Two machines of three are destroyed; the cluster is made anew from the one that is left."""

    name = "lose-two-forever"
    title = "Lose two of three for good"
    explain = "Two machines go with their disks. A majority of the members will never answer again."
    look = "The survivor waits for ever. It must be told to go on alone, as a new cluster of one with its own data."
    must = "What was on the lost disks only is lost, and is counted. With two new members there is a majority again."
    confirm = True
    loses = True
    well_within = 90.0
    verb = "destroy"
    ends_as = "gone"

    def targets(self, board: Board) -> tuple[str, ...]:
        """Only machines that carry nothing else: nobody would bring that back."""
        busy = {row.machine for row in board.rows(UnitRow) if row.unit != UNIT}
        return tuple(target for target in super().targets(board) if not busy & set(target_machines(target)))

    def done(self, target: str) -> str:
        return f"{' and '.join(target_machines(target))} were destroyed with their disks"

    def undone(self, target: str) -> str:
        return f"the survivor goes on alone, and {' and '.join(target_machines(target))} join it with empty disks"

    async def heal(self, case: Case, others: tuple[FaultRow, ...]) -> None:
        """Each part is done only where it is still missing: it may have broken off in the middle before."""
        ground = case.ground
        survivor = await _survivor(case)
        quorum = ground.hub.board.get(QuorumRow, "quorum")
        if quorum is None or quorum.state in ("none", "lost"):
            ground.watcher.canary.restored("")
            await ground.do("Let the survivor go on alone", alone(survivor, ground.site))
        await until_well(ground, survivor.name)
        for name in target_machines(case.target):
            machine = ground.machine(name)
            if not votes_again(ground.hub.board, name):
                await _replace(ground, machine, survivor)

    def is_over(self, board: Board, target: str, since: float) -> bool:
        rows = [sights.member(board, name) for name in target_machines(target)]
        fresh = all(row is not None and row.fresh and row.seen_at > since for row in rows)
        return fresh and self.holds(board, target)


async def _survivor(case: Case) -> Machine:
    """The machine that is left with a member that runs. Raises LabError if there is none."""
    ground, lost = case.ground, target_machines(case.target)
    for machine in ground.members():
        unit = (await machine.status()).units.get(UNIT)
        if machine.name not in lost and unit is not None and unit.state == "running":
            return machine
    raise LabError("no member runs on any other machine")


async def _replace(ground: Ground, machine: Machine, survivor: Machine) -> None:
    """Switch a machine on, and let a new member on it join. Raises LabError."""
    status = await machine.status()
    if status.power != "up":
        await ground.do("Switch it on", [MachineOp(machine, "start")])
    elif UNIT in status.units:
        await join_again(ground, machine)
        return
    papers: tuple[Op, ...] = secure_member(machine, ground.site) if ground.site.secured else ()
    joining = join_anew(machine, survivor, ground.site, ground.settings, ground.known())
    await ground.do("Let it join", (*papers, *joining))


def _switch(case: Case, verb: MachineVerb, names: tuple[str, ...] | list[str]) -> Op:
    return Together(tuple(MachineOp(case.ground.machine(name), verb) for name in names))
