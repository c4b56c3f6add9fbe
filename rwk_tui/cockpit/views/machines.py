"""The Machines pane: power, units, and links that are cut or slow of every machine."""

from __future__ import annotations

import msgspec

from rwk_tui.board.board import Board
from rwk_tui.board.kube_rows import KubeRow, LeaseRow
from rwk_tui.board.rows import LinkRow, MachineRow, QuorumRow, UnitRow
from rwk_tui.cockpit import marks, units
from rwk_tui.cockpit.text import Line, Span, about, cell, line, spread, wrap
from rwk_tui.cockpit.views.kube_parts import lapsed_for
from rwk_tui.cockpit.views.links import slow_links

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
    `slow` says what else is wrong with its links.
    """

    key: str
    name: str
    address: str
    mark: marks.Mark
    age: str = ""
    stale: str = ""
    units: tuple[UnitView, ...] = ()
    alone: bool = False
    cut_from: tuple[str, ...] = ()
    slow: tuple[str, ...] = ()


class MachinesView(msgspec.Struct, frozen=True):
    """All machines, in order."""

    machines: tuple[MachineView, ...] = ()
    title: str = "Machines"

    @property
    def troubled(self) -> bool:
        """Whether the pane shows something that is not well."""
        return any(m.mark.word != "up" or m.alone or m.cut_from or m.slow or m.stale for m in self.machines)


def machines_view(board: Board, now: float) -> MachinesView:
    """What the pane shows of the board."""
    rows = board.rows(UnitRow)
    leading = _leading(board, now)
    machines = board.rows(MachineRow)
    # A link that is cut in one direction only is still no way to talk.
    links = board.rows(LinkRow)
    cut = {frozenset((link.source, link.target)) for link in links if link.state == "cut"}
    names = [row.name for row in machines]
    slow = slow_links(links, names)
    far = {name: [other for other in names if frozenset((name, other)) in cut] for name in names}
    alone = {name for name in names if far[name] and len(far[name]) == len(names) - 1}
    return MachinesView(
        tuple(
            MachineView(
                key=row.key,
                name=row.name,
                address=row.address,
                mark=marks.POWER[row.power],
                age="" if row.power == "up" or not row.since else units.age(now - row.since),
                stale="" if row.fresh else units.age(now - row.seen_at),
                units=tuple(_unit(unit, row, leading) for unit in rows if unit.machine == row.name),
                alone=row.name in alone,
                cut_from=tuple(other for other in far[row.name] if other not in alone and row.name not in alone),
                slow=slow[row.name],
            )
            for row in machines
        )
    )


def _leading(board: Board, now: float) -> frozenset[tuple[str, str]]:
    """Machine and unit of every leader that is known to lead now."""
    quorum, kube = board.get(QuorumRow, "quorum"), board.get(KubeRow, "kube")
    leading = {(quorum.leader, "etcd")} if quorum is not None and quorum.fresh else set()
    if kube is not None and kube.fresh:
        leading |= {(lease.machine, lease.name) for lease in board.rows(LeaseRow) if not lapsed_for(lease, now)}
    return frozenset(leading)


def _unit(row: UnitRow, machine: MachineRow, leading: frozenset[tuple[str, str]]) -> UnitView:
    mark = marks.UNIT[row.state]
    if row.state == "running" and (row.machine, row.unit) in leading:
        mark = marks.Mark(marks.LEADER.glyph, "running", mark.tone)
    more = "" if row.state == "running" else row.exit if row.state == "failed" and row.exit else mark.word
    if row.state == "stopped" and machine.power != "up":
        more = ""  # The machine's own line says it.
    return UnitView(SHORT.get(row.unit, row.unit), mark, more)


def machines_lines(view: MachinesView, width: int) -> list[Line]:
    """The pane's lines."""
    if not view.machines:
        return [line(("no machines yet", "muted"))]
    lines: list[Line] = []
    for number, machine in enumerate(view.machines):
        if number:
            lines.append(())
        first = len(lines)
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
        for words in machine.slow:
            lines += wrap(line(" ", (f"{marks.SLOW.glyph} {words}", marks.SLOW.tone)), width, 3)
        lines[first:] = [about(machine.key, parts) for parts in lines[first:]]
    return lines


def _unit_lines(shown: tuple[UnitView, ...], width: int) -> list[Line]:
    """Units side by side where all is well, one a line where there is something to say."""
    lines = [
        line(" ", (f"{unit.mark.glyph} ", unit.mark.tone), f"{unit.name} ", (unit.more, unit.mark.tone))
        for unit in shown
        if unit.more
    ]
    well = [unit for unit in shown if not unit.more]
    column = width // 2 if width < 40 else 18
    per_line = max(1, width // max(1, column))
    rows: list[Line] = []
    for at in range(0, len(well), per_line):
        spans = [Span(" ")]
        for unit in well[at : at + per_line]:
            spans += [Span(f"{unit.mark.glyph} ", unit.mark.tone), Span(cell(unit.name, column - 2))]
        spans[-1] = Span(spans[-1].text.rstrip())  # The last one needs no gap, where every cell counts.
        rows.append(tuple(spans))
    return rows + lines
