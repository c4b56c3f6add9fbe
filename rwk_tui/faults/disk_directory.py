"""Faults of a whole data directory: it is gone, or one that was given up comes back."""

from __future__ import annotations

import asyncio

from rwk_tui.cluster.etcd import UNIT, data_dir
from rwk_tui.cluster.ops import RunOp, UnitOp, ask
from rwk_tui.cluster.reshape import remove
from rwk_tui.faults.base import Case, machine_of
from rwk_tui.faults.disk import DataFault
from rwk_tui.faults.members import helper, stop_member, victim


class LostDirectory(DataFault):
    """The data is gone and the member starts as if nothing had happened, under its old name."""

    name = "lost-directory"
    title = "Lose the data directory"
    explain = "Its data is deleted, and it is started under its old identity, as if it had never promised anything."
    look = "The others remember what it acknowledged. With nothing on its disk it can't be that member, and gives up."
    must = "It does not vote as one who forgot; the other two go on. Removed and added anew, it is a new member."

    def done(self, target: str) -> str:
        return f"{machine_of(target)} lost its data directory"

    async def harm(self, case: Case) -> None:
        machine = victim(case)
        await stop_member(case.ground, self.title, machine)
        delete = RunOp(machine, ("rm", "-rf", data_dir(machine)))
        await case.ground.do(self.title, [delete, UnitOp(machine, UNIT, "start")])


class OldDirectory(DataFault):
    """A member was removed and its data deleted; then somebody brings a copy back and starts it."""

    name = "old-directory"
    title = "Bring an old directory back"
    explain = "The member is removed from the list and its data deleted; then a copy of it is put back and started."
    look = "It still believes to be a member. The first peer that it speaks to tells it otherwise, and it ends itself."
    must = (
        "Whoever was removed stays removed, whatever his disk says; the other two go on with every acknowledged write."
    )

    def done(self, target: str) -> str:
        return f"{machine_of(target)} was removed and came back with its old data"

    async def harm(self, case: Case) -> None:
        ground, machine = case.ground, victim(case)
        data, copy = data_dir(machine), f"{data_dir(machine)}.old"
        await stop_member(ground, self.title, machine)
        try:
            await ground.do(self.title, [RunOp(machine, ("cp", "-a", data, copy))])
            deadline = ground.within(ground.settings.timeouts.member_start)
            off_the_list = remove(
                machine, helper(ground, machine.name), ground.known(), deadline=deadline, style=ground.site.style
            )
            back = (RunOp(machine, ("rm", "-rf", data)), RunOp(machine, ("mv", copy, data)))
            await ground.do(self.title, [off_the_list, *back, UnitOp(machine, UNIT, "start")])
        except BaseException:
            await asyncio.shield(ask(machine, ("rm", "-rf", copy)))
            raise
