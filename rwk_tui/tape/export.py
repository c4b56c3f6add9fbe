"""What was seen in a run, for those who were not there: a report as Markdown, all events as JSON lines."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import msgspec

from rwk_tui.board.frames import Event
from rwk_tui.board.report import markdown, plain
from rwk_tui.board.wording import count, seconds
from rwk_tui.tape.info import DAMAGED, WHOLE, ChapterTold, Looker, TapeInfo
from rwk_tui.tape.read import Tape
from rwk_tui.tape.targets import written_whole


def export(path: Path, *, report: Path | None, events: Path | None) -> int:
    """Write what was asked for; returns 1 if the tape is damaged, after what could be kept.

    Raises BadTape or OSError; a file that can't be written whole stays as it was.
    """
    tape, looker = Tape(path), Looker()
    told: dict[int, Event] = {}
    for frame in tape:
        looker.look(frame)
        told |= {event.id: event for event in frame.events}
    info = looker.info(tape)
    if report is not None:
        with written_whole(report) as out:
            out.write(markdown(looker.cards, title=_title(info)) + _chapters(info))
        print(f"{report}: {count(len(looker.cards), 'card')}, {count(len(info.chapters), 'chapter')}")
    if events is not None:
        with written_whole(events) as out:
            out.writelines(f"{msgspec.json.encode(told[id]).decode()}\n" for id in sorted(told))
        print(f"{events}: {count(len(told), 'event')}")
    if info.problem:
        print(f"rwk-tui: {info.problem}", file=sys.stderr)
    return DAMAGED if info.problem else WHOLE


def _title(info: TapeInfo) -> str:
    began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(info.began))
    return f"A run of {seconds(info.seconds * 1000)} on {began}: {info.backend}, {info.engines}"


def _chapters(info: TapeInfo) -> str:
    if not info.chapters:
        return ""
    cells = ((plain(told.chapter), plain(told.title), *_counts(told)) for told in info.chapters)
    rows = (f"| {' | '.join(each)} |" for each in cells)
    heads = ("| chapter | title | steps | passed | failed | skipped |", "| --- | --- | --- | --- | --- | --- |")
    return "\n".join(("", "## What was told", "", *heads, *rows, ""))


def _counts(told: ChapterTold) -> tuple[str, ...]:
    return tuple(map(str, (told.steps, told.passed, told.failed, told.skipped)))
