"""The etcd pane: quorum in the title, one row a member with its last known values."""

from __future__ import annotations

import msgspec

from rwk_tui.board.board import Board
from rwk_tui.board.rows import MemberRow, QuorumRow
from rwk_tui.cockpit import marks, units
from rwk_tui.cockpit.text import Line, Span, Tone, about, cell, clean, line
from rwk_tui.cockpit.views.spark import sparkline


class MemberView(msgspec.Struct, frozen=True):
    """One member as the table shows it; `live` is False where the values are its last known ones."""

    key: str
    name: str
    star: bool
    role: str
    health: str
    tone: Tone
    live: bool
    version: str
    index: str
    lag: str
    db: str
    latency: str
    latencies: tuple[float, ...]
    warnings: tuple[str, ...] = ()


class EtcdView(msgspec.Struct, frozen=True):
    """The cluster and its members; `alarm` is a line above the table ("" when there is a quorum)."""

    title: str = "etcd"
    alarm: str = ""
    stale: str = ""
    members: tuple[MemberView, ...] = ()
    waits: str = ""

    @property
    def troubled(self) -> bool:
        """Whether the pane shows something that is not well."""
        return bool(self.alarm or self.stale or any(m.tone != "good" or m.warnings for m in self.members))


def etcd_view(board: Board, now: float) -> EtcdView:
    """What the pane shows of the board."""
    quorum = board.get(QuorumRow, "quorum")
    members = tuple(_member(row, quorum, now) for row in sorted(board.rows(MemberRow), key=lambda row: row.name))
    if quorum is None or quorum.state == "none":
        return EtcdView(title="etcd · no cluster yet", members=members, waits="waits for the first member to start")
    alarm = ""
    if quorum.state == "lost":
        alarm = f"no quorum: {quorum.reachable} of {quorum.voters} voters reachable, {quorum.needed} needed"
        state = f"no quorum: {quorum.reachable} of {quorum.voters} voters"
    else:
        state = f"quorum {quorum.reachable} of {quorum.voters}"
    parts = ["etcd", state]
    if quorum.learners:
        parts.append(f"{quorum.learners} learner" + ("s" if quorum.learners > 1 else ""))
    parts.append(f"term {quorum.term}" if quorum.leader or quorum.state == "lost" else "no leader")
    stale = "" if quorum.fresh else f"last seen {units.age(now - quorum.seen_at)} ago" + _because(quorum.why)
    return EtcdView(title=" · ".join(parts), alarm=alarm, stale=stale, members=members)


def _because(why: str) -> str:
    return f": {why}" if why else ""


def _member(row: MemberRow, quorum: QuorumRow | None, now: float) -> MemberView:
    mark = marks.HEALTH[row.health]
    if row.health == "down":
        health, tone = f"{mark.both} {units.age(now - row.since)}", mark.tone
    elif not row.fresh:
        health, tone = f"{marks.STALE.both} {units.age(now - row.seen_at)}", marks.STALE.tone
    else:
        health, tone = mark.both, mark.tone
    live = row.fresh and row.health in ("healthy", "no leader")
    # A member that was cut off goes on claiming to lead; whom a majority follows is the quorum row's to say.
    leads = live and row.role == "leader" and (quorum is None or quorum.leader in (row.machine, row.name))
    started = row.health != "unstarted" and bool(row.version or row.applied_index)
    if row.role == "unknown":
        role = "–"
    elif live:
        role = row.role if leads or row.role != "leader" else "claims lead"
    else:
        role = f"was {row.role}" if row.role == "leader" else row.role
    return MemberView(
        key=row.key,
        name=row.name or row.machine or row.id,
        star=leads,
        role=role,
        health=health,
        tone=tone,
        live=live,
        version=row.version,
        index=str(row.applied_index) if started else "",
        lag=str(row.lag) if started else "",
        db=units.size(row.db_size) if started else "",
        latency=units.latency(row.latencies[-1]) if row.latencies and live else "",
        latencies=row.latencies if live else (),
        warnings=(
            *(f"alarm {alarm}" for alarm in row.alarms),
            *(error for error in map(clean, row.errors) if mark.word not in error),  # Not what its health says already.
        ),
    )


COLUMNS = (
    ("member", 9, False),
    ("role", 13, False),
    ("health", 13, False),
    ("version", 8, False),
    ("index", 7, True),
    ("lag", 5, True),
    ("db", 8, True),
    ("latency", 8, True),
)
GAP = 1


def etcd_lines(view: EtcdView, width: int) -> list[Line]:
    """The pane's lines."""
    lines: list[Line] = []
    if view.alarm:
        lines.append(line((f"✗ {view.alarm}", "bad")))
    if view.stale:
        lines.append(line((f"{marks.STALE.glyph} {view.stale}", "warn")))
    if not view.members:
        return [*lines, line((view.waits, "muted"))] if view.waits else lines
    columns = _columns(width)
    lines.append(tuple(Span(cell(name, size, right=right) + " " * GAP, "muted") for name, size, right in columns))
    lines.extend(_row(member, columns, width) for member in view.members)
    for member in view.members:
        lines.extend(line((f"! {member.name}: {text}", "bad")) for text in member.warnings)
    return lines


def _columns(width: int) -> list[tuple[str, int, bool]]:
    """The columns that fit, with what is left over shared out among the first ones."""
    columns = list(COLUMNS)
    while columns and sum(size + GAP for _, size, _ in columns) > width:
        for name in ("db", "version", "latency", "lag", "index", "role"):
            found = [column for column in columns if column[0] == name]
            if found:
                columns.remove(found[0])
                break
        else:
            break
    room = width - sum(size + GAP for _, size, _ in columns) - 12
    extra = max(0, min(4, room // max(1, len(columns))))
    return [(name, size + extra, right) for name, size, right in columns]


def _row(member: MemberView, columns: list[tuple[str, int, bool]], width: int) -> Line:
    tone: Tone = "plain" if member.live else "muted"
    texts: dict[str, tuple[str, Tone]] = {
        "member": (f"{member.name}", "strong" if member.live else "plain"),
        "role": (f"★ {member.role}" if member.star else f"  {member.role}", "accent" if member.star else tone),
        "health": (member.health, member.tone),
        "version": (member.version, tone),
        "index": (member.index, tone),
        "lag": (member.lag, "warn" if member.live and member.lag not in ("", "0") and int(member.lag) > 100 else tone),
        "db": (member.db, tone),
        "latency": (member.latency, tone),
    }
    spans = [Span(cell(texts[name][0], size, right=right) + " " * GAP, texts[name][1]) for name, size, right in columns]
    room = width - sum(size + GAP for _, size, _ in columns) - 1
    if room >= 5 and member.latencies:
        spans.append(Span(" " + sparkline(member.latencies, min(room, 24)), "muted"))
    return about(member.key, tuple(spans))
