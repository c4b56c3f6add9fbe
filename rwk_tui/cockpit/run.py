"""The way in: opens the cockpit, and says on the terminal how it ended."""

from __future__ import annotations

import sys

from rwk_tui.cockpit.source import Source
from rwk_tui.settings import Settings


def run_cockpit(settings: Settings, source: Source | None = None) -> int:
    """Show the lab, or what `source` tells of one, until the presenter leaves; returns the exit code."""
    from rwk_tui.cockpit.memory import Memory

    memory = Memory(owns=True)
    memory.hold()
    from rwk_tui.cockpit.app import Cockpit
    from rwk_tui.cockpit.source import to_daemon, to_fixed

    connect = to_daemon(settings) if source is None else to_fixed(source)
    app = Cockpit(settings, connect, tape=source is not None, memory=memory)
    app.run()
    if app.farewell:
        print(app.farewell, file=sys.stderr if app.return_code else sys.stdout)
    return app.return_code or 0
