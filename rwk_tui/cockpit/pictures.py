"""Pictures of a recorded run: a still of each step as SVG, and the whole of it as an asciicast."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rwk_tui.board.wording import count
from rwk_tui.cockpit.walk import Size, Walk, walking
from rwk_tui.settings import Settings
from rwk_tui.tape.reel import Reel
from rwk_tui.tape.targets import written_whole

LOOK = 0.5
"""Seconds of the run between two pictures of an asciicast."""
BEGIN, END = "\x1b[?25l\x1b[0m\x1b[2J", "\x1b[0m\x1b[?25h"


def run_pictures(settings: Settings, tape: Path, *, cast: Path | None, stills: Path | None, size: Size) -> None:
    """Write what was asked for, of as much of a tape as is whole. Raises BadTape or OSError."""
    if stills is not None:
        stills.mkdir(parents=True, exist_ok=True)
    asyncio.run(_pictures(settings, tape, cast, stills, size))


async def _pictures(settings: Settings, tape: Path, cast: Path | None, stills: Path | None, size: Size) -> None:
    async with walking(settings, tape, size) as (walk, reel):
        if stills is not None:
            number = await _stills(walk, reel, stills)
            print(f"{stills}: {count(number, 'still')}")
        if cast is not None:
            number = await _cast(walk, reel, cast, size)
            print(f"{cast}: {count(number, 'picture')}")


async def _stills(walk: Walk, reel: Reel, directory: Path) -> int:
    number = 0
    for number, (name, moment) in enumerate(steps_of(reel), 1):
        await walk.go(moment)
        (directory / f"{number:03}-{name}.svg").write_text(walk.picture(), encoding="utf-8")
    return number


def steps_of(reel: Reel) -> Iterator[tuple[str, float]]:
    """A name for each step that was shown, and the last moment at which it was; at least the end of the run."""
    name, last = "", 0.0
    for number, frame in enumerate(reel.frames(0, len(reel))):
        if frame.story is not None and frame.story.chapter:
            shown = f"{frame.story.chapter}-{min(frame.story.step + 1, len(frame.story.steps)):02}"
            if name and shown != name:
                yield name, last
            name = shown
        last = reel.moment(number)
    yield name or "end", reel.length


async def _cast(walk: Walk, reel: Reel, file: Path, size: Size) -> int:
    """Only lines that changed are written, and nothing for a moment at which none did."""
    before: Sequence[str] = ()
    written = 0
    with written_whole(file) as out:
        header = {"version": 2, "width": size[0], "height": size[1], "timestamp": int(reel.began)}
        print(json.dumps(header), file=out)
        for moment in _moments(reel.length):
            await walk.go(moment)
            lines = walk.lines()
            text = "".join(_changed(before, lines))
            if text:
                print(json.dumps([round(moment, 3), "o", text if before else BEGIN + text]), file=out)
                written += 1
            before = lines
        print(json.dumps([round(reel.length, 3), "o", END]), file=out)
    return written


def _moments(length: float) -> Iterator[float]:
    number = 0
    while number * LOOK < length:
        yield number * LOOK
        number += 1
    yield length


def _changed(before: Sequence[str], lines: Sequence[str]) -> Iterable[str]:
    for row, text in enumerate(lines):
        if row >= len(before) or before[row] != text:
            yield f"\x1b[{row + 1};1H{text}"
