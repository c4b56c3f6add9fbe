"""What the faults chooser and the palette offer: every fault by its domain, with where it can strike."""

from __future__ import annotations

from collections.abc import Iterator

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import DOMAINS
from rwk_tui.board.rows import FaultKindRow, QuorumRow
from rwk_tui.board.targets import LEADER, confirmation, target_machines, target_words
from rwk_tui.cockpit.panes.menu import Item
from rwk_tui.cockpit.text import clean


def fault_items(board: Board) -> tuple[Item, ...]:
    """Every fault below its domain's heading, with what it can be aimed at; impossible ones say why."""
    items: list[Item] = []
    leader, domain = _leader(board), ""
    for row in _kinds(board):
        if row.domain and row.domain != domain:
            domain = row.domain
            items.append(Item(id=f"domain {domain}", label=domain.capitalize(), heading=True))
        notes = (("Look", row.look), ("Must hold", row.must))
        items.append(
            Item(
                id=row.name,
                label=row.title or row.name,
                note="" if row.healable else "can't be healed",
                why=_why(row),
                explain=row.explain,
                notes=tuple((name, text) for name, text in notes if text),
                words=row.domain,
                under=tuple(
                    Item(id=target, label=target_words(target), note=_target_note(target, leader))
                    for target in row.targets
                ),
            )
        )
    return tuple(items)


def possible_faults(board: Board) -> Iterator[tuple[str, str, str]]:
    """Name, title and explanation of every fault that can be injected now."""
    for row in _kinds(board):
        if not _why(row):
            yield row.name, clean(row.title or row.name), clean(row.explain)


def to_confirm(board: Board, fault: str, target: str) -> str:
    """What must be typed before the fault strikes there, "" where nothing must; "leader" is who leads now."""
    row = board.get(FaultKindRow, f"fault-kind/{fault}")
    if row is None or not row.confirm:
        return ""
    return _leader(board) if target == LEADER else confirmation(target)


def warning(board: Board, fault: str, target: str) -> tuple[str, str]:
    """The title and the text of the question that a fault asks before it strikes."""
    row = board.get(FaultKindRow, f"fault-kind/{fault}")
    if row is None:
        return fault, ""
    hit = _leader(board) if target == LEADER else target
    end = "" if row.healable else " No key brings it back."
    return f"{clean(row.title)}: {target_words(hit)}", f"{row.explain}{end}"


def _kinds(board: Board) -> list[FaultKindRow]:
    """In each domain, what can't be undone comes last, away from where the cursor begins."""
    order: dict[str, int] = {name: number for number, name in enumerate(DOMAINS)}
    return sorted(
        board.rows(FaultKindRow),
        key=lambda row: (order.get(row.domain, len(order)), row.domain, not row.healable, row.title),
    )


def _why(row: FaultKindRow) -> str:
    return row.why or ("" if row.targets else "nothing to aim at now")


def _leader(board: Board) -> str:
    quorum = board.get(QuorumRow, "quorum")
    return quorum.leader if quorum is not None else ""


def _target_note(target: str, leader: str) -> str:
    machines = target_machines(target)
    if LEADER in (target, *machines):
        return f"now {leader}" if leader else "nobody leads now"
    if not leader or leader not in machines:
        return ""
    return "★ leader" if len(machines) == 1 else f"★ {leader} leads"
