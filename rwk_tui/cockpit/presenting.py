"""Keeps present mode: its screen while it is open, and the timer, the keys and the changes it tells of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rwk_tui.cockpit.action import Action, key_name
from rwk_tui.cockpit.changes import Changes
from rwk_tui.cockpit.echo import Echo, Press
from rwk_tui.cockpit.talk_timer import TalkTimer

if TYPE_CHECKING:
    from rwk_tui.cockpit.app import Cockpit
    from rwk_tui.cockpit.screens.present import Presented, PresentScreen


class Presenting:
    """Opens the screen and feeds it. The timer tells the time since present mode was first turned on.

    The talk and its keys go by the time on the wall, also where what is shown was recorded.
    """

    def __init__(self, app: Cockpit) -> None:
        self._app = app
        self._echo = Echo()
        self._changes = Changes()
        self._timer: TalkTimer | None = None
        self._screen: PresentScreen | None = None

    def toggle(self) -> None:
        """Turn present mode on, or off."""
        if self._screen is None:
            self._open()
        else:
            self.close()

    def close(self) -> None:
        """Turn it off, where it is on and nothing lies over it."""
        if self._screen is not None and self._screen.is_current:
            self._screen.dismiss()

    def _open(self) -> None:
        from rwk_tui.cockpit.screens.present import PresentScreen

        self._timer = self._timer or TalkTimer(self._app.wall())
        self._changes.forget()
        self._screen = PresentScreen(self._views(self._app.clock()))
        self._app.push_screen(self._screen, lambda _: self._closed())

    def _closed(self) -> None:
        self._screen = None

    def pressed(self, action: Action, key: str) -> None:
        """A key ("" for the mouse) has started an action."""
        self._echo.heard(Press(key_name(key) if key else "", action.label, self._app.wall()))
        self.board_changed(self._app.clock())

    def board_changed(self, now: float) -> None:
        """Show the board as it is now, if anybody looks."""
        if self._screen is not None:
            self._screen.show(self._views(now))

    def _views(self, now: float) -> Presented:
        from rwk_tui.cockpit.facts import facts_of
        from rwk_tui.cockpit.screens.present import Presented
        from rwk_tui.cockpit.views import availability, bars, figures, kube_figures, present

        app, contact = self._app, self._app.contact
        board, waiting = app.board, app.alarm.waiting
        known = now if contact.is_live(now) else contact.heard or now
        changed = self._changes.look(facts_of(board), now)
        wall = self._app.wall()
        timer = self._timer or TalkTimer(wall)
        return Presented(
            top=present.TopView(bars.header_view(board, contact, now, waiting, app.key_map), timer.words(wall)),
            narration=present.narration_view(board, changed, app.key_map, choose=not contact.viewer),
            figures=figures.figure_views(board, changed) | kube_figures.kube_figure_views(board, changed),
            kube=kube_figures.kube_runs(board),
            state=present.state_bar_view(board, changed),
            writes=availability.availability_view(board, known, waiting),
            news=present.news_view(board, changed),
            strip=bars.strip_view(board, contact, now, app.key_map),
            echo=self._echo.presses(wall),
            old=contact.state != "starting" and not contact.is_live(now),
        )
