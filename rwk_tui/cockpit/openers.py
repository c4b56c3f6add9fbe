"""Opens the dialogs and turns their answers into commands; dialogs are imported when they are first needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeVar

from rwk_tui.board.card_row import CardRow
from rwk_tui.board.rows import ChapterRow, LabRow
from rwk_tui.board.targets import target_words
from rwk_tui.cockpit.marks import VERDICT
from rwk_tui.cockpit.offers import Offers
from rwk_tui.cockpit.presenting import Presenting
from rwk_tui.cockpit.text import clean
from rwk_tui.daemon.protocol import Detach, Inject, LogLines, Open, Power, Quit, Reset, Resume

if TYPE_CHECKING:
    from rwk_tui.cockpit.action import Screen
    from rwk_tui.cockpit.app import Cockpit
    from rwk_tui.cockpit.screens.dialog import Dialog

R = TypeVar("R")
CALLS_FOR = 120.0
"""Seconds for which a card that nobody may overlook calls; the header keeps on until it was looked at."""
SWITCHES: dict[str, Literal["start", "stop", "kill"]] = {"start": "start", "stop": "stop", "kill": "kill"}


class Openers:
    """One method a dialog."""

    def __init__(self, app: Cockpit) -> None:
        self._app = app
        self._asked = False
        self._offers = Offers(app)
        self.presenting = Presenting(app)

    def open(self, name: Screen) -> None:
        """Open the dialog of that name."""
        getattr(self, f"_open_{name}")()

    def board_changed(self, now: float) -> None:
        """Tell open dialogs, and ask what only the presenter can decide."""
        from rwk_tui.cockpit.screens.dialog import Dialog

        for screen in self._app.screen_stack:
            if isinstance(screen, Dialog):
                screen.contact_is(self._app.contact, now)
                screen.board_changed(self._app.board, self._known(now))
        self.presenting.board_changed(now)
        if not self._app.contact.viewer:  # Who may only look is asked nothing.
            self._offers.board_changed(self._app.board)
            self._ask_resume()

    def _push(self, screen: Dialog[R], then: Callable[[R | None], None] | None = None) -> None:
        """Open a dialog that knows how the stream is before it is seen."""
        screen.contact_is(self._app.contact, self._app.clock())
        self._app.push_screen(screen, then)

    def _known(self, now: float) -> float:
        """The moment up to which it is known how things are."""
        contact = self._app.contact
        return now if contact.is_live(now) else contact.heard or now

    def _old(self) -> str:
        """How the stream is, if what is shown is not live ("" if it is)."""
        from rwk_tui.cockpit.views.bars import liveness

        contact, now = self._app.contact, self._app.clock()
        return "" if contact.is_live(now) else liveness(contact, now)[0]

    def log_lines(self, message: LogLines) -> None:
        """Lines of a unit came."""
        from rwk_tui.cockpit.screens.logs import LogsScreen

        for screen in self._app.screen_stack:
            if isinstance(screen, LogsScreen):
                screen.add(message)

    def _open_chapters(self) -> None:
        self.open_chapter()

    def open_chapter(self, name: str = "") -> None:
        """Open the chapters chooser, with a chapter's name at that one, else where the story stands."""
        from rwk_tui.cockpit import choices
        from rwk_tui.cockpit.screens.chooser import Choice, Chooser

        app, story = self._app, self._app.board.story

        def chosen(choice: Choice | None) -> None:
            if choice is None:
                return
            command = Open(chapter=choice[0], step=int(choice[1] or 0))
            row = app.board.get(ChapterRow, f"chapter/{choice[0]}")
            if row is None or not self._offers.for_chapter(row, lambda: app.send(command)):
                app.send(command)

        at = (name, "") if name else (story.chapter, str(story.step))
        self._push(Chooser("Chapters", choices.chapter_items, app.board, at=at, left_chooses=True), chosen)

    def _open_faults(self) -> None:
        self.open_fault()

    def open_fault(self, name: str = "") -> None:
        """Open the faults chooser, with a fault's name at that one, where it only remains to say where it strikes."""
        from rwk_tui.cockpit import fault_choices
        from rwk_tui.cockpit.screens.chooser import Choice, Chooser

        app = self._app

        def chosen(choice: Choice | None) -> None:
            if choice is None:
                return
            fault, target = choice
            name = fault_choices.to_confirm(app.board, fault, target)
            if name:
                title, text = fault_choices.warning(app.board, fault, target)
                self._confirm(name, title, text, lambda: app.send(Inject(fault=fault, target=target, confirm=name)))
            else:
                app.send(Inject(fault=fault, target=target))

        title, items = "Faults: what, then where", fault_choices.fault_items
        chooser = Chooser(title, items, app.board, at=(name, ""), beside=bool(name), classes="rich")
        self._push(chooser, chosen)

    def _open_cards(self) -> None:
        from rwk_tui.cockpit.screens.cards import CardsScreen

        app = self._app
        waiting = app.alarm.waiting

        def looked(card: CardRow) -> None:
            if app.alarm.looked(card):
                app.take_back(_call(card))
                app.paint()

        self._push(CardsScreen(app.board, looked, at=waiting[0].key if waiting else ""))

    def call_for(self, card: CardRow) -> None:
        """A card came that nobody may overlook: say so for long."""
        app, shows = self._app, f"{self._app.key_map.key('cards')} shows all of it."
        amiss = [f"Must hold: {clean(one.name)}. Seen: {clean(one.saw)}." for one in card.broken]
        app.notify(
            f"{clean(card.text)}. {' '.join(amiss) or 'It did not get well in time.'} {shows}",
            title=_call(card),
            severity="error" if card.verdict == "violated" else "warning",
            markup=False,
            timeout=CALLS_FOR,
        )

    def _open_machines(self) -> None:
        from rwk_tui.cockpit import choices
        from rwk_tui.cockpit.screens.chooser import Choice, Chooser

        app = self._app

        def chosen(choice: Choice | None) -> None:
            if choice is None:
                return
            machine, verb = choice
            if verb == "destroy":
                text = f"{machine} loses its power and its disk: everything on it is gone, and no key brings it back."
                destroy = Power(machine=machine, verb="destroy", confirm=machine)
                self._confirm(machine, f"Destroy {machine}", text, lambda: app.send(destroy))
            elif verb in SWITCHES:
                app.send(Power(machine=machine, verb=SWITCHES[verb]))

        self._push(Chooser("Machines", choices.machine_items, app.board), chosen)

    def _confirm(self, name: str, title: str, text: str, then: Callable[[], None]) -> None:
        from rwk_tui.cockpit.screens.ask import NameIt

        def named(typed: str | None) -> None:
            if typed:
                then()

        self._push(NameIt(title, text, name), named)

    def _open_logs(self) -> None:
        from rwk_tui.cockpit.screens.logs import LogsScreen

        self._push(LogsScreen(self._app.board, self._app.send))

    def _open_shell(self) -> None:
        from rwk_tui.cockpit.shell import open_shell

        open_shell(self._app)

    def _open_install(self) -> None:
        self._offers.open()

    def _open_details(self) -> None:
        from rwk_tui.cockpit.screens.drawer import DetailSheet, Drawer

        app, picker = self._app, self._app.main.picker()
        if picker is not None:
            sheet = DetailSheet(app.board, picker.picked, self._known(app.clock()), self._old)
            past = app.contact.state == "tape"
            self._push(Drawer(sheet, picker, None if past else self._open_log_of))

    def _open_log_of(self, unit: str) -> None:
        from rwk_tui.cockpit.screens.logs import LogsScreen

        self._push(LogsScreen(self._app.board, self._app.send, at=unit))

    def _open_events(self) -> None:
        from rwk_tui.cockpit.screens.events import EventsScreen

        self._push(EventsScreen(self._app.board))

    def _open_present(self) -> None:
        self.presenting.toggle()

    def _open_help(self) -> None:
        from rwk_tui.cockpit.screens.help import HelpScreen

        replay, viewer = self._app.contact.state == "tape", self._app.contact.viewer
        self._push(HelpScreen(self._app.main.in_focus, self._app.key_map, replay=replay, viewer=viewer))

    def _open_reset(self) -> None:
        from rwk_tui.cockpit.screens.ask import Ask

        def answered(answer: str | None) -> None:
            if answer == "reset":
                self._app.send(Reset())

        text = "Three machines with empty disks, and the story from its beginning. What is on the disks now is lost."
        answers = {"R": ("reset", "reset the lab")}
        self._push(Ask("Reset the lab?", text, answers), answered)

    def _open_quit(self) -> None:
        from rwk_tui.cockpit.screens.ask import Ask

        app = self._app
        if not app.contact.talks:
            app.leave(None)
            return

        def answered(answer: str | None) -> None:
            if answer == "quit":
                app.leave(Quit())
            elif answer == "halt":
                app.leave(Quit(halt=True))
            elif answer == "detach":
                app.leave(Detach())

        lab = app.board.get(LabRow, "lab")
        if lab is not None and lab.outlives:
            answers = {
                "q": ("quit", "again leaves; faults are healed, the machines run on unwatched"),
                "d": ("detach", "leaves, and the lab is watched on"),
                "H": ("halt", "halts the machines too"),
            }
        else:
            answers = {
                "q": ("quit", "again halts the lab and leaves"),
                "d": ("detach", "leaves and lets the lab run on"),
            }
        self._push(Ask("Quit?", "A lab is running.", answers), answered)

    def _ask_resume(self) -> None:
        """An earlier run left a lab behind: the presenter says what becomes of it."""
        from rwk_tui.cockpit.screens.ask import Ask

        app = self._app
        lab = app.board.get(LabRow, "lab")
        if lab is None or lab.state != "choose" or not app.contact.talks:
            self._asked = False
            for screen in app.screen_stack:
                if isinstance(screen, Ask) and screen.id == "resume":
                    screen.dismiss(None)
            return
        if self._asked:
            return
        self._asked = True

        def answered(answer: str | None) -> None:
            if answer == "resume":
                app.send(Resume())
            elif answer == "reset":
                app.send(Reset())
            elif answer == "quit":
                app.leave(Quit())

        answers = {
            "r": ("resume", "resume: go on with it, as after a power cut"),
            "R": ("reset", "reset: three machines with empty disks"),
            "q": ("quit", "leave it as it is"),
        }
        text = f"An earlier run left a lab behind: {lab.left_behind or 'its disks are still there'}."
        dialog = Ask("Resume or reset?", text, answers, may_leave=False)
        dialog.id = "resume"
        self._push(dialog, answered)


def _call(card: CardRow) -> str:
    """What stands above the notification of a card that nobody may overlook."""
    mark = VERDICT[card.verdict]
    return f"{mark.glyph} {mark.word.capitalize()}: {card.number}. {clean(card.title)}, {target_words(card.target)}"
