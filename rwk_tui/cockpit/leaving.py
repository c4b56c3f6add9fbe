"""Leaving the cockpit: what becomes of the lab, how long that may take, and what is said on the terminal after it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rwk_tui.board.rows import LabRow
from rwk_tui.cockpit.text import clean
from rwk_tui.daemon.protocol import AnyCommand, Detach, Quit

if TYPE_CHECKING:
    from rwk_tui.cockpit.app import Cockpit

GOODBYE = 20.0
"""Seconds that the daemon has to halt the lab before the cockpit leaves without it."""
GOODBYE_TO_MACHINES = 240.0
"""The same where machines that would run on are halted one after the other, or their faults healed."""


class Leaving:
    """`begun` says that the presenter has decided; `gone` is set when there is no lab behind the screen any more."""

    def __init__(self, app: Cockpit) -> None:
        self._app = app
        self.begun = False
        self.failed = False
        """Whether there never was a lab."""
        self.gone = asyncio.Event()

    def leave(self, command: AnyCommand | None) -> None:
        """Leave: halting the lab, detaching from it, or (None) at once."""
        app = self._app
        if app.contact.viewer:
            app.exit(return_code=0)
            return
        if self.begun or command is None or app.source is None:
            lost = app.contact.state == "lost"
            if lost:
                app.farewell = app.farewell or clean(app.contact.reason)
            app.exit(return_code=1 if self.failed or lost else 0)
            return
        self.begun = app.stream.over = True
        app.run_worker(self._leave(command), name="leave", group="leave", exit_on_error=False, exclusive=False)

    async def _leave(self, command: AnyCommand) -> None:
        app = self._app
        lab = app.board.get(LabRow, "lab")
        stays = lab is not None and lab.outlives
        patience = GOODBYE_TO_MACHINES if stays else GOODBYE
        if isinstance(command, Quit):
            what = "Leaving" if stays and not command.halt else "Halting"
            key = app.key_map.key("quit")
            twice = "q twice" if key == "q" else f"{key}, then q,"
            app.notify(f"{what} the lab. Press {twice} to leave at once.", markup=False, timeout=patience)
        self.gone.clear()
        done = await app.call(command)
        if isinstance(command, Detach):
            app.farewell = "The lab runs on: `rwk-tui` attaches to it again, `rwk-tui down` halts it."
        elif done:
            try:
                async with asyncio.timeout(patience):
                    await self.gone.wait()
            except TimeoutError:
                app.farewell = "The lab did not halt in time: `rwk-tui down` halts it."
        app.exit(return_code=0)
