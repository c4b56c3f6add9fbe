"""The offer to get engines that are missing: asked when a chapter needs one, told when an install ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rwk_tui.board.board import Board
from rwk_tui.board.kube_rows import EngineRow
from rwk_tui.board.rows import ChapterRow
from rwk_tui.cockpit import units
from rwk_tui.cockpit.text import clean
from rwk_tui.cockpit.views.engines import engines_of, install_views, progress_words
from rwk_tui.daemon.protocol import Install

if TYPE_CHECKING:
    from rwk_tui.cockpit.app import Cockpit

USABLE = "the etcd chapters stay usable"


class Offers:
    """Asks about installs, and notices how they end."""

    def __init__(self, app: Cockpit) -> None:
        self._app = app
        self._states: dict[str, str] = {}
        self._answered: set[str] = set()
        """The engines about which it was once said whether a chapter is to be told without them."""

    def for_chapter(self, chapter: ChapterRow, tell: Callable[[], None]) -> bool:
        """Ask, if the chapter can't be told with the engines there are, or only less well; True if it was asked.

        What a chapter can do without is asked about until it is answered once; `tell` tells the chapter without it.
        """
        rows = engines_of(self._app.board, chapter.engines)
        if rows:
            are = "is" if len(rows) == 1 else "are"
            self._ask(rows, f"{chapter.name} needs {_names(rows)}, which {are} not installed.")
            return True
        better = [row for row in engines_of(self._app.board, chapter.better) if row.name not in self._answered]
        going = any(row.state == "installing" for row in self._app.board.rows(EngineRow))
        if not better or going:  # what is on its way will be there for a later chapter
            return False
        why = f"{chapter.name} can be told, but on an etcd that has known faults: killed under load, it can lose data."
        title, text, answers = _missing(self._app.board, better, f"{why} {_names(better)} has none of them.")
        without = {"o": ("tell", "open the chapter on the etcd that is there; this is not asked again")}
        self._open_ask(title, text, {"g": answers["g"], **without}, better, tell)
        return True

    def open(self) -> None:
        """Ask about everything that is missing."""
        rows = [row for row in self._app.board.rows(EngineRow) if row.state != "ready"]
        if rows:
            self._ask(rows, f"Not installed: {_names(rows)}. Some chapters need that.")

    def _ask(self, rows: Sequence[EngineRow], why: str) -> None:
        going = any(row.state == "installing" for row in rows)
        title, text, answers = (_going if going else _missing)(self._app.board, rows, why)
        self._open_ask(title, text, answers, rows)

    def _open_ask(
        self,
        title: str,
        text: str,
        answers: dict[str, tuple[str, str]],
        rows: Sequence[EngineRow],
        tell: Callable[[], None] = lambda: None,
    ) -> None:
        from rwk_tui.cockpit.screens.ask import Ask

        app = self._app

        def answered(answer: str | None) -> None:
            if answer in ("get", "tell"):
                self._answered |= {row.name for row in rows}
            if answer == "get":
                app.send(Install(engines=tuple(row.name for row in rows)))
            elif answer == "stop":
                app.send(Install(stop=True))
            elif answer == "tell":
                tell()

        dialog = Ask(title, text, answers, hint="Esc decides later")
        dialog.id = "install"
        app.push_screen(dialog, answered)

    def board_changed(self, board: Board) -> None:
        """Say when an install has ended, and how."""
        if not board.holds(EngineRow) and not self._states:
            return
        before, self._states = self._states, {row.name: row.state for row in board.all_of(EngineRow)}
        key = self._app.key_map.key("install")
        for row in board.rows(EngineRow):
            if before.get(row.name) != "installing" or row.state == "installing":
                continue
            name, text = clean(row.name), clean(row.text)
            if row.state == "ready":
                self._app.notify(f"{name} is installed.", title="Installed", markup=False, timeout=10)
            elif row.state == "failed":
                why = f"{text}. " if text else ""
                self._app.notify(
                    f"{why}Press {key} to try again.",
                    title=f"{name} not installed",
                    severity="error",
                    markup=False,
                    timeout=20,
                )
            else:
                self._app.notify(f"Press {key} to go on with it.", title=f"{name}: broken off", markup=False)


def _names(rows: Sequence[EngineRow]) -> str:
    return " and ".join(clean(row.name) for row in rows)


Question = tuple[str, str, dict[str, tuple[str, str]]]


def _missing(board: Board, rows: Sequence[EngineRow], why: str) -> Question:
    failed = [f"The last try failed: {clean(row.text)}." for row in rows if row.state == "failed" and row.text]
    left, size = sum(row.left_s or 0.0 for row in rows), sum(row.size for row in rows)
    cost = [units.minutes(left)] if left else []
    cost += [f"{max(1, round(size / 1e6))} MB"] if size else []
    words = "; ".join(filter(None, (", ".join(cost), USABLE)))
    told = {clean(row.text).rstrip(".") for row in rows if row.state == "missing" and row.text}
    known = [f"{text[0].upper()}{text[1:]}." for text in sorted(told)]
    answers = {"g": ("get", f"get it now ({words})"), "l": ("later", "later")}
    return "Get engines?", " ".join((why, *failed[:1], *known)), answers


def _going(board: Board, rows: Sequence[EngineRow], why: str) -> Question:
    install = install_views(board)[0]
    text = f"{install.name} is being installed: {progress_words(install)}. Meanwhile {USABLE}."
    answers = {"x": ("stop", "break it off"), "l": ("on", "let it go on")}
    return "Break off the install?", text, answers
