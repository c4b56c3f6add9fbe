"""Takes the commands of the shown step along: to the terminal's clipboard, and into a file for terminals without."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rwk_tui.board.board import Board
from rwk_tui.cockpit.text import clean
from rwk_tui.cockpit.views.story import commands_of
from rwk_tui.private import make_private, write_whole

if TYPE_CHECKING:
    from rwk_tui.cockpit.app import Cockpit

FILE = "copied.sh"
"""The file's name in the state directory; each copy takes the place of the one before."""
TITLE = "Copied"


def script(board: Board) -> str:
    """The commands of the shown step, or of the last one, under their title; "" if it has none."""
    story = board.story
    if not story.steps:
        return ""
    step = story.steps[min(story.step, len(story.steps) - 1)]
    commands = commands_of(board, step)
    if not commands:
        return ""
    return "\n".join((f"# {clean(story.title)}: {clean(step.title)}", *commands)) + "\n"


class Copying:
    """Copies, and says what became of it."""

    def __init__(self, app: Cockpit) -> None:
        self._app = app

    def copy(self) -> None:
        """Copy now; the file is written beside the event loop."""
        text = script(self._app.board)
        if not text:
            self._tell("This step has no commands.")
            return
        self._app.copy_to_clipboard(text)
        self._app.run_worker(self._keep(text), name="copy", group="copy", exit_on_error=False, exclusive=True)

    async def _keep(self, text: str) -> None:
        path = self._app.settings.state / FILE

        def write() -> None:
            make_private(path.parent)
            write_whole(path, text.encode())

        try:
            await asyncio.to_thread(write)
        except OSError as error:
            self._tell(f"To the clipboard only: {path}: {error.strerror}.")
        else:
            self._tell(f"To the clipboard, if your terminal takes it, and to {path}.")

    def _tell(self, words: str) -> None:
        self._app.take_back(TITLE)
        self._app.notify(words, title=TITLE, markup=False, timeout=4)
