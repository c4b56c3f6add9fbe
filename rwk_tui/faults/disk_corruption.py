"""A lie on one disk: a value is another one there than everywhere else, and its member is as healthy as ever."""

from __future__ import annotations

import asyncio
import time

from rwk_tui.board.board import Board
from rwk_tui.board.rows import FaultRow
from rwk_tui.cluster.etcd import UNIT, data_dir
from rwk_tui.cluster.ops import RunOp, UnitOp
from rwk_tui.cluster.restart import RestartOp
from rwk_tui.cluster.spec_changes import with_variable, without_variables
from rwk_tui.engines.verdict import parse_version
from rwk_tui.faults import sights
from rwk_tui.faults.base import Case, Sight, machine_of
from rwk_tui.faults.disk import DataFault
from rwk_tui.faults.last_words import last_words
from rwk_tui.faults.members import (
    PREFIX,
    forget_keys,
    helper,
    join_again,
    member_ctl,
    require_up,
    stop_member,
    until_well,
    victim,
)
from rwk_tui.lab.protocol import LabError, Machine

CHECK_TITLE = "Let it check itself"
REFUSES_WITHIN = 15.0
"""Seconds in which a member that checks itself has compared itself with its peers: etcd gives it seven."""
LOOK = 0.1


class SilentCorruption(DataFault):
    """Some bytes of a value are others on one disk than what was written."""

    name = "silent-corruption"
    title = "Falsify a value on one disk"
    explain = "In the database file of one member a value is changed, with the member stopped. Pages have no checksums."
    look = "It starts, follows and is healthy. Only who compares the members sees that one of them tells another story."
    must = (
        "Ask that member itself and you get the wrong value. etcd can find it: a hash of all keys, or a check at start."
    )

    def done(self, target: str) -> str:
        return f"a value was falsified on the disk of {machine_of(target)}"

    def seen(self, target: str) -> tuple[tuple[str, str], ...]:
        return ((f"unit/{target}", "stopped"), (f"unit/{target}", "running"))

    async def harm(self, case: Case) -> None:
        ground, machine = case.ground, victim(case)
        true, false = _values(case)
        await ground.do(self.title, [RunOp(machine, member_ctl(ground, machine, "put", _key(case), true))])
        await stop_member(ground, self.title, machine)
        # The file holds older copies in pages that are free by now; all of them are changed, so the one that counts is.
        change = ("sed", "-i.before", f"s/{true}/{false}/g", f"{data_dir(machine)}/member/snap/db")
        bytewise = RunOp(machine, change, {"LC_ALL": "C"})
        await ground.do(self.title, [bytewise, UnitOp(machine, UNIT, "start")])

    async def works(self, case: Case) -> None:
        """See that the member serves, and what it tells when nobody else is asked."""
        ground, machine = case.ground, victim(case)
        await until_well(ground, machine.name)
        there = await (await ground.etcd(machine.name)).get(_key(case), serializable=True)
        if there is None or there.value != _values(case)[1]:
            raise LabError(f"{machine.name} still tells {there.value if there is not None else 'nothing'!r}")

    async def shows(self, case: Case) -> Sight | None:
        """Which key, and which member: by comparing all that the members store."""
        watcher = case.ground.watcher
        hashes = await watcher.hashes()
        if hashes.equal:
            return None
        lines = (await watcher.differences()).lines()
        mine = next((line for line in lines if line.startswith(f"{_key(case)}:")), None)
        if mine is None:
            return None
        words = f"{hashes.words()}, all of them healthy" if hashes.equal is False else "the members differ"
        return Sight(f"{words}: {mine}", lines)

    async def heal(self, case: Case, others: tuple[FaultRow, ...]) -> None:
        ground, machine = case.ground, victim(case)
        await require_up(machine)
        helper(ground, machine.name)
        await self._check_itself(case, machine)
        await join_again(ground, machine)
        await forget_keys(case)

    async def _check_itself(self, case: Case, machine: Machine) -> None:
        """Restart it once so that it compares itself with its peers before it serves, and tell what comes of it."""
        ground, unit = case.ground, machine.unit(UNIT)
        row = sights.member(ground.hub.board, machine.name)
        name, value = _check(row.version if row is not None else "")
        change, back = with_variable(name, value), without_variables(name)
        restart = RestartOp(machine, ground.site, change, afterwards=back)
        await ground.do(CHECK_TITLE, [restart])
        deadline = time.monotonic() + ground.within(REFUSES_WITHIN)
        asked = ground.hub.now()
        while (await unit.status()).state == "running" and time.monotonic() < deadline:
            row = sights.member(ground.hub.board, machine.name)
            if row is not None and row.fresh and row.health == "healthy" and row.seen_at > asked:
                break
            await asyncio.sleep(LOOK)
        ended = (await unit.status()).state != "running"
        words = (
            f"it refuses to start: {await last_words(unit)}" if ended else "it starts all the same: it did not find it"
        )
        ground.teller(CHECK_TITLE, machine.name)("note", words)

    def is_over(self, board: Board, target: str, since: float) -> bool:
        return sights.unit_left(board, target, since, "running", "paused", "stopped", "failed")


def _key(case: Case) -> str:
    return f"{PREFIX}{case.id}/balance"


def _values(case: Case) -> tuple[str, str]:
    """What is written, and what it becomes: equally long, and nowhere else."""
    true, false = (f"the balance is {amount} ({case.id}-{case.at:.0f})" for amount in (100, 900))
    return true, false


def _check(version: str) -> tuple[str, str]:
    """The variable that makes a member of that version compare itself with its peers when it starts."""
    if version and parse_version(version)[:2] < (3, 6):
        return "ETCD_EXPERIMENTAL_INITIAL_CORRUPT_CHECK", "true"
    return "ETCD_FEATURE_GATES", "InitialCorruptCheck=true"
