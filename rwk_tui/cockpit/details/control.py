"""Details of the control plane: an API server, and the lease that says who leads a part of it."""

from __future__ import annotations

from rwk_tui.board import wording
from rwk_tui.board.board import Board
from rwk_tui.board.kube_rows import ApiServerRow, KubeRow, LeaseRow
from rwk_tui.board.rows import UnitRow
from rwk_tui.cockpit import marks, units
from rwk_tui.cockpit.details.page import Page, argv_lines, event_lines, field, freshness, heading, state_of, unit_lines
from rwk_tui.cockpit.panes.stack import Stack
from rwk_tui.cockpit.text import Line, clean, line, wrap
from rwk_tui.cockpit.views.kube_parts import bare, lapsed_for


def server_page(board: Board, key: str, now: float, width: int) -> Page | None:
    """How an API server is, which of its checks fail, and what it was started with."""
    row = board.get(ApiServerRow, key)
    if row is None:
        return None
    lines = freshness(row, now, width)
    lines += field("state", state_of(marks.API[row.state], row.since, now))
    lines += field("version", bare(row.version) or "–")
    if row.latency_ms:
        lines += field("/readyz", f"answers in {units.latency(row.latency_ms)}")
    lines += field(
        "checks",
        ("! fails: " + ", ".join(map(clean, row.failing)), "bad") if row.failing else "none fails",
        width=width,
    )
    lines += field("machine", row.machine, thing=f"machine/{row.machine}")
    unit = board.get(UnitRow, f"unit/{row.machine}/kube-apiserver")
    if unit is not None:
        lines += [*heading("Unit"), unit_lines(board, unit, now, width)[0]]
        if unit.argv:
            lines += [*heading("Started as"), *argv_lines(unit.argv, width)]
    return Page(f"API server {clean(row.machine)}", Stack(lines), not row.fresh)


def lease_page(board: Board, key: str, now: float, width: int) -> Page | None:
    """Who holds a lease, since when, and when it runs out."""
    row = board.get(LeaseRow, key)
    if row is None:
        return None
    lines = watched(board, now, width)
    late = 0.0 if is_stale(board) else lapsed_for(row, now)
    holder = marks.LEASE if row.holder and not late else marks.LAPSED if late else marks.Mark("○", "nobody", "warn")
    holder = marks.was(holder) if is_stale(board) else holder
    lines += field("state", holder.span(f" for {units.age(late)}" if late else ""))
    lines += field("holder", clean(row.holder) or "nobody", width=width)
    if row.machine:
        lines += field("machine", row.machine, thing=f"machine/{row.machine}")
    if row.since:
        lines += field("since", f"{units.clock(row.since)}, for {units.age(now - row.since)}")
    lines += field("moved", wording.count(row.transitions, "time"))
    lines += renewal(row.renewed, row.duration_s, now)
    unit = board.get(UnitRow, f"unit/{row.machine}/{row.name}")
    if unit is not None:
        lines += [*heading("Unit"), *unit_lines(board, unit, now, width)]
    return Page(f"lease {clean(row.name)}", Stack(lines, event_lines(board, key, width)), is_stale(board))


def renewal(renewed: float, lasts: int, now: float) -> list[Line]:
    """When a lease was last renewed, against how long it lasts."""
    if not renewed:
        return field("lease", "not known to be renewed")
    text = f"renewed {units.age(now - renewed)} ago" + (f", lasts {lasts} s" if lasts else "")
    late = now - renewed - lasts if lasts else 0.0
    if late > 1:
        return field("lease", f"{text}, ", (f"{marks.LAPSED.glyph} lapsed {units.age(late)} ago", "bad"))
    return field("lease", text)


def is_stale(board: Board) -> bool:
    """Whether what Kubernetes says is out of date."""
    kube = board.get(KubeRow, "kube")
    return kube is not None and not kube.fresh


def watched(board: Board, now: float, width: int) -> list[Line]:
    """A line that says that what Kubernetes says is out of date, where it is."""
    kube = board.get(KubeRow, "kube")
    if kube is None or kube.fresh:
        return []
    why = f": {clean(kube.why)}" if kube.why else ""
    text = f"{marks.STALE.both} {units.age(now - (kube.synced_at or kube.seen_at))}{why} · these are its last values"
    return wrap(line((text, "warn")), width, 2)
