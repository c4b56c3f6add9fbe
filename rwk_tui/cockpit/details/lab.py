"""Details of a machine, of a unit on it, and of an etcd member."""

from __future__ import annotations

from rwk_tui.board.board import Board
from rwk_tui.board.kube_rows import ApiServerRow, NodeRow
from rwk_tui.board.rows import LinkRow, MachineRow, MemberRow, QuorumRow, UnitRow
from rwk_tui.cockpit import marks, units
from rwk_tui.cockpit.details.page import Page, argv_lines, field, freshness, heading, state_of, unit_lines
from rwk_tui.cockpit.panes.stack import Stack
from rwk_tui.cockpit.text import Line, clean
from rwk_tui.cockpit.views.links import slow_words
from rwk_tui.cockpit.views.spark import sparkline


def machine_page(board: Board, key: str, now: float, width: int) -> Page | None:
    """Power, links, and the units with what they were started as."""
    row = board.get(MachineRow, key)
    if row is None:
        return None
    lines = freshness(row, now, width)
    lines += field("power", state_of(marks.POWER[row.power], row.since, now))
    lines += field("address", clean(row.address))
    for link in board.rows(LinkRow):
        cut, slow = link.state == "cut", slow_words(link)
        if row.name not in (link.source, link.target) or not (cut or slow):
            continue
        text = f"{marks.CUT.glyph} cut" if cut else f"{marks.SLOW.glyph} {slow}"
        tone = marks.CUT.tone if cut else marks.SLOW.tone
        lines += field("link", (f"{text}: {link.source} to {link.target}", tone), width=width)
    lines += _parts_of(board, row.name)
    found = [unit for unit in board.rows(UnitRow) if unit.machine == row.name]
    lines += heading(f"Units ({len(found)})")
    for unit in found:
        lines += unit_lines(board, unit, now, width)
    return Page(f"machine {row.name}", Stack(lines), not row.fresh)


def _parts_of(board: Board, machine: str) -> list[Line]:
    """What the machine is in etcd and in Kubernetes."""
    lines: list[Line] = []
    for member in board.rows(MemberRow):
        if member.machine == machine:
            lines += field("etcd", f"{member.role}, ", marks.HEALTH[member.health].span(), thing=member.key)
    server = board.get(ApiServerRow, f"api-server/{machine}")
    if server is not None:
        lines += field("API server", marks.API[server.state].span(), thing=server.key)
    for node in board.rows(NodeRow):
        if node.machine == machine:
            lines += field("node", f"{clean(node.name)} ", marks.NODE[node.state].span(), thing=node.key)
    return lines


def unit_page(board: Board, key: str, now: float, width: int) -> Page | None:
    """Everything a unit was started with."""
    row = board.get(UnitRow, key)
    if row is None:
        return None
    lines = freshness(row, now, width)
    lines += field("state", state_of(marks.UNIT[row.state], row.since, now), thing=row.key)
    lines += field("machine", row.machine, thing=f"machine/{row.machine}")
    if row.pid:
        lines += field("pid", str(row.pid))
    if row.exit:
        lines += field("exit", (clean(row.exit), "bad" if row.state == "failed" else "plain"), width=width)
    if row.argv:
        lines += [*heading("Started as"), *argv_lines(row.argv, width)]
    if row.environment:
        lines += [*heading("With"), *argv_lines([f"{name}={value}" for name, value in row.environment], width)]
    return Page(f"unit {row.unit} on {row.machine}", Stack(lines), not row.fresh)


def member_page(board: Board, key: str, now: float, width: int) -> Page | None:
    """A member as etcd knows it."""
    row = board.get(MemberRow, key)
    if row is None:
        return None
    quorum = board.get(QuorumRow, "quorum")
    lines = freshness(row, now, width)
    leads = row.role == "leader" and (quorum is None or quorum.leader in (row.machine, row.name))
    lines += field(
        "health", state_of(marks.HEALTH[row.health], row.since, now, stale=not row.fresh and row.health != "down")
    )
    lines += field("role", (marks.LEADER.both if leads else row.role, "accent" if leads else "plain"))
    lines += field("id", clean(row.id))
    lines += field("version", clean(row.version) or "–")
    lines += field("term", str(row.term))
    lines += field("index", f"{row.raft_index} in the log, {row.applied_index} applied, {row.lag} behind")
    lines += field("database", units.size(row.db_size))
    if row.latencies:
        lines += field("latency", units.latency(row.latencies[-1]), (f"  {sparkline(row.latencies, 30)}", "muted"))
    lines += field("alarms", (", ".join(row.alarms), "bad") if row.alarms else "none", width=width)
    for error in row.errors:
        lines += field("error", (clean(error), "bad"), width=width)
    for url in row.peer_urls:
        lines += field("peer URL", clean(url), width=width)
    for url in row.client_urls:
        lines += field("client URL", clean(url), width=width)
    if quorum is not None and quorum.cluster_id:
        lines += field("cluster", clean(quorum.cluster_id))
    unit = board.get(UnitRow, f"unit/{row.machine}/etcd")
    if unit is not None:
        lines += [*heading("Unit"), *unit_lines(board, unit, now, width)]
    if row.machine:
        lines += field("machine", row.machine, thing=f"machine/{row.machine}")
    return Page(f"member {row.name or row.machine or row.id}", Stack(lines), not row.fresh)
