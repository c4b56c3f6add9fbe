"""A database that may grow no more: etcd raises an alarm and refuses every write, until room is made."""

from __future__ import annotations

import asyncio
import contextlib

from rwk_tui.board.board import Board
from rwk_tui.board.rows import FaultRow, MemberRow
from rwk_tui.cluster.etcd import UNIT
from rwk_tui.cluster.ops import RunOp
from rwk_tui.cluster.restart import RestartOp
from rwk_tui.cluster.spec_changes import with_variable, without_variables
from rwk_tui.faults import sights
from rwk_tui.faults.base import Case, Sight, machine_of
from rwk_tui.faults.disk import MemberFault
from rwk_tui.faults.members import PREFIX, delete_keys, member_ctl, require_up, until_well, victim
from rwk_tui.lab.protocol import LabError, Machine
from rwk_tui.watch.refusals import EtcdError

QUOTA, ALARM = "ETCD_QUOTA_BACKEND_BYTES", "NOSPACE"
ROOM = 4_000_000
"""Bytes by which the database may grow before the quota is used up."""
VALUE = 1_000_000
MOST = 100
"""Values of `VALUE` bytes that are written at most: free pages of the database are filled first."""
REFUSED = "space quota"
TRIES, SETTLED = 5, 0.3
"""How often the alarm is disarmed, and for how long (s) it must stay so."""


class NoSpace(MemberFault):
    """One member's database reaches its quota; the alarm that it raises holds for all of them."""

    name = "no-space"
    title = "Use up the space quota"
    explain = "One member is given a quota little above what its database takes, and that is filled with big values."
    look = "The member raises the alarm NOSPACE. From then on every member refuses writes; reads and deletes go on."
    must = "A refused write is not done anywhere. Deleting alone helps nobody: compact, defragment, then disarm."
    shows_within = 20.0
    well_within = 60.0

    def targets(self, board: Board) -> tuple[str, ...]:
        if any(row.alarms for row in board.rows(MemberRow)) or not sights.etcd_is_whole(board):
            return ()
        return tuple(f"{name}/{UNIT}" for name in sorted(sights.voters(board)))

    def done(self, target: str) -> str:
        return f"the space quota of etcd on {machine_of(target)} was used up"

    def undone(self, target: str) -> str:
        return f"room is made on {machine_of(target)}, and the alarm disarmed"

    def seen(self, target: str) -> tuple[tuple[str, str], ...]:
        return ((f"unit/{target}", "running"),)

    def seen_healed(self, target: str) -> tuple[tuple[str, str], ...]:
        return ((f"unit/{target}", "running"),)

    async def inject(self, case: Case) -> None:
        ground, machine = case.ground, victim(case)
        size = (await (await ground.etcd(machine.name)).status()).db_size
        quota = with_variable(QUOTA, str(size + ROOM))
        try:
            await ground.do("Give it a small quota", [RestartOp(machine, ground.site, quota)])
            await until_well(ground, machine.name)
            await _fill(case, machine.name)
        except (LabError, EtcdError):
            with contextlib.suppress(LabError, EtcdError):
                await self._make_room(case, machine)
            raise

    async def shows(self, case: Case) -> Sight | None:
        """The alarm, and that a write is refused for its sake."""
        machine = machine_of(case.target)
        row = sights.member(case.ground.hub.board, machine)
        if row is None or ALARM not in row.alarms:
            return None
        client = await case.ground.etcd(machine)
        try:
            await client.put(f"{_prefix(case)}probe", "")
        except EtcdError as error:
            if REFUSED in str(error):
                return Sight(f"{machine} raised the alarm {ALARM}; a write is refused: {error}")
        return None

    async def heal(self, case: Case, others: tuple[FaultRow, ...]) -> None:
        machine = victim(case)
        await require_up(machine)
        if (await machine.unit(UNIT).status()).state != "running":
            raise LabError(f"etcd does not run on {machine.name}, start it first")
        await self._make_room(case, machine)

    async def _make_room(self, case: Case, machine: Machine) -> None:
        """In the order in which it must be done; each part may be done twice. Raises LabError."""
        ground = case.ground
        await ground.do("Delete what filled it", [RunOp(machine, delete_keys(case, machine))])
        revision = (await (await ground.etcd(machine.name)).status()).revision
        try:
            await ground.do(
                "Forget old revisions", [RunOp(machine, member_ctl(ground, machine, "compact", str(revision)))]
            )
        except LabError as error:
            if "has been compacted" not in str(error):
                raise
        healthy = [row.machine for row in ground.hub.board.rows(MemberRow) if row.machine and row.health == "healthy"]
        members = [ground.machine(name) for name in dict.fromkeys((machine.name, *healthy))]
        await ground.do("Give the room back", [RunOp(one, member_ctl(ground, one, "defrag")) for one in members])
        if _has_quota(ground.hub.board, case.target):
            await ground.do("Take the quota away", [RestartOp(machine, ground.site, without_variables(QUOTA))])
            await until_well(ground, machine.name)
        await _disarm(case, machine)

    def holds(self, board: Board, target: str) -> bool:
        alarmed = any(row.alarms for row in board.rows(MemberRow))
        return super().holds(board, target) and not alarmed and not _has_quota(board, target)


def _has_quota(board: Board, target: str) -> bool:
    row = sights.unit(board, target)
    return row is not None and any(name == QUOTA for name, _ in row.environment)


def _prefix(case: Case) -> str:
    return f"{PREFIX}{case.id}/"


async def _fill(case: Case, machine: str) -> None:
    """Write one big value after the other, until one is refused. Raises LabError if none is, or for another reason."""
    client, note = await case.ground.etcd(machine), case.ground.teller(NoSpace.title, machine)
    note("note", f"values of {VALUE} bytes are written below {_prefix(case)} until one is refused")
    for number in range(MOST):
        try:
            await client.put(f"{_prefix(case)}{number}", "x" * VALUE)
        except EtcdError as error:
            if REFUSED not in str(error):
                raise
            note("note", f"value {number + 1} is refused: {error}")
            return
    raise LabError(f"{MOST} values were written and none was refused")


async def _disarm(case: Case, machine: Machine) -> None:
    """Disarm the alarm, again if a write that was on its way raised it once more. Raises LabError."""
    ground, client = case.ground, await case.ground.etcd(machine.name)
    for _ in range(TRIES):
        await ground.do("Disarm the alarm", [RunOp(machine, member_ctl(ground, machine, "alarm", "disarm"))])
        await asyncio.sleep(SETTLED)
        if not (await client.status()).alarms:
            return
    raise LabError("the alarm is raised again and again")
