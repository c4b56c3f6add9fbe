"""A real run is recorded while somebody looks on: the tape shows exactly what they saw.

RWK_TEST_TAPE names the chapters instead of a few; "all" takes every one, which is some ten minutes.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from support.remote_lab import BUSY

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Event, Frame
from rwk_tui.daemon.client import DaemonClient, DaemonError
from rwk_tui.settings import Settings, as_environment
from rwk_tui.story.load import load_chapters
from rwk_tui.tape.player import LEAP, SPEEDS, Player
from rwk_tui.tape.read import Tape
from rwk_tui.tape.reel import Reel

pytestmark = [pytest.mark.real, pytest.mark.kubernetes, pytest.mark.slow, pytest.mark.timeout(1800)]

WISH = os.environ.get("RWK_TEST_TAPE", "02-etcd-single 04-machine-failure 08-api-server")
FAULT = "fault:power-cut@leader"


@dataclass
class Seen:
    """What somebody who is told all frames has of a run; `after` is the number of the last one."""

    board: Board = field(default_factory=Board)
    events: list[Event] = field(default_factory=list)
    after: int = 0

    def hear(self, frames: Iterable[Frame]) -> None:
        for frame in frames:
            known = {event.id for event in self.events[-1000:]}
            self.events += [event for event in frame.events if event.id not in known]
            self.board.apply(frame)
            self.after = frame.seq

    @property
    def picture(self) -> tuple[object, ...]:
        rows = {row.key: row for row in self.board.all()}
        return rows, self.board.story, list(self.board.output), list(self.board.events)


async def look_on(settings: Settings) -> Seen:
    """Follow a lab as a viewer, from its first seconds to its end."""
    async with asyncio.timeout(30 * BUSY):
        while True:
            try:
                client = await DaemonClient.connect(settings, role="viewer")
                break
            except DaemonError:
                await asyncio.sleep(0.02)
    seen = Seen()
    try:
        async for message in client:
            if isinstance(message, Frame):
                seen.hear([message])
    finally:
        await client.close()
    return seen


class Clock:
    """Real time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def replayed(tape: Path, last: int) -> Seen:
    """What a replay at ten times shows, up to the frame of that number."""
    reel, clock, seen = Reel(), Clock(), Seen()
    player = Player(reel, clock=clock)
    for frame in Tape(tape):
        reel.add(frame)
    reel.complete = True
    while player.position.speed < SPEEDS[-1]:
        player.faster()
    player.start()
    while player.position.state != "ended":
        clock.now += LEAP / 2
        seen.hear(frame for frame in player.due() if frame.seq <= last)
    return seen


def leapt(tape: Path, last: int) -> Seen:
    """What is seen by who jumps there at once."""
    reel, seen = Reel(), Seen()
    for frame in Tape(tape):
        if frame.seq <= last:
            reel.add(frame)
    reel.complete = True
    player = Player(reel, clock=Clock())
    player.end()
    seen.hear(player.due())
    return seen


async def test_a_replay_shows_what_was_seen_live(settings: Settings, tmp_path: Path) -> None:
    settings = replace(settings, tape=tmp_path / "run.tape", fast=True)
    assert settings.tape is not None
    chapters = [chapter.name for chapter in load_chapters(settings)] if WISH == "all" else WISH.split()
    play = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rwk_tui", "play", *chapters, FAULT),
        env={**os.environ, **as_environment(settings)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    watching = asyncio.create_task(look_on(settings))
    try:
        out, _ = await play.communicate()
        assert play.returncode == 0, out.decode()
        async with asyncio.timeout(10 * BUSY):
            seen = await watching
    finally:
        watching.cancel()
        if play.returncode is None:
            play.terminate()
            await play.wait()

    whole = Tape(settings.tape)
    minutes = (at := [frame.at for frame in whole])[-1] / 60 - at[0] / 60
    print(f"{minutes:.1f} min, {whole.frames} frames, {settings.tape.stat().st_size / minutes / 1e3:.0f} kB a minute")
    assert whole.problem == ""
    assert len(seen.events) > 20 and seen.board.story.chapter

    again = replayed(settings.tape, seen.after)
    assert again.after == seen.after
    assert [event.id for event in again.events] == [event.id for event in seen.events]
    assert again.events == seen.events
    assert again.picture == seen.picture
    assert leapt(settings.tape, seen.after).picture == seen.picture
