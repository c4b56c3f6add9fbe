"""A cockpit without a terminal that is led from moment to moment of a tape, for pictures of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from textual.pilot import Pilot

from rwk_tui.board.frames import Frame
from rwk_tui.board.source import CommandRefused
from rwk_tui.cockpit.app import Cockpit
from rwk_tui.cockpit.source import to_fixed
from rwk_tui.daemon.protocol import AnyCommand
from rwk_tui.settings import Settings
from rwk_tui.tape.player import Player, Position
from rwk_tui.tape.read import BadTape, Tape
from rwk_tui.tape.reel import Reel

Size = tuple[int, int]


class Guide:
    """A source that shows the moments it is told to, and says when one has been taken in."""

    def __init__(self, reel: Reel) -> None:
        self._player = Player(reel, clock=lambda: 0.0)  # Time goes by where it is led, and nowhere else.
        self._frames: asyncio.Queue[Frame] = asyncio.Queue()

    @property
    def position(self) -> Position:
        """Where it is."""
        return self._player.position

    def now(self) -> float:
        """The time of the run that is shown (unix, s)."""
        return self._player.now

    def wind(self, move: Callable[[Player], None]) -> None:
        """Nobody presses keys."""

    async def show(self, moment: float) -> None:
        """Go there, and wait until the board has been changed."""
        self._player.seek(moment)
        for frame in self._player.due():
            self._frames.put_nowait(frame)
        await self._frames.join()

    async def __aiter__(self) -> AsyncIterator[Frame]:
        while True:
            yield await self._frames.get()
            self._frames.task_done()  # Whoever asks for the next one is done with this one.

    async def call(self, command: AnyCommand) -> NoReturn:
        """Nothing can be done to what is past. Always raises CommandRefused."""
        raise CommandRefused("this is a recording: nothing can be done in it")

    async def close(self) -> None:
        """There is nothing to close."""


class Walk:
    """The cockpit at a moment of the run."""

    def __init__(self, app: Cockpit, guide: Guide, pilot: Pilot[None]) -> None:
        self._app = app
        self._guide = guide
        self._pilot = pilot
        self._console = Console(force_terminal=True, color_system="truecolor", legacy_windows=False)

    async def go(self, moment: float) -> None:
        """Show the board of that moment, in seconds from the beginning."""
        await self._guide.show(moment)
        self._app.clear_notifications()  # They last by the time of the clock on the wall.
        self._app.paint()
        await self._pilot.pause()

    def picture(self) -> str:
        """What is on the screen, as an SVG that loads nothing from elsewhere."""
        return re.sub(r"@font-face \{.*?\}\s*", "", self._app.export_screenshot(), flags=re.DOTALL)

    def lines(self) -> list[str]:
        """What is on the screen, a line a row, as a terminal takes it."""
        # The compositor is what the app itself draws from; there is no public way to its lines.
        return [strip.render(self._console) for strip in self._app.screen._compositor.render_strips()]


@asynccontextmanager
async def walking(settings: Settings, path: Path, size: Size) -> AsyncIterator[tuple[Walk, Reel]]:
    """Lead a cockpit of that size through as much of a tape as is whole. Raises BadTape."""
    tape, reel = Tape(path), Reel()
    for frame in tape:
        reel.add(frame)
    reel.complete = True
    if not len(reel):
        raise BadTape(tape.problem or f"{path}: the tape is empty")
    guide = Guide(reel)
    app = Cockpit(settings, to_fixed(guide), replay=guide)
    app.animation_level = "none"
    async with app.run_test(size=size) as pilot:
        yield Walk(app, guide, pilot), reel
