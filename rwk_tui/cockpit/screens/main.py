"""The main screen: bars at the edges, six panes between them, one at a time where there is little room."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen
from textual.widgets import Static

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import CardRow
from rwk_tui.board.kube_rows import KubeRow
from rwk_tui.cockpit.actions import PANES, valid_ids
from rwk_tui.cockpit.contact import Contact
from rwk_tui.cockpit.keymap import USUAL, KeyMap
from rwk_tui.cockpit.panes.pane import Bar, Pane, PickPane, StoryPane
from rwk_tui.cockpit.panes.picks import Picks
from rwk_tui.cockpit.situation import situation_of
from rwk_tui.cockpit.views import availability, bars, etcd, footer, kube_lines, kubernetes, machines, pulse, timeline
from rwk_tui.cockpit.views.position import position_line, position_view
from rwk_tui.cockpit.views.story import story_view
from rwk_tui.tape.player import Position

MAIN_CSS = Path(__file__).parent / "main.tcss"


class MainScreen(Screen[None]):
    """Paints boards; knows nothing of where they come from."""

    AUTO_FOCUS = "#story"

    def __init__(
        self, board: Board, contact: Contact, now: float, keys: KeyMap = USUAL, *, greets: bool = False
    ) -> None:
        """`greets`: say how to begin, until the first key or click."""
        super().__init__()
        self._greets = greets
        self._keys = keys
        self.active = "story"
        self.zoomed = False
        self._shown: tuple[Board, Contact, float, Sequence[CardRow], Position | None] = (board, contact, now, (), None)

    def compose(self) -> ComposeResult:
        """Bars and panes, top to bottom."""
        yield Bar("header", bars.header_line)
        yield Bar("replay", position_line)
        yield Bar("tabs", footer.tabs_line)
        yield Bar("pulse", pulse.pulse_line)
        with Container(id="grid"):
            yield PickPane("machines", machines.machines_lines)
            yield PickPane("etcd", etcd.etcd_lines)
            yield PickPane("kubernetes", kube_lines.kubernetes_lines)
            yield Pane("availability", availability.availability_lines)
            yield StoryPane()
            yield Pane("timeline", timeline.timeline_lines)
        yield Bar("strip", bars.strip_line)
        yield Bar("footer", footer.footer_line)
        yield Static(id="too-small", markup=False)

    def on_mount(self) -> None:
        """Show what is known in the very first frame."""
        self._mark_active()
        self.show(*self._shown)

    def on_resize(self) -> None:
        """Say how much room is missing, where it is."""
        text = f"This terminal is {self.size.width} x {self.size.height}.\nrwk needs 60 x 16, and shines at 120 x 40."
        self.query_one("#too-small", Static).update(text)

    @property
    def single(self) -> bool:
        """Whether one pane is shown at a time because the screen is small."""
        return any(self.has_class(name) for name in ("-narrow", "-short", "-tiny", "-flat"))

    def show_pane(self, name: str) -> None:
        """Show a pane alone; once more, and all are back (where there is room for all)."""
        if self.single:
            self.active = name
        elif self.zoomed and self.active == name:
            self.zoomed = False
        else:
            self.zoomed, self.active = True, name
        self._mark_active()
        self.query_one(f"#{name}").focus()
        self.show(*self._shown)

    def unzoom(self) -> None:
        """All panes again."""
        if self.zoomed and not self.single:
            self.show_pane(self.active)

    @property
    def in_focus(self) -> str:
        """The pane that has the focus, or else the one that was shown last."""
        name = self.focused.id if self.focused is not None else None
        return name if name in PANES else self.active

    def picker(self) -> Picks | None:
        """The pane whose picked thing is meant: the one with the focus, or else the first that has any."""
        shown = [pane for pane in self.query(PickPane) if pane.display and pane.things]
        return next((pane for pane in shown if pane.has_focus), next(iter(shown), None))

    def on_event(self, event: events.Event) -> Any:
        """Whoever presses or clicks something has begun."""
        if self._greets and isinstance(event, events.Key | events.MouseDown):
            self._greets = False
            self.show(*self._shown)
        return super().on_event(event)

    async def on_picks_opened(self, message: Picks.Opened) -> None:
        """Enter and double clicks do what the key of the registry does."""
        await self.run_action("app.act('details')")

    def _mark_active(self) -> None:
        self.set_class(self.zoomed, "-zoom")
        for name in PANES:
            self.query_one(f"#{name}").set_class(name == self.active, "-active")

    def show(
        self,
        board: Board,
        contact: Contact,
        now: float,
        waiting: Sequence[CardRow] = (),
        position: Position | None = None,
    ) -> None:
        """Paint the board, that loud cards wait to be looked at, and where a replay is; what did not change costs a
        comparison."""
        self._shown = (board, contact, now, waiting, position)
        known = now if contact.is_live(now) else contact.heard or now  # Nobody knows how old things are by now.
        with self.app.batch_update():
            views: dict[str, Any] = {
                "machines": machines.machines_view(board, known),
                "etcd": etcd.etcd_view(board, known),
                "kubernetes": kubernetes.kubernetes_view(board, known, self._keys, gets=not contact.viewer),
                "availability": availability.availability_view(board, known, waiting),
                "story": story_view(board, known, self._keys, choose=position is None and not contact.viewer),
                "timeline": timeline.timeline_view(board, known, waiting),
            }
            for name, view in views.items():
                self.query_one(f"#{name}", Pane).show(view)
            kube = board.get(KubeRow, "kube")
            self.set_class(kube is not None and kube.state != "none", "-kube")  # It needs room once there is one.
            troubled = frozenset(name for name, view in views.items() if view.troubled)
            self._bar("header", bars.header_view(board, contact, now, waiting, self._keys))
            self.set_class(position is not None, "-replay")
            if position is not None:
                self._bar("replay", position_view(position))
            self._bar("tabs", footer.TabsView(self.active, troubled, self._keys))
            self._bar("pulse", pulse.pulse_view(board, known))
            self._bar("strip", bars.strip_view(board, contact, now, self._keys, greets=self._greets))
            valid = valid_ids(situation_of(board, contact))
            offered = footer.FooterView(valid, self._keys, replay=position is not None, viewer=contact.viewer)
            self._bar("footer", offered)
            old = contact.state != "starting" and not contact.is_live(now)
            self.set_class(old, "-old")
            for pane in self.query(Pane):
                pane.paint_as(faded=old)

    def _bar(self, name: str, view: object) -> None:
        self.query_one(f"#{name}", Bar).show(view)
