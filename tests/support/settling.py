"""When a cockpit under test has done all there is to do, and what of it is painted.

Textual's own pilot waits until the process uses little of the processor: 20 ms at least after each key, up to a second
on a busy machine, and then it may be wrong. Here the loop itself is asked. And textual paints after each change, which
headless is thrown away: here a screen is painted when a test pauses or looks, not in each state between.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from textual._context import active_app, visible_screen_stack
from textual.pilot import Pilot
from textual.screen import Screen

QUIET = 3
"""Rounds of the loop in which nothing else was to do: a future that becomes ready wakes its task in the next one."""
PATIENCE = 1.0


async def settled(_least: float = 0, most: float = PATIENCE) -> None:
    """Until the loop waits only for timers, files and threads, and the screen for no layout; `most` in seconds."""
    loop: Any = asyncio.get_running_loop()
    until = time.monotonic() + most
    quiet = 0
    while quiet < QUIET and time.monotonic() < until:
        await asyncio.sleep(0)
        quiet = 0 if loop._ready or _lay_out() else quiet + 1


def _lay_out() -> bool:
    """Do at once what the screen would do within a sixtieth of a second; whether there was something."""
    app: Any = active_app.get()
    screen = app._screen_stack[-1] if app._running and app._screen_stack else None
    if screen is None or app._batch_count or not screen.is_running:
        return False
    due = screen._layout_required or screen._repaint_required or screen._recompose_required
    if due or screen._scroll_required or screen._dirty_widgets or screen._callbacks:
        screen._on_timer_update()
        return True
    return False


def settle_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pilots wait like this, and paint when they pause."""
    paint: Callable[[Screen[Any]], None] = Screen._compositor_refresh
    pause = Pilot.pause

    def later(screen: Screen[Any]) -> None:
        if screen.app.is_inline or screen is not screen.app.screen:
            paint(screen)
        else:
            # The compositor knows what is dirty until it paints, and a test that looks sees what lies behind, too.
            screen._dirty_widgets.clear()
            visible_screen_stack.set(screen.app._background_screens)
            screen.app._update_mouse_over(screen)

    async def pause_and_paint(pilot: Pilot[Any], delay: float | None = None) -> None:
        await pause(pilot, delay)
        if pilot.app.is_running:
            paint(pilot.app.screen)

    monkeypatch.setattr("textual.app.wait_for_idle", settled)
    monkeypatch.setattr("textual.pilot.wait_for_idle", settled)
    monkeypatch.setattr(Screen, "_compositor_refresh", later)
    monkeypatch.setattr(Pilot, "pause", pause_and_paint)
