"""`rwk-tui play`: chapters without a screen, with an exit code that says whether every check held."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from rwk_tui.board.card_row import CardRow
from rwk_tui.board.frames import Check, Step
from rwk_tui.board.kube_rows import EngineRow
from rwk_tui.board.rows import ChapterRow
from rwk_tui.daemon.cards import Cards
from rwk_tui.daemon.client import CommandRefused, DaemonError
from rwk_tui.daemon.engines import called
from rwk_tui.daemon.hold import Follower, held_lab, run_interruptible
from rwk_tui.daemon.just_in_time import JustInTime
from rwk_tui.daemon.progress import BarReport, JsonReport, LineReport, Report, Result
from rwk_tui.daemon.protocol import Next, Open
from rwk_tui.daemon.report import check_writable, write_report
from rwk_tui.settings import BadInput, Settings, check_socket
from rwk_tui.story.fault_story import is_made, made_chapter
from rwk_tui.story.load import load_chapters
from rwk_tui.story.schema import Chapter

CARDS_WITHIN = 60.0
"""Seconds that a chapter's healed faults have to get their cards, after its last step."""


def run_play(
    settings: Settings,
    chapters: list[str],
    all: bool,
    json: bool,
    report_to: Path | None = None,
    install: bool = False,
) -> int:
    """Play chapters on a lab of our own, and write the cards of their faults as Markdown to `report_to`.

    With `install`, engines that a chapter needs are got before it. Returns 0 only if everything that must hold did
    hold, or a known bug of the engine explains why it did not, and every engine could be got; 130 after Ctrl-C. Raises
    BadInput, OSError.
    """
    chosen = _choose(load_chapters(settings), chapters, all)
    check_socket(settings)
    if report_to is not None:
        check_writable(report_to, "--report")
    report: Report = JsonReport() if json else BarReport() if sys.stdout.isatty() else LineReport()
    try:
        return run_interruptible(_play(settings, chosen, report, report_to, install=install))
    except DaemonError as error:
        print(f"rwk-tui: {error}", file=sys.stderr)
    except BrokenPipeError:
        # Whoever read us has gone; the interpreter must not stumble over what is still buffered.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _choose(known: Sequence[Chapter], names: Sequence[str], all: bool) -> list[Chapter]:
    by_name = {chapter.name: chapter for chapter in known}
    by_name |= {name: made_chapter(name) for name in names if is_made(name)}
    for name in names:
        if name not in by_name:
            raise BadInput(f"there is no chapter {name!r}: there are {', '.join(by_name)}")
    if all and names:
        raise BadInput("name chapters or say --all, not both")
    if not all and not names:
        raise BadInput(f"which chapter? There are {', '.join(by_name)}; --all plays them all")
    return list(known) if all else [by_name[name] for name in names]


async def _play(
    settings: Settings, chapters: Sequence[Chapter], report: Report, report_to: Path | None, *, install: bool
) -> int:
    began = time.monotonic()
    results: list[Result] = []
    with report:
        async with held_lab(settings) as lab:
            cards = Cards(lab, report.card)
            engines = JustInTime(lab, settings, report) if install else None
            try:
                async with cards:
                    await play_chapters(lab, chapters, report, results, cards, engines)
            finally:
                if report_to is not None:
                    title = f"rwk-tui play {' '.join(chapter.name for chapter in chapters)}"
                    write_report(report_to, cards.all, title)
        report.summary(len(chapters), results, time.monotonic() - began)
    if tape := lab.client.welcome.tape:
        print(f"rwk-tui: recorded to {tape}", file=sys.stderr)
    return exit_code(results, cards.all, engines.failed if engines is not None else {})


def exit_code(results: Sequence[Result], cards: Sequence[CardRow], not_got: Mapping[str, str] = {}) -> int:
    """0 if no check failed, no card says that something that must hold was violated, and every engine came; else 1.

    What a known bug of the engine explains is no failure: it is told, and counted in the summary.
    """
    failed = any(result.step.status == "failed" for result in results)
    return 1 if failed or not_got or any(card.verdict == "violated" for card in cards) else 0


async def play_chapters(
    lab: Follower,
    chapters: Sequence[Chapter],
    report: Report,
    results: list[Result],
    cards: Cards,
    engines: JustInTime | None = None,
) -> None:
    """Play these chapters one after another, each once `engines` has got what it needs.

    Raises DaemonError if the lab ends meanwhile.
    """
    if engines is not None:
        await engines.plan(chapters)
    for chapter in chapters:
        if engines is not None:
            await engines.get_for(chapter)
        report.chapter(chapter.name, chapter.title, len(chapter.steps))
        cards.begin()
        await play_chapter(lab, chapter, report, results)
        for fault in await cards.settled(CARDS_WITHIN):
            print(f"rwk-tui: no card within {CARDS_WITHIN:g} s: {fault}", file=sys.stderr)


async def play_chapter(lab: Follower, chapter: Chapter, report: Report, results: list[Result]) -> None:
    """Play one chapter on a lab that is held, step by step, and add how each ended to `results`.

    Raises DaemonError if the lab ends meanwhile.
    """

    def add(number: int, step: Step) -> None:
        result = Result(chapter.name, number + 1, len(chapter.steps), step)
        results.append(result)
        report.step(result)

    if lacking := _lacking(lab, chapter.name):
        for number, step in enumerate(chapter.steps):
            add(number, Step(title=step.title, status="skipped", checks=(lacking,)))
        return
    began = time.monotonic()
    failed = await _settle(lab, Open(chapter=chapter.name))
    if failed:
        check = Check(expect="the chapter's start can be built", status="failed", saw=failed)
        add(0, _failed(Step(title=chapter.steps[0].title, seconds=time.monotonic() - began), check))
    for number, step in enumerate(chapter.steps):
        if failed:
            if number:
                add(number, Step(title=step.title, status="skipped"))
            continue
        report.running(number + 1, step.title)
        failed = await _settle(lab, Next())
        shown = lab.board.story.steps[number]
        good = shown.status in ("passed", "known", "skipped")
        if not good and not any(check.status == "failed" for check in shown.checks):
            shown = _failed(shown, Check(expect="every action succeeds", status="failed", saw=failed))
        failed = failed or ("it failed" if shown.status == "failed" else "")
        add(number, shown)


def _lacking(lab: Follower, name: str) -> Check | None:
    """What keeps the chapter from being played here at all: engines that are not there, and how to get them."""
    chapter = lab.board.get(ChapterRow, f"chapter/{name}")
    rows = [lab.board.get(EngineRow, f"engine/{engine}") for engine in (chapter.engines if chapter else ())]
    missing = [row for row in rows if row is not None and row.state != "ready"]
    if not missing:
        return None
    named = " and ".join(called(row.name) for row in missing)
    command = f"rwk-tui engines install {' '.join(row.name for row in missing)}"
    return Check(expect=named, status="skipped", saw=f"`{command}` gets {'it' if len(missing) == 1 else 'them'}")


async def _settle(lab: Follower, command: Open | Next) -> str:
    """Give the command and wait until the director rests; returns what went wrong, "" if nothing did.

    Raises DaemonError if the lab ends meanwhile.
    """
    refused = ""
    try:
        await lab.do(command)
        await lab.until(lambda board: not board.story.busy)
    except CommandRefused as refusal:
        refused = str(refusal)
    row = lab.lab()
    if row is not None and row.state == "ending":
        # Halted from elsewhere in the middle of it: that is no step that failed.
        raise DaemonError(await lab.ended())
    return refused or lab.board.story.error


def _failed(step: Step, check: Check) -> Step:
    return replace(step, status="failed", checks=(*step.checks, check))
