"""Speaker notes that listen to a fake source, with a clock that stands still."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
from support import cockpit_frames as frames
from support.cockpit_app import Clock, FakeSource
from support.cockpit_frames import Scene

from rwk_tui.cockpit.keymap import USUAL, KeyMap
from rwk_tui.cockpit.notes_app import NotesApp
from rwk_tui.cockpit.palettes import Palette
from rwk_tui.settings import Settings

NOTES = {
    2: "Stop here and ask who would have **two** machines at home.",
    3: "The learner needs a second or two. *Read the lag aloud* while it shrinks.",
    4: "Promotion is refused until the learner has caught up; say so before you press.",
}
"""Notes by the number of the step in the chapter of the calm scene."""


def noted(scene: Scene | None = None) -> Scene:
    """The scene, whose steps have notes."""
    scene = scene or frames.calm()
    steps = tuple(
        msgspec.structs.replace(step, notes=NOTES.get(number, "")) for number, step in enumerate(scene.story.steps)
    )
    return replace(scene, story=msgspec.structs.replace(scene.story, steps=steps))


def notes_app(
    *sources: FakeSource,
    read_only: bool = False,
    clock: Clock | None = None,
    retry: float = 0.01,
    palette: Palette | None = None,
    keys: KeyMap = USUAL,
) -> NotesApp:
    """Notes that connect to one source after the other, and to none when all are used up."""
    left = list(sources)

    async def connect(start: bool) -> FakeSource:
        assert not start, "notes never start a lab"
        if not left:
            raise OSError("no lab is running")
        return left.pop(0)

    name = "dark" if palette is None else palette.name
    settings = Settings(state=Path("/nonexistent"), engine_cache=Path("/nonexistent"), theme=name)
    clock = clock or Clock()
    return NotesApp(settings, connect, read_only=read_only, clock=clock, retry=retry, palette=palette, keys=keys)
