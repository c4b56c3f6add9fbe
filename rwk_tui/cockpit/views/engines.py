"""Installs of engines: which are missing, how far one is, and how that is said in a line."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from rwk_tui.board.board import Board
from rwk_tui.board.kube_rows import EngineRow, EngineState
from rwk_tui.cockpit import marks, units
from rwk_tui.cockpit.text import Line, Span, clean, fit, line, width_of

BAR = 20


class InstallView(msgspec.Struct, frozen=True):
    """One engine that is being installed, or was not for some reason; `done` in percent."""

    name: str
    state: EngineState
    text: str = ""
    done: int = 0
    left: str = ""


def install_views(board: Board) -> tuple[InstallView, ...]:
    """Installs that go on or failed; what moves comes first."""
    shown = (row for row in board.rows(EngineRow) if row.state in ("installing", "failed"))
    return tuple(
        InstallView(
            name=clean(row.name),
            state=row.state,
            text=clean(row.text),
            done=max(0, min(100, int(row.done * 100))),
            left=f"{units.minutes(row.left_s)} left" if row.left_s else "",
        )
        for row in sorted(shown, key=lambda row: (row.state != "installing", not 0 < row.done < 1))
    )


def missing_engines(board: Board) -> tuple[str, ...]:
    """The engines that nobody has got yet, if none of them is a Kubernetes that could be used instead."""
    rows = board.rows(EngineRow)
    if any(row.state == "ready" and row.name.startswith("kubernetes") for row in rows):
        return ()
    return tuple(clean(row.name) for row in rows if row.state == "missing")


def engines_of(board: Board, names: Iterable[str]) -> tuple[EngineRow, ...]:
    """Those of the engines that can't be used now; one that nobody speaks of is not in the way."""
    rows = (board.get(EngineRow, f"engine/{name}") for name in names)
    return tuple(row for row in rows if row is not None and row.state != "ready")


def progress_words(install: InstallView) -> str:
    """How far an install is, in words: "42 % · about 8 min left"."""
    return " · ".join(filter(None, (f"{install.done} %", install.left)))


def install_lines(installs: tuple[InstallView, ...], width: int, key: str) -> list[Line]:
    """One line for what goes on, one for what failed, with the key that tries again ("" for none)."""
    going = [install for install in installs if install.state == "installing"]
    failed = [install for install in installs if install.state == "failed"]
    lines: list[Line] = []
    if going:
        lines.append(_progress_line(going[0], len(going) - 1, width))
    if failed:
        names = ", ".join(install.name for install in failed)
        why = f": {failed[0].text}" if failed[0].text else ""
        again = line("  ", Span(key, "key", "install"), Span(" tries again", "plain", "install")) if key else ()
        head = fit(line((f"{marks.ENGINE['failed'].glyph} {names} not installed{why}", "bad")), width - width_of(again))
        lines.append((*head, *again))
    return lines


def _progress_line(install: InstallView, others: int, width: int) -> Line:
    mark = marks.ENGINE["installing"]
    head = line(mark.span(f" {install.name} "))
    tail = f" {progress_words(install)}"
    if others:
        tail += f" · {others} more after it"
    cells = max(0, min(BAR, width - width_of(head) - len(tail)))
    full = round(cells * install.done / 100)
    bar = (Span("▇" * full, "accent"), Span("▁" * (cells - full), "muted"))
    text = f" · {install.text}" if install.text else ""
    return fit((*head, *bar, Span(tail), Span(text, "muted")), width)
