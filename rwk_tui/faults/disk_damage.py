"""Faults of a disk that etcd notices by itself: checksums do not match, so it refuses to start."""

from __future__ import annotations

from rwk_tui.board.rows import FaultRow
from rwk_tui.cluster.etcd import UNIT, data_dir
from rwk_tui.cluster.ops import RunOp, UnitOp
from rwk_tui.faults.base import Case, machine_of
from rwk_tui.faults.disk import DataFault
from rwk_tui.faults.members import PREFIX, forget_keys, member_ctl, stop_member, victim
from rwk_tui.lab.protocol import LabError, Machine


class DamagedDb(DataFault):
    """The first pages of the database are overwritten, the two that say where everything is among them."""

    name = "damaged-db"
    title = "Damage the database"
    explain = "The first pages of the file in which etcd keeps its keys are overwritten while it is stopped."
    look = "etcd finds no valid page that says where everything is, and gives up: nothing on that disk can help it."
    must = "The other two go on with every acknowledged write; joined anew, the member fetches everything from them."

    def done(self, target: str) -> str:
        return f"the database of {machine_of(target)} was damaged"

    async def harm(self, case: Case) -> None:
        machine = victim(case)
        await stop_member(case.ground, self.title, machine)
        database = f"{data_dir(machine)}/member/snap/db"
        # More than two pages, whatever the size of a page is there.
        overwrite = ("dd", "if=/dev/zero", f"of={database}", "bs=64k", "count=2", "conv=notrunc")
        await case.ground.do(self.title, [RunOp(machine, overwrite), UnitOp(machine, UNIT, "start")])


class DamagedWal(DataFault):
    """One byte in the log of proposals is not what was written."""

    name = "damaged-wal"
    title = "Damage the log"
    explain = (
        "One byte of a write that everybody acknowledged is overwritten in the write-ahead log, after it was synced."
    )
    look = "etcd reads its log when it starts: the checksum of that entry does not match, and it gives up."
    must = "It does not guess and does not skip it. The other two have that write; the member fetches it from them."

    def done(self, target: str) -> str:
        return f"a byte in the log of {machine_of(target)} was damaged"

    async def harm(self, case: Case) -> None:
        ground, machine = case.ground, victim(case)
        value = f"written once, {case.id}-{case.at:.0f}"
        put = member_ctl(ground, machine, "put", f"{PREFIX}{case.id}/log", value)
        await ground.do(self.title, [RunOp(machine, put)])
        await stop_member(ground, self.title, machine)
        search = RunOp(machine, ("grep", "-raboF", value, f"{data_dir(machine)}/member/wal"))
        file, offset = _place((await ground.do(self.title, [search])).stdout, machine)
        overwrite = ("dd", "if=/dev/zero", f"of={file}", "bs=1", "count=1", f"seek={offset}", "conv=notrunc")
        await ground.do(self.title, [RunOp(machine, overwrite), UnitOp(machine, UNIT, "start")])

    async def heal(self, case: Case, others: tuple[FaultRow, ...]) -> None:
        await super().heal(case, others)
        await forget_keys(case)


def _place(found: str, machine: Machine) -> tuple[str, int]:
    """File and offset (bytes) in what `grep -b` prints: path, offset and match, with colons between. Or LabError."""
    for line in found.splitlines():
        file, _, rest = line.rpartition(".wal:")
        offset = rest.partition(":")[0]
        if file and offset.isdigit():
            return f"{file}.wal", int(offset)
    raise LabError(f"what was written is not in the log of {machine.name}")
