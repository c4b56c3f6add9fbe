"""Faults of a whole machine: it shuts down, its power goes, or its disk goes with it."""

from __future__ import annotations

from rwk_tui.board.board import Board
from rwk_tui.board.rows import FaultRow, MachineRow
from rwk_tui.cluster.ops import MachineOp
from rwk_tui.faults import sights
from rwk_tui.faults.base import Case, Fault, NothingToHeal, Sight
from rwk_tui.faults.ground import Ground
from rwk_tui.lab.protocol import MachineVerb


async def switch(case: Case, title: str, machine: str, verb: MachineVerb) -> None:
    """Switch a machine, with the command shown. Raises LabError."""
    await case.ground.do(title, [MachineOp(case.ground.machine(machine), verb)])


async def switch_on(case: Case, machine: str) -> None:
    """Switch a machine on unless it is. Raises NothingToHeal if its disk is gone: it would be another machine."""
    power = (await case.ground.machine(machine).status()).power
    if power == "gone":
        raise NothingToHeal(f"{machine} was destroyed meanwhile")
    if power not in ("up", "starting"):
        await switch(case, "Switch it on", machine, "start")


def power(board: Board, machine: str) -> str:
    """How a machine stands, "" if that is not known."""
    row = board.get(MachineRow, f"machine/{machine}")
    return row.power if row is not None else ""


class SwitchedOff(Fault):
    """What faults have in common after which the machine is off, with its disk."""

    domain = "machine"

    def targets(self, board: Board) -> tuple[str, ...]:
        return sights.machines_up(board)

    def of_leader(self, machine: str) -> str:
        return machine

    def undone(self, target: str) -> str:
        return f"{target} is switched on"

    def seen_healed(self, target: str) -> tuple[tuple[str, str], ...]:
        return ((f"machine/{target}", "up"),)

    async def heal(self, case: Case, others: tuple[FaultRow, ...]) -> None:
        await switch_on(case, case.target)

    def holds(self, board: Board, target: str) -> bool:
        return sights.machine_is_well(board, target)

    def persists(self, board: Board, target: str) -> bool:
        return power(board, target) in ("off", "halted")

    def is_over(self, board: Board, target: str, since: float) -> bool:
        row = board.get(MachineRow, f"machine/{target}")
        return row is not None and row.seen_at > since and row.fresh and row.power in ("up", "gone")


class PowerCut(SwitchedOff):
    """All programs of the machine end at once; its disk stays."""

    name = "power-cut"
    title = "Cut the power"
    explain = "Everything on the machine ends at once. Its disk stays: switched on again, it catches up."
    look = "The machine is off. If it led etcd, another member is elected; its leases move after they ran out."
    must = "Two of three go on; no acknowledged write is lost, though nobody could flush anything."

    def why_not(self, ground: Ground) -> str:
        return ground.lab.lacks("power cut")

    def done(self, target: str) -> str:
        return f"{target} lost its power"

    def seen(self, target: str) -> tuple[tuple[str, str], ...]:
        return ((f"machine/{target}", "off"),)

    async def inject(self, case: Case) -> None:
        await switch(case, self.title, case.target, "kill")

    async def shows(self, case: Case) -> Sight | None:
        return Sight(f"{case.target} is off") if power(case.ground.hub.board, case.target) == "off" else None


class Halt(SwitchedOff):
    """The machine shuts down in good order: everything is asked to end, and may say goodbye."""

    name = "halt"
    title = "Shut a machine down"
    explain = "Every program is asked to end and has time to. An etcd leader hands over before it goes."
    look = "The machine is halted. Another member leads at once: nobody had to find out by silence."
    must = "Two of three go on almost without a gap; no acknowledged write is lost; switched on, it catches up."

    def done(self, target: str) -> str:
        return f"{target} was shut down"

    def seen(self, target: str) -> tuple[tuple[str, str], ...]:
        return ((f"machine/{target}", "halted"),)

    async def inject(self, case: Case) -> None:
        await switch(case, self.title, case.target, "stop")

    async def shows(self, case: Case) -> Sight | None:
        return Sight(f"{case.target} is halted") if power(case.ground.hub.board, case.target) == "halted" else None


class Destroy(Fault):
    """The machine goes, and its disk with it: there is nothing to heal, only to replace."""

    name = "destroy"
    domain = "machine"
    title = "Destroy a machine"
    explain = "The machine goes with its disk. It can't be healed: its member must be removed and a new one added."
    look = "The machine is gone, and its member stays on the list: being dead is not being removed."
    must = "Two of three go on, with every acknowledged write."
    healable = False
    confirm = True

    def targets(self, board: Board) -> tuple[str, ...]:
        return tuple(row.name for row in board.rows(MachineRow) if row.power != "gone")

    def done(self, target: str) -> str:
        return f"{target} was destroyed with its disk"

    def undone(self, target: str) -> str:
        return ""

    def seen(self, target: str) -> tuple[tuple[str, str], ...]:
        return ((f"machine/{target}", "gone"),)

    async def inject(self, case: Case) -> None:
        await switch(case, self.title, case.target, "destroy")

    async def shows(self, case: Case) -> Sight | None:
        return Sight(f"{case.target} is gone") if power(case.ground.hub.board, case.target) == "gone" else None

    async def heal(self, case: Case, others: tuple[FaultRow, ...]) -> None:
        raise NothingToHeal("a disk that is gone can't be healed")

    def holds(self, board: Board, target: str) -> bool:
        return power(board, target) == "gone"

    def persists(self, board: Board, target: str) -> bool:
        return False
