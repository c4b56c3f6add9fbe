"""Keeps the garbage collector from stopping the screen: what lasts is set aside, the little that is new is looked at.

A full collection walks every object there is, which takes 20 to 100 ms with textual loaded: a presenter sees that.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from importlib import import_module

LATER: tuple[str, ...] = (
    "rwk_tui.cockpit.screens.help",
    "rwk_tui.cockpit.screens.chooser",
    "rwk_tui.cockpit.choices",
    "rwk_tui.cockpit.fault_choices",
    "rwk_tui.cockpit.screens.events",
    "rwk_tui.cockpit.screens.logs",
    "rwk_tui.cockpit.screens.cards",
    "rwk_tui.cockpit.screens.ask",
    "rwk_tui.cockpit.screens.drawer",
    "rwk_tui.cockpit.screens.present",
    "textual.widgets._input",
    "rwk_tui.cockpit.markdown",
    "textual.command",
    "textual.widgets._toast",
)
"""Modules that the first frame does without, and a key pressed later should not wait for."""

PAUSE = 0.05
"""Seconds between them."""

SELDOM = (2000, 10, 100)
"""Thresholds of Python's own collections, which come at any moment: seldom, as `tidy` leaves them little to do."""


class Memory:
    """When garbage is collected; does nothing unless it `owns` the process (a test's process is not ours)."""

    def __init__(self, *, owns: bool = False) -> None:
        self._owns = owns

    def hold(self) -> None:
        """Collect nothing while the first frame is being made: almost everything made then lasts."""
        if self._owns:
            gc.disable()

    def begin(self) -> None:
        """Collect from now on, but never what there is already."""
        if self._owns:
            gc.freeze()
            gc.set_threshold(*SELDOM)
            gc.enable()

    def tidy(self) -> None:
        """Collect what came since the last time, and set the rest aside. Call it when nothing short-lived is open."""
        if self._owns:
            gc.collect()
            gc.freeze()

    def tidy_all(self) -> None:
        """Collect everything, at a moment when a pause is no matter."""
        if self._owns:
            gc.unfreeze()
            self.tidy()


async def load_later(modules: Sequence[str] = LATER) -> None:
    """Import modules one by one, with time between them in which keys are answered and frames are painted."""
    for module in modules:
        await asyncio.sleep(PAUSE)
        import_module(module)
