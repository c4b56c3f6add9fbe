"""One use of Vagrant, from the wish for it to its end."""

from __future__ import annotations

import asyncio
from typing import Any

from rwk_tui.lab.vagrant.command import Stop


class Attempt:
    """Something that is being done, and whether Vagrant has begun with it."""

    def __init__(self) -> None:
        self.stop = Stop()
        self.begun = False

    def give_up(self, task: asyncio.Future[Any]) -> None:
        """Nobody wants it any more."""
        self.stop.wish()
        if not self.begun:
            task.cancel()
