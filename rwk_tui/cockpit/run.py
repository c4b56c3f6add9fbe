"""The way in: opens the cockpit, a view or the speaker notes, and says on the terminal how it ended."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rwk_tui.settings import Settings

if TYPE_CHECKING:
    from rwk_tui.tape.source import ReplaySource


def run_cockpit(settings: Settings) -> int:
    """Show the lab until the presenter leaves; returns the exit code.

    Raises BadInput, before anything is on the screen, for files of the user's that can't be used.
    """
    return _run(settings, None)


def run_replay(settings: Settings, source: ReplaySource) -> int:
    """Show a recording until the presenter leaves, and say at the end what was wrong with it. Raises BadInput."""
    code = _run(settings, source)
    if source.problem:
        print(f"rwk-tui: {source.problem}", file=sys.stderr)
    return code


def _run(settings: Settings, replay: ReplaySource | None) -> int:
    from rwk_tui.cockpit.memory import Memory

    memory = Memory(owns=True)
    memory.hold()
    from rwk_tui.cockpit.first_time import is_first_time, remember
    from rwk_tui.cockpit.keymap import key_map
    from rwk_tui.cockpit.theme_files import load_palette, warning

    keys, palette = key_map(settings.keys), load_palette(settings)
    if faint := warning(palette):
        # Not as a notification: that would be painted in the very colours that are hard to read.
        print(f"rwk-tui: {settings.theme_file}: {faint}", file=sys.stderr)
    greets = replay is None and is_first_time(settings)
    from rwk_tui.cockpit.app import Cockpit
    from rwk_tui.cockpit.source import to_daemon, to_fixed

    connect = to_daemon(settings) if replay is None else to_fixed(replay)
    app = Cockpit(settings, connect, replay=replay, memory=memory, palette=palette, keys=keys, greets=greets)
    app.run()
    if greets and not app.return_code:
        remember(settings)
    if app.farewell:
        print(app.farewell, file=sys.stderr if app.return_code else sys.stdout)
    return app.return_code or 0


def run_view(settings: Settings) -> int:
    """Look at the lab that runs, or at the next one, until the view is closed. Raises BadInput."""
    from rwk_tui.cockpit.memory import Memory

    memory = Memory(owns=True)
    memory.hold()
    from rwk_tui.cockpit.app import Cockpit
    from rwk_tui.cockpit.keymap import key_map
    from rwk_tui.cockpit.source import to_running
    from rwk_tui.cockpit.theme_files import load_palette

    connect = to_running(settings, read_only=True)
    keys, palette = key_map(settings.keys), load_palette(settings)
    app = Cockpit(settings, connect, memory=memory, palette=palette, keys=keys, viewer=True)
    app.run()
    return app.return_code or 0


def run_notes(settings: Settings, *, read_only: bool) -> int:
    """Show the speaker notes of the lab that runs; returns the exit code.

    Raises DaemonError if none does, and BadInput for a theme's file or keys that can't be used.
    """
    import asyncio

    return asyncio.run(_notes(settings, read_only=read_only))


async def _notes(settings: Settings, *, read_only: bool) -> int:
    from rwk_tui.cockpit.keymap import key_map
    from rwk_tui.cockpit.source import first_then, to_running
    from rwk_tui.cockpit.theme_files import load_palette

    palette, keys = load_palette(settings), key_map(settings.keys)
    connect = to_running(settings, read_only=read_only)
    first = await connect(False)  # Before the screen is taken: whoever has no lab reads that in one line.
    from rwk_tui.cockpit.notes_app import NotesApp

    app = NotesApp(settings, first_then(first, connect), read_only=read_only, palette=palette, keys=keys)
    try:
        await app.run_async()
    finally:
        await first.close()
    return app.return_code or 0
