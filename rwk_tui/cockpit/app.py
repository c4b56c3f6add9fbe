"""The Textual app: wires the stream, the screens and the registry of actions together, and nothing else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen as TextualScreen

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Frame
from rwk_tui.board.rows import LabRow
from rwk_tui.cockpit import themes
from rwk_tui.cockpit.actions import ACTIONS, BY_ID, Screen
from rwk_tui.cockpit.alarm import Alarm
from rwk_tui.cockpit.contact import Contact
from rwk_tui.cockpit.memory import Memory, load_later
from rwk_tui.cockpit.openers import Openers
from rwk_tui.cockpit.palette import palette_commands
from rwk_tui.cockpit.screens.main import MAIN_CSS, MainScreen
from rwk_tui.cockpit.situation import situation_of
from rwk_tui.cockpit.source import Connect, Source, one_line
from rwk_tui.cockpit.text import clean
from rwk_tui.daemon.protocol import AnyCommand, Bye, Detach, FromDaemon, LogLines, Quit, Welcome
from rwk_tui.settings import Settings

RETRY = 1.0
"""Seconds between attempts to reach a lost daemon."""
GOODBYE = 20.0
"""Seconds that the daemon has to halt the lab before the cockpit leaves without it."""
REFUSED = "Not done"
"""What stands above a refusal."""


class Cockpit(App[None]):
    """Paints what the source tells and sends what the presenter wants."""

    TITLE = "rwk-tui"
    CSS_PATH = MAIN_CSS  # A default screen's own CSS_PATH is not read by textual.
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (60, "-narrow"), (100, "-wide"), (170, "-huge")]  # noqa: RUF012 - textual's
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (16, "-short"), (30, "-tall"), (36, "-high"), (54, "-lofty")]  # noqa: RUF012 - textual's
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(
                ",".join(action.keys),
                f"act('{action.id}')",
                action.label,
                tooltip=action.tooltip,
                show=bool(action.footer),
            )
            for action in ACTIONS
        ),
        Binding("escape", "unzoom", "all panes", show=False),
    ]

    def __init__(
        self,
        settings: Settings,
        connect: Connect,
        *,
        tape: bool = False,
        clock: Callable[[], float] = time.time,
        memory: Memory | None = None,
    ) -> None:
        super().__init__()
        self.settings = settings
        self.board = Board()
        self.contact = Contact(since=clock())
        self.farewell = ""
        self.clock = clock
        self._connect = connect
        self._tape = tape
        self._source: Source | None = None
        self._again = asyncio.Event()
        self._gone = asyncio.Event()
        self._leaving = False
        self._failed = False
        self._paint_asked = False
        self._memory = memory or Memory()
        self._main = MainScreen(self.board, self.contact, clock())
        self._openers = Openers(self)
        self.alarm = Alarm()
        for theme in themes.THEMES:
            self.register_theme(theme)
        # Set before anything is painted: a change of theme later costs another pass over every widget.
        self.set_reactive(App.theme, themes.theme_name(settings.theme))
        self.stylesheet.set_variables(self.get_css_variables())

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our colours exist in textual's own themes too."""
        return themes.DEFAULTS

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
        """Stay in contact, as long as the cockpit is open."""
        start = True
        while not self._leaving:
            self._again.clear()
            try:
                self._source = await self._connect(start)
                if not start:
                    self._memory.tidy_all()  # What the lost connection has left.
            except Exception as error:  # noqa: BLE001 - whatever it is, the screen stays and says it
                self._not_connected(error, start)
                start = await self._wait_to_retry()
                continue
            try:
                async for message in self._source:
                    self._hear(message)
                self._lose("the connection ended")
            except Exception as error:  # noqa: BLE001 - whatever breaks the stream, the screen stays and says it
                self._lose(one_line(error))
            await self._drop()
            start = await self._wait_to_retry()
        self._gone.set()

    def _not_connected(self, error: Exception, start: bool) -> None:
        """There is nothing to wait for where nothing could be started; a lost daemon may still come back."""
        if start:
            self._failed = True
            self.farewell = one_line(error)
            self.contact = self.contact.ended_at(self.clock(), self.farewell)
        else:
            self._lose(one_line(error))
        self._gone.set()
        self._paint_soon()

    async def _drop(self) -> None:
        source, self._source = self._source, None
        if source is not None and not self._tape:
            try:
                await source.close()
            except OSError as error:
                self.log(f"closing: {error}")

    async def _wait_to_retry(self) -> bool:
        """Wait until the next attempt is due; True if the presenter asked to start the lab again."""
        if self._leaving:
            return False
        ended = self.contact.state == "ended" or self._tape
        try:
            async with asyncio.timeout(None if ended else RETRY):
                await self._again.wait()
            return True
        except TimeoutError:
            return False

    def _hear(self, message: FromDaemon) -> None:
        now = self.clock()
        if isinstance(message, Bye):
            self._say_goodbye(message, now)
        else:
            self.contact = self.contact.heard_at(now, tape=self._tape)
            self._failed, self.farewell = False, ""
        if isinstance(message, Frame):
            self.board.apply(message)
        elif isinstance(message, LogLines):
            self._openers.log_lines(message)
        elif isinstance(message, Welcome):
            self.log(f"daemon {message.pid}, version {message.version}")
        self._paint_soon()

    def _say_goodbye(self, bye: Bye, now: float) -> None:
        """A daemon that broke off may come back; one that took leave has said why."""
        if bye.again and not self._leaving:
            self.contact = self.contact.lost_at(now, bye.reason)
            return
        self.contact = self.contact.ended_at(now, bye.reason)
        self.farewell = self.farewell or clean(bye.reason)

    def _lose(self, reason: str) -> None:
        if self.contact.state not in ("ended", "lost"):
            if self._tape:
                self.contact = self.contact.heard_at(self.clock(), tape=True)
            else:
                self.contact = self.contact.lost_at(self.clock(), reason)
        self._gone.set()
        self._paint_soon()

    def _paint_soon(self) -> None:
        """Frames that come together are painted together."""
        if not self._paint_asked:
            self._paint_asked = True
            self.call_later(self.paint)

    def _each_second(self) -> None:
        self.paint()
        if len(self.screen_stack) == 1 and not self._notifications:  # What is open now would be garbage soon.
            self._memory.tidy()

    def paint(self) -> None:
        """Show the board as it is now."""
        self._paint_asked = False
        now = self.clock()
        if self._main.is_mounted and self.is_running:  # Whoever leaves takes the panes away first.
            for card in self.alarm.hear(self.board):
                self._openers.call_for(card)
            self._main.show(self.board, self.contact, now, self.alarm.waiting)
            self._openers.board_changed(now)

    # What actions may do.

    def send(self, command: AnyCommand) -> None:
        """Send a command; a refusal is shown."""
        self.run_worker(self._call(command), name="command", group="commands", exit_on_error=False, exclusive=False)

    async def _call(self, command: AnyCommand) -> bool:
        if self._source is None:
            return False
        try:
            await self._source.call(command)
        except Exception as error:  # noqa: BLE001 - refusals and broken streams alike are told, none ends the cockpit
            if not self._leaving:
                self.take_back(REFUSED)  # Keys pressed in a hurry must not bury the panes under them.
                self.notify(one_line(error), title=REFUSED, severity="warning", markup=False, timeout=6)
            return False
        return True

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
        self._main.show_pane(name)

    def next_theme(self) -> None:
        """The next of our themes."""
        names = [theme.name for theme in themes.THEMES]
        at = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at + 1) % len(names)]

    def show_palette(self) -> None:
        """Find a command by name."""
        self.action_command_palette()

    def reconnect(self) -> None:
        """Try again, and start a daemon if there is none."""
        self._again.set()

    def leave(self, command: AnyCommand | None) -> None:
        """Leave: halting the lab, detaching from it, or (None) at once."""
        if self._leaving or command is None or self._source is None:
            if self.contact.state == "lost":
                self.farewell = self.farewell or clean(self.contact.reason)
            self.exit(return_code=1 if self._failed or self.contact.state == "lost" else 0)
            return
        self._leaving = True
        self.run_worker(self._leave(command), name="leave", group="leave", exit_on_error=False, exclusive=False)

    async def _leave(self, command: AnyCommand) -> None:
        if isinstance(command, Quit):
            self.notify("Halting the lab. Press q twice to leave at once.", markup=False, timeout=GOODBYE)
        self._gone.clear()
        done = await self._call(command)
        if isinstance(command, Detach):
            self.farewell = "The lab runs on: `rwk-tui` attaches to it again, `rwk-tui down` halts it."
        elif done:
            try:
                async with asyncio.timeout(GOODBYE):
                    await self._gone.wait()
            except TimeoutError:
                self.farewell = "The lab did not halt in time: `rwk-tui down` halts it."
        self.exit(return_code=0)

    # Keys, palette, mouse: all from the registry.

    def action_act(self, id: str) -> None:
        """Do what an action of the registry says."""
        if self.check_action("act", (id,)):
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
        return True if known.valid(situation_of(self.board, self.contact)) else None

    def get_system_commands(self, screen: TextualScreen[object]) -> Iterable[SystemCommand]:
        """What the palette offers: what is possible now."""
        now = situation_of(self.board, self.contact)
        for title, text, run in palette_commands(self.board, now, self.action_act, self._openers.open_fault):
            yield SystemCommand(title, text, run)

    def lab_state(self) -> str:
        """What the lab row says, "" before there is one."""
        lab = self.board.get(LabRow, "lab")
        return lab.state if lab is not None else ""
