"""What of the catalogue can be injected now, and into what."""

from __future__ import annotations

from collections.abc import Iterable

from rwk_tui.board.board import Board
from rwk_tui.board.rows import FaultKindRow, UnitRow
from rwk_tui.board.targets import LEADER
from rwk_tui.faults.base import Fault
from rwk_tui.faults.ground import Ground
from rwk_tui.faults.sights import leader

NOTHING = "nothing here that it could hit now"


def publish(kinds: Iterable[Fault], ground: Ground) -> None:
    """Put on the board what each kind can be aimed at, or why it can't be done here."""
    board, now = ground.hub.board, ground.hub.now()
    leads = leader(board)
    for kind in kinds:
        why = kind.why_not(ground)
        targets = () if why else kind.targets(board)
        alias = (LEADER,) if leads and kind.of_leader(leads) in targets else ()
        row = FaultKindRow(
            seen_at=now,
            name=kind.name,
            title=kind.title,
            explain=kind.explain,
            domain=kind.domain,
            look=kind.look,
            must=kind.must,
            targets=alias + targets,
            healable=kind.healable,
            confirm=kind.confirm,
            why=why or ("" if targets else NOTHING),
        )
        if board.get(FaultKindRow, row.key) != row:
            ground.hub.publish(row)


def seen_after(board: Board, machines: Iterable[str], moment: float) -> bool:
    """Whether what the board says of these machines' members was observed after that moment (unix, s)."""
    rows = [board.get(UnitRow, f"unit/{machine}/etcd") for machine in machines]
    return all(row is None or row.seen_at > moment for row in rows)
