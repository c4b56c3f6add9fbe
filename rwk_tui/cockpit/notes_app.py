"""The app of the speaker notes: the same stream as the cockpit's, for a second terminal that nobody else sees."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.binding import Binding

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Frame
from rwk_tui.cockpit.contact import Contact
from rwk_tui.cockpit.keymap import USUAL, KeyMap, bind
from rwk_tui.cockpit.notes_actions import NOTES_ACTIONS, NOTES_BY_ID, NotesAction, notes_keys, notes_valid
from rwk_tui.cockpit.palettes import Palette
from rwk_tui.cockpit.screens.notes import NOTES_CSS, NotesScreen
from rwk_tui.cockpit.situation import situation_of
from rwk_tui.cockpit.source import Connect, one_line
from rwk_tui.cockpit.stream import RETRY, Stream
from rwk_tui.cockpit.talk_timer import TalkTimer
from rwk_tui.cockpit.themed import ThemedApp
from rwk_tui.cockpit.views.notes_bars import Refusal
from rwk_tui.daemon.protocol import AnyCommand, Bye, FromDaemon, Refused
from rwk_tui.settings import Settings


class NotesApp(ThemedApp):
    """Shows the notes, and drives the story unless it may only read; never starts a lab and never halts one.

    The timer tells the time since the notes were opened: a talk has more than one chapter.
    """

    TITLE = "rwk-tui notes"
    CSS_PATH = NOTES_CSS  # A default screen's own CSS_PATH is not read by textual.
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        settings: Settings,
        connect: Connect,
        *,
        read_only: bool = False,
        clock: Callable[[], float] = time.time,
        retry: float = RETRY,
        palette: Palette | None = None,
        keys: KeyMap = USUAL,
    ) -> None:
        super().__init__(settings.theme, palette)
        self.board = Board()
        self.contact = Contact(since=clock())
        self.timer = TalkTimer(clock())
        self.clock = clock
        self._stream = Stream(connect, self)
        self._read_only = read_only
        self._retry = retry
        self._refusal: Refusal | None = None
        self._paint_asked = False
        bind(self, (_binding(action, keys) for action in NOTES_ACTIONS))
        self._main = NotesScreen(read_only=read_only, keys=keys)

    def get_default_screen(self) -> NotesScreen:
        """The notes are the only screen."""
        return self._main

    def on_mount(self) -> None:
        """Listen, and let the timer be seen."""
        self.paint()
        self.set_interval(1.0, self.paint)
        self.run_worker(
            self._stream.follow(start=False), name="stream", group="stream", exit_on_error=False, exclusive=False
        )

    # What the stream tells.

    def contact_made(self) -> None:
        """The first frame says all that is to be said."""

    def not_started(self, reason: str) -> None:
        """Notes never start a lab, so this is a lost one, too."""
        self.contact_lost(reason)

    def contact_lost(self, reason: str) -> None:
        """A lab that is lost may come back, and after each another may come."""
        if self.contact.state not in ("lost", "ended"):
            self.contact = self.contact.lost_at(self.clock(), reason)
        self._paint_soon()

    def pause(self) -> float | None:
        """They wait for every lab there may be."""
        return self._retry

    def hear(self, message: FromDaemon) -> None:
        """Take a message."""
        now = self.clock()
        if isinstance(message, Bye):
            self.contact = (self.contact.lost_at if message.again else self.contact.ended_at)(now, message.reason)
        else:
            self.contact = self.contact.heard_at(now, tape=False)
        if isinstance(message, Frame):
            self.board.apply(message)
        elif isinstance(message, Refused):
            self._refusal = Refusal(now, message.error)
        self._paint_soon()

    def _paint_soon(self) -> None:
        """Frames that come together are painted together."""
        if not self._paint_asked:
            self._paint_asked = True
            self.call_later(self.paint)

    def paint(self) -> None:
        """Show the board as it is now."""
        self._paint_asked = False
        if self._main.is_mounted and self.is_running:
            self._main.show(self.board, self.contact, self.clock(), self.timer, self._refusal)

    # What actions may do.

    def send(self, command: AnyCommand) -> None:
        """Send a command; a refusal is shown."""
        self.run_worker(self._call(command), name="command", group="commands", exit_on_error=False, exclusive=False)

    async def _call(self, command: AnyCommand) -> None:
        try:
            if not await self._stream.call(command):
                return
        except Exception as error:  # noqa: BLE001 - refusals and broken streams alike are told, none ends the notes
            self._refusal = Refusal(self.clock(), one_line(error), ours=True)
        else:
            self._refusal = None
        self._paint_soon()

    def restart_timer(self) -> None:
        """Count from now."""
        self.timer = TalkTimer(self.clock())
        self.paint()

    def pause_timer(self) -> None:
        """Stop the timer, or let it go on."""
        self.timer = self.timer.toggled(self.clock())
        self.paint()

    def close_notes(self) -> None:
        """Leave; the lab and its screen go on."""
        self.exit(return_code=0)

    def action_act(self, id: str) -> None:
        """Do what an action says, if it makes sense now."""
        if id in notes_valid(situation_of(self.board, self.contact), read_only=self._read_only):
            NOTES_BY_ID[id].run(self)


def _binding(action: NotesAction, keys: KeyMap) -> Binding:
    return Binding(",".join(notes_keys(action.id, keys)), f"act('{action.id}')", action.label, show=False, id=action.id)
