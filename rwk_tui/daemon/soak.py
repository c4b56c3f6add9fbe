"""`rwk-tui soak`: random faults under load, one after another, until something that must hold does not."""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import CardRow
from rwk_tui.board.rows import CanaryRow
from rwk_tui.daemon.client import DaemonError
from rwk_tui.daemon.hold import Follower, held_lab, run_interruptible
from rwk_tui.daemon.report import check_writable, write_report
from rwk_tui.daemon.soak_report import Resources, SoakReport, Struck, Totals
from rwk_tui.daemon.strike import NotStruck, Striker
from rwk_tui.faults.base import Stage
from rwk_tui.faults.draw import Draw, draws, target_of
from rwk_tui.faults.kinds import KINDS
from rwk_tui.settings import BadInput, Settings, check_socket

LOAD = 50
"""Writes a second, unless the settings say otherwise."""
WARM = 10
"""Faults after which everything that is loaded once is loaded: what grows from there on is a leak."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a soak is asked for: how many faults, drawn by which seed (None: any), on what, from which kinds (() all).

    `report_to` is a file for the cards as Markdown.
    """

    faults: int
    seed: int | None = None
    stage: Stage = "secured"
    only: tuple[str, ...] = ()
    json: bool = False
    report_to: Path | None = None


def run_soak(settings: Settings, wanted: Wanted) -> int:
    """Strike that many faults; 0 only if all were healed and nothing was lost or violated, but for what is known.

    Raises BadInput.
    """
    if wanted.faults < 1:
        raise BadInput("soak: --faults must be at least 1")
    for name in wanted.only:
        if name not in KINDS:
            raise BadInput(f"soak: there is no fault {name!r}: there are {', '.join(KINDS)}")
    check_socket(settings)
    if wanted.report_to is not None:
        check_writable(wanted.report_to, "--report")
    seed = secrets.randbelow(1_000_000) if wanted.seed is None else wanted.seed
    report = SoakReport(wanted.json, wanted.faults)
    soak = Soak(replace(settings, load=settings.load or LOAD), report, replace(wanted, seed=seed))
    try:
        return run_interruptible(soak.run())
    except DaemonError as error:
        print(f"rwk-tui: {error}", file=sys.stderr)
    finally:
        if wanted.report_to is not None:
            write_report(wanted.report_to, report.cards, f"Soak of {wanted.faults} faults, seed {seed}")
    return 1


class Soak:
    """One soak on a lab of its own."""

    def __init__(self, settings: Settings, report: SoakReport, wanted: Wanted) -> None:
        self._settings = settings
        self._report = report
        self._wanted = wanted
        self._totals = Totals(wanted.seed or 0)
        self._epochs: dict[int, tuple[int, int, int]] = {}
        """Of each of the canary's epochs: writes acknowledged, lost, and lost by a known bug of the engine."""
        self._drawn = 0
        self._first: Resources | None = None
        self._last: Resources | None = None

    async def run(self) -> int:
        """Strike that many faults, or up to the first that goes wrong; the exit code."""
        began, failed = time.monotonic(), ""
        async with held_lab(self._settings) as lab:
            try:
                failed = await self._strikes(lab)
            except NotStruck as error:
                failed = str(error)
            finally:
                self._count(lab.board)
                self._totals.seconds = time.monotonic() - began
                self._report.ends(self._totals, self._first, self._last, self._replay() if failed else "", failed)
        return 0 if self._totals.good and not failed else 1

    def _replay(self) -> str:
        more = "".join(f" --only {name}" for name in self._wanted.only)
        return f"rwk-tui soak --seed {self._totals.seed} --faults {max(1, self._drawn)} --on {self._wanted.stage}{more}"

    async def _strikes(self, lab: Follower) -> str:
        """Strike one fault after another; what went wrong, "" if nothing did. Raises NotStruck."""
        striker = Striker(lab, self._wanted.stage)
        pool = await self._pool(striker)
        self._first = self._last = _look(lab)
        for draw in draws(self._totals.seed, pool):
            self._drawn = draw.number
            struck = await self._strike(striker, draw, lab.board)
            self._last = _look(lab)
            if draw.number <= WARM:
                self._first = self._last
            self._report.struck(struck, self._last)
            if struck.problem or draw.number == self._wanted.faults:
                break
        await striker.ready()
        self._last = _look(lab)
        more = list(self._last.processes)
        for name in self._first.processes:
            if name in more:
                more.remove(name)
        return struck.problem or (f"processes were left: {', '.join(more)}" if more else "")

    async def _pool(self, striker: Striker) -> list[str]:
        """Build the lab and say what will be drawn from. Raises NotStruck."""
        rows = await striker.build()
        wanted = [
            row for row in rows.values() if row.healable and (not self._wanted.only or row.name in self._wanted.only)
        ]
        pool = [row.name for row in wanted if row.targets]
        self._report.begins(
            self._totals.seed, self._wanted.stage, pool, {r.name: r.why for r in wanted if not r.targets}
        )
        if not pool:
            raise NotStruck("nothing of that can be injected here")
        return pool

    async def _strike(self, striker: Striker, draw: Draw, board: Board) -> Struck:
        """Inject one fault, perhaps one more on top, wait until it is seen, heal all, and wait for the cards."""
        before, injected = striker.newest, striker.injected
        struck = Struck(draw.number, draw.fault, "", round(draw.hold, 3), ())
        problem = ""
        try:
            await striker.ready()
            target = target_of(draw, await striker.kind(draw.fault))
            struck = replace(struck, target=target)
            await striker.inject(draw.fault, target)
            await striker.seen()
            # What comes on top may well not be seen any more: who is cut off can't be slow.
            on_top = draw.beside
            if on_top is not None and (other := target_of(on_top, await striker.kind(on_top.fault, 0.0), target)):
                struck = replace(struck, fault=f"{draw.fault} + {on_top.fault}", target=f"{target} + {other}")
                await striker.inject(on_top.fault, other)
            await asyncio.sleep(draw.hold)
            await striker.heal(before)
        except NotStruck as error:
            problem = str(error)
        cards = tuple(striker.cards(before))
        self._totals.faults += striker.injected - injected
        # One that gave way to what came on top of it needs no healing of its own.
        over = striker.injected - injected - len(cards) if not problem else 0
        self._totals.healed += over + len([card for card in cards if card.well_ms is not None])
        self._totals.violations += sum(len(card.broken) for card in cards)
        self._totals.known += sum(len(card.known) for card in cards)
        self._count(board)
        return replace(struck, cards=cards, problem=problem or next(filter(None, map(_problem, cards)), ""))

    def _count(self, board: Board) -> None:
        """Take in what the canary says; its counts begin anew with each epoch."""
        row = board.get(CanaryRow, "canary/etcd")
        if row is None:
            return
        now = (row.acknowledged, row.lost, row.lost if row.known else 0)
        before = self._epochs.get(row.epoch, (0, 0, 0))
        self._epochs[row.epoch] = (max(before[0], now[0]), max(before[1], now[1]), max(before[2], now[2]))
        each = tuple(map(sum, zip(*self._epochs.values(), strict=True)))
        self._totals.acknowledged, self._totals.lost, self._totals.lost_known = each


def _problem(card: CardRow) -> str:
    if card.verdict in ("holds", "known"):
        return ""
    broken = [f"{one.name}: {one.saw}" for one in card.broken]
    return "; ".join(broken) or f"{card.text}: {card.verdict}"


def _look(lab: Follower) -> Resources:
    daemon = psutil.Process(lab.client.welcome.pid)
    below = [_name(process) for process in daemon.children(recursive=True)]
    return Resources(daemon.memory_info().rss, daemon.num_fds(), tuple(sorted(filter(None, below))))


def _name(process: psutil.Process) -> str:
    try:
        return process.name() if process.status() != psutil.STATUS_ZOMBIE else ""
    except psutil.Error:
        return ""
