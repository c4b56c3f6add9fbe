"""Present mode: the narration large and alone, a few figures, and nothing else."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen

from rwk_tui.cockpit.echo import Press, echo_line
from rwk_tui.cockpit.panes.figure import Figure
from rwk_tui.cockpit.panes.narration import Narration
from rwk_tui.cockpit.panes.pane import Bar, Pane
from rwk_tui.cockpit.views import availability, bars, present
from rwk_tui.cockpit.views.figures import FIGURES, FigureView

HERE = Path(__file__).parent


class Presented(msgspec.Struct, frozen=True):
    """All views of the screen; `kube` says that there is a Kubernetes, `old` that nothing is live any more."""

    top: present.TopView
    narration: present.NarrationView
    figures: dict[str, FigureView]
    state: present.StateBarView
    writes: availability.AvailabilityView
    news: present.NewsView
    strip: bars.StripView
    echo: tuple[Press, ...] = ()
    kube: bool = False
    old: bool = False


class PresentScreen(Screen[None]):
    """Paints what it is given; every key of the registry works in it, for it is no dialog."""

    AUTO_FOCUS = "#narration"
    CSS_PATH: ClassVar[list[str | PurePath]] = [HERE / "present.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "all panes", show=False),
    ]

    def __init__(self, first: Presented) -> None:
        super().__init__()
        self._shown = first

    def compose(self) -> ComposeResult:
        """The narration takes what the lines around it leave."""
        yield Bar("top", present.top_line)
        yield Narration()
        with Horizontal(id="figures"):
            for name in FIGURES:
                yield Figure(name)
        yield Bar("state", present.state_bar_line)
        yield Pane("writes", availability.availability_lines)
        yield Bar("news", present.news_line)
        yield Bar("strip", bars.strip_line)
        yield Bar("echo", echo_line)

    def on_mount(self) -> None:
        """Show what is known at once."""
        self.query_one("#writes", Pane).can_focus = False
        self._paint()  # Not yet mounted by its own account, but its widgets are there.

    def show(self, views: Presented) -> None:
        """Paint the views; whatever did not change costs a comparison."""
        self._shown = views
        if self.is_mounted:
            self._paint()

    def _paint(self) -> None:
        views = self._shown
        with self.app.batch_update():
            self.query_one(Narration).show(views.narration)
            self.query_one("#writes", Pane).show(views.writes)
            for name in FIGURES:
                self.query_one(f"#{name}", Figure).show(views.figures[name])
            for name in ("top", "state", "news", "strip", "echo"):
                self.query_one(f"#{name}", Bar).show(getattr(views, name))
            self.set_class(views.old, "-old")
            self.set_class(views.kube, "-kube")
            for widget in (self.query_one("#writes", Pane), self.query_one("#state", Bar)):
                widget.paint_as(faded=views.old)

    def action_leave(self) -> None:
        """Back to the panes."""
        self.dismiss()
