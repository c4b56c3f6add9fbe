"""The Textual app: wires the stream, the screens and the registry of actions together, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import ClassVar

from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.events import Event, InputEvent, Key
from textual.screen import Screen as TextualScreen

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Frame
from rwk_tui.cockpit import stream
from rwk_tui.cockpit.action import Action, Screen
from rwk_tui.cockpit.actions import BY_ID, actions_in
from rwk_tui.cockpit.alarm import Alarm
from rwk_tui.cockpit.contact import Contact
from rwk_tui.cockpit.copying import Copying
from rwk_tui.cockpit.keymap import USUAL, KeyMap, bind
from rwk_tui.cockpit.leaving import Leaving
from rwk_tui.cockpit.memory import Memory, load_later
from rwk_tui.cockpit.openers import Openers
from rwk_tui.cockpit.palette import Commands, palette_commands
from rwk_tui.cockpit.palettes import Palette
from rwk_tui.cockpit.screens.main import MAIN_CSS, MainScreen
from rwk_tui.cockpit.situation import situation_of
from rwk_tui.cockpit.source import Connect, Replay, Source, one_line
from rwk_tui.cockpit.stream import Stream
from rwk_tui.cockpit.text import clean
from rwk_tui.cockpit.themed import ThemedApp
from rwk_tui.daemon.protocol import AnyCommand, Bye, FromDaemon, LogLines, Logs, Welcome
from rwk_tui.settings import Settings
from rwk_tui.tape.player import Player

REFUSED = "Not done"
"""What stands above a refusal."""


class Cockpit(ThemedApp):
    """Paints what the source tells and sends what the presenter wants."""

    TITLE = "rwk-tui"
    CSS_PATH = MAIN_CSS  # A default screen's own CSS_PATH is not read by textual.
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (60, "-narrow"), (100, "-wide"), (170, "-huge")]  # noqa: RUF012 - textual's
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (16, "-short"), (30, "-tall"), (36, "-high"), (54, "-lofty")]  # noqa: RUF012 - textual's
    COMMANDS: ClassVar = {Commands}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "unzoom", "all panes", show=False),
    ]

    def __init__(
        self,
        settings: Settings,
        connect: Connect,
        *,
        replay: Replay | None = None,
        clock: Callable[[], float] = time.time,
        memory: Memory | None = None,
        palette: Palette | None = None,
        keys: KeyMap = USUAL,
        greets: bool = False,
        viewer: bool = False,
    ) -> None:
        """A `viewer` may only look: it sends nothing that changes the lab, starts none and asks nothing."""
        super().__init__(settings.theme, palette)
        self.settings = settings
        self.key_map = keys
        bind(self, (_binding(action, keys) for action in actions_in(replay=replay is not None, viewer=viewer)))
        self.board = Board()
        self.clock = clock if replay is None else replay.now
        self.wall = clock  # Who watches a recording, and talks, lives in no recorded time.
        self.contact = Contact("tape" if replay is not None else "starting", since=self.clock(), viewer=viewer)
        self.farewell = ""
        self.stream = Stream(connect, self)
        self._leaving = Leaving(self)
        self._replay = replay
        self._paint_asked = False
        self._pressed = ""
        self._memory = memory or Memory()
        self._main = MainScreen(self.board, self.contact, self.clock(), keys, greets=greets)
        self._openers = Openers(self)
        self._copying = Copying(self)
        self.alarm = Alarm()

    @property
    def source(self) -> Source | None:
        """Where frames come from at this moment, None where there is no contact."""
        return self.stream.source

    @property
    def main(self) -> MainScreen:
        """The main screen, seen or not."""
        return self._main

    def get_default_screen(self) -> MainScreen:
        """The main screen is there from the first frame."""
        return self._main

    def on_mount(self) -> None:
        """Begin to work when the first frame is on the screen."""
        self._main.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self._memory.begin()
        self.set_interval(1.0, self._each_second)
        self.run_worker(load_later(), name="load", group="load", exit_on_error=False, exclusive=False)
        self.run_worker(self._follow(), name="stream", group="stream", exit_on_error=False, exclusive=False)

    async def _follow(self) -> None:
        await self.stream.follow(start=not self.contact.viewer)
        self._leaving.gone.set()

    # What the stream tells.

    def contact_made(self) -> None:
        """What a lost connection has left is not needed any more."""
        if self.contact.state not in ("starting", "tape"):
            self._memory.tidy_all()

    def not_started(self, reason: str) -> None:
        """There is nothing to wait for where nothing could be started."""
        self._leaving.failed = True
        self.farewell = reason
        self.contact = self.contact.ended_at(self.clock(), reason)
        self._leaving.gone.set()
        self._paint_soon()

    def contact_lost(self, reason: str) -> None:
        """A lost daemon may still come back; one that took leave, or a tape, has said all."""
        if self.contact.state not in ("ended", "lost"):
            lose = self.contact.lost_at if self._replay is None else self.contact.ended_at
            self.contact = lose(self.clock(), reason)
        self._leaving.gone.set()
        self._paint_soon()

    def pause(self) -> float | None:
        """A view waits for the next lab; a presenter says when there is to be one."""
        return None if self.contact.state == "ended" and not self.contact.viewer else stream.RETRY

    def hear(self, message: FromDaemon) -> None:
        """Take a message."""
        now = self.clock()
        if isinstance(message, Bye):
            self._say_goodbye(message, now)
        else:
            self.contact = self.contact.heard_at(now, tape=self._replay is not None)
            self._leaving.failed, self.farewell = False, ""
        if isinstance(message, Frame):
            self.board.apply(message)
        elif isinstance(message, LogLines):
            self._openers.log_lines(message)
        elif isinstance(message, Welcome):
            self.log(f"daemon {message.pid}, version {message.version}")
        self._paint_soon()

    def _say_goodbye(self, bye: Bye, now: float) -> None:
        """A daemon that broke off may come back; one that took leave has said why."""
        if bye.again and not self._leaving.begun:
            self.contact = self.contact.lost_at(now, bye.reason)
            return
        self.contact = self.contact.ended_at(now, bye.reason)
        self.farewell = self.farewell or clean(bye.reason)

    def _paint_soon(self) -> None:
        """Frames that come together are painted together."""
        if not self._paint_asked:
            self._paint_asked = True
            self.call_later(self.paint)

    def _each_second(self) -> None:
        self.paint()
        if not self.screen.is_modal and not self._notifications:  # What is open now would be garbage soon.
            self._memory.tidy()

    def paint(self) -> None:
        """Show the board as it is now."""
        self._paint_asked = False
        now = self.clock()
        if self._main.is_mounted and self.is_running:  # Whoever leaves takes the panes away first.
            for card in self.alarm.hear(self.board):
                self._openers.call_for(card)
            position = self._replay.position if self._replay is not None else None
            self._main.show(self.board, self.contact, now, self.alarm.waiting, position)
            self._openers.board_changed(now)

    # What actions may do.

    def send(self, command: AnyCommand) -> None:
        """Send a command; a refusal is shown."""
        if self.contact.viewer and not isinstance(command, Logs):
            return  # Nothing offers it, and the daemon would refuse it.
        self.run_worker(self.call(command), name="command", group="commands", exit_on_error=False, exclusive=False)

    async def call(self, command: AnyCommand) -> bool:
        """Send a command and wait until it is taken; False if it was not, which is shown."""
        try:
            return await self.stream.call(command)
        except Exception as error:  # noqa: BLE001 - refusals and broken streams alike are told, none ends the cockpit
            self.refuse(error)
            return False

    def refuse(self, error: Exception) -> None:
        """Say that something was not done."""
        if not self._leaving.begun:
            self.take_back(REFUSED)  # Keys pressed in a hurry must not bury the panes under them.
            self.notify(one_line(error), title=REFUSED, severity="warning", markup=False, timeout=6)

    def take_back(self, title: str) -> None:
        """Take back the notifications of that title, and no others."""
        for notification in list(self._notifications):
            if notification.title == title:
                self._unnotify(notification)

    def open_screen(self, name: Screen) -> None:
        """Open a dialog."""
        self._openers.open(name)

    def show_pane(self, name: str) -> None:
        """One pane alone, or all again."""
        self._openers.presenting.close()
        self._main.show_pane(name)

    def show_palette(self) -> None:
        """Find a command by name."""
        self.action_command_palette()

    def copy_commands(self) -> None:
        """Take the commands of the shown step along."""
        self._copying.copy()

    def reconnect(self) -> None:
        """Try again, and start a daemon if there is none."""
        self.stream.try_again()

    def wind(self, move: Callable[[Player], None]) -> None:
        """Pause, skip, go faster: whatever the tape is asked for."""
        if self._replay is not None:
            self._replay.wind(move)
            self._paint_soon()

    def leave(self, command: AnyCommand | None) -> None:
        """Leave: halting the lab, detaching from it, or (None) at once."""
        self._leaving.leave(command)

    # Keys, palette, mouse: all from the registry.

    async def on_event(self, event: Event) -> None:
        """Remember the key that is pressed: what it does is told with its name."""
        if isinstance(event, InputEvent):
            self._pressed = event.key if isinstance(event, Key) else ""
        await super().on_event(event)

    def action_act(self, id: str) -> None:
        """Do what an action of the registry says."""
        if self.check_action("act", (id,)):
            key = self._pressed if self._pressed in self.key_map.keys(id) else ""
            self._openers.presenting.pressed(BY_ID[id], key)
            BY_ID[id].run(self)

    def action_unzoom(self) -> None:
        """All panes again."""
        self._main.unzoom()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """None greys an action that makes no sense now."""
        if action != "act" or not parameters:
            return True
        known = BY_ID.get(str(parameters[0]))
        if known is None:
            return False
        if known.group == "replay" and self.screen.is_modal:
            return False  # Dialogs come first; present mode is none.
        return True if known.valid(situation_of(self.board, self.contact)) else None

    def get_system_commands(self, screen: TextualScreen[object]) -> Iterable[SystemCommand]:
        """What the palette offers: what is possible now."""
        now = situation_of(self.board, self.contact)
        opens = (self._openers.open_chapter, self._openers.open_fault)
        for title, text, run in palette_commands(self.board, now, self.action_act, *opens, self.key_map):
            yield SystemCommand(title, text, run)


def _binding(action: Action, keys: KeyMap) -> Binding:
    return Binding(
        ",".join(keys.keys(action.id)),
        f"act('{action.id}')",
        action.label,
        tooltip=action.tooltip,
        show=bool(action.footer),
        priority=action.group == "replay",  # Panes have keys of the same name.
        id=action.id,
    )
