"""How pictures of the cockpit are taken: the same time of day, no movement, nothing that blinks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.cockpit_app import cockpit, wait_for
from support.cockpit_frames import Scene

from rwk_tui.cockpit.app import Cockpit

SNAP = Callable[..., bool]


@pytest.fixture
def same_everywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same time of day and no movement, wherever the tests run."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def still(app: Cockpit, *keys: str) -> Callable[[Any], Any]:
    """Waits until the scene is there, presses keys and waits for what they do."""

    async def run(pilot: Any) -> None:
        app.animation_level = "none"
        await wait_for(pilot, lambda: app.board.at > 0)
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        if app.focused is not None and hasattr(app.focused, "cursor_blink"):
            app.focused.cursor_blink = False
        await pilot.pause()

    return run


def take(snap_compare: SNAP, scene: Scene, *keys: str, size: tuple[int, int] = (120, 40), theme: str = "dark") -> bool:
    app = cockpit(scene, theme=theme)
    return snap_compare(app, terminal_size=size, run_before=still(app, *keys))
