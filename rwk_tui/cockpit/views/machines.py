"""The Machines pane: power, units and cut links of every machine."""

from __future__ import annotations

import msgspec

from rwk_tui.board.board import Board
from rwk_tui.board.rows import LinkRow, MachineRow, QuorumRow, UnitRow
from rwk_tui.cockpit import marks, units
from rwk_tui.cockpit.text import Line, Span, cell, line, spread

SHORT = {"kube-apiserver": "apiserver", "kube-controller-manager": "kcm", "kube-scheduler": "scheduler"}
"""Names of units as a narrow pane shows them."""


class UnitView(msgspec.Struct, frozen=True):
    """One unit: its short name and mark; `more` is what goes with it."""

    name: str
    mark: marks.Mark
    more: str = ""


class MachineView(msgspec.Struct, frozen=True):
    """One machine; `age` is "" while it is up.

    `alone` says that it can talk to no other machine; `cut_from` names those it can't talk to though they aren't alone.
    """

    name: str
    address: str
    mark: marks.Mark
    age: str = ""
    stale: str = ""
    units: tuple[UnitView, ...] = ()
    alone: bool = False
    cut_from: tuple[str, ...] = ()


class MachinesView(msgspec.Struct, frozen=True):
    """All machines, in order."""

    machines: tuple[MachineView, ...] = ()
    title: str = "Machines"

    @property
    def troubled(self) -> bool:
        """Whether the pane shows something that is not well."""
        return any(m.mark.word != "up" or m.alone or m.cut_from or m.stale for m in self.machines)


def machines_view(board: Board, now: float) -> MachinesView:
    """What the pane shows of the board."""
    rows = board.rows(UnitRow)
    quorum = board.get(QuorumRow, "quorum")
    leader = quorum.leader if quorum is not None and quorum.fresh else ""
    machines = board.rows(MachineRow)
    # A link that is cut in one direction only is still no way to talk.
    cut = {frozenset((link.source, link.target)) for link in board.rows(LinkRow) if link.state == "cut"}
    names = [row.name for row in machines]
    far = {name: [other for other in names if frozenset((name, other)) in cut] for name in names}
    alone = {name for name in names if far[name] and len(far[name]) == len(names) - 1}
    return MachinesView(
        tuple(
            MachineView(
                name=row.name,
                address=row.address,
                mark=marks.POWER[row.power],
                age="" if row.power == "up" or not row.since else units.age(now - row.since),
                stale="" if row.fresh else units.age(now - row.seen_at),
                units=tuple(_unit(unit, leader) for unit in rows if unit.machine == row.name),
                alone=row.name in alone,
                cut_from=tuple(other for other in far[row.name] if other not in alone and row.name not in alone),
            )
            for row in machines
        )
    )


def _unit(row: UnitRow, leader: str) -> UnitView:
    mark = marks.UNIT[row.state]
    if row.unit == "etcd" and row.state == "running" and row.machine == leader:
        mark = marks.Mark(marks.LEADER.glyph, "running", mark.tone)
    more = "" if row.state == "running" else row.exit if row.state == "failed" and row.exit else mark.word
    return UnitView(SHORT.get(row.unit, row.unit), mark, more)


def machines_lines(view: MachinesView, width: int) -> list[Line]:
    """The pane's lines."""
    if not view.machines:
        return [line(("no machines yet", "muted"))]
    lines: list[Line] = []
    for number, machine in enumerate(view.machines):
        if number:
            lines.append(())
        mark = machine.mark.span(f" {machine.age}" if machine.age else "")
        head = line((machine.name, "strong"), " ", mark)
        if machine.alone:
            head = (*head, Span(" "), marks.CUT.span())
        if machine.stale:
            head = (*head, Span(" "), marks.STALE.span(f" {machine.stale}"))
        lines.append(spread(head, line((machine.address, "muted")), width) if width >= 40 else head)
        lines.extend(_unit_lines(machine.units, width))
        if machine.cut_from:
            lines.append(line(" ", Span(f"{marks.CUT.glyph} cut from {', '.join(machine.cut_from)}", marks.CUT.tone)))
    return lines


def _unit_lines(shown: tuple[UnitView, ...], width: int) -> list[Line]:
    """Units side by side where all is well, one a line where there is something to say."""
    lines: list[Line] = []
    well: list[Span] = []
    column = max(1, (width - 1) // 2) if width < 40 else 18
    for unit in shown:
        glyph, name = Span(f"{unit.mark.glyph} ", unit.mark.tone), unit.name
        if unit.more:
            lines.append((Span(" "), glyph, Span(f"{name} "), Span(unit.more, unit.mark.tone)))
            continue
        well += [glyph, Span(cell(name, column - 2))]
    per_line = 2 * max(1, (width - 1) // column)
    rows = [(Span(" "), *well[at : at + per_line]) for at in range(0, len(well), per_line)]
    return rows + lines
