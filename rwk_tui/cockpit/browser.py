"""The terminal of a view in a browser: what a stranger sends is keys and sizes, and never outlives who passes it on."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import Any

from textual.drivers.web_driver import WebDriver
from textual.events import Resize
from textual.geometry import Size
from textual.message import Message
from textual.messages import ExitApp

WIDEST, HIGHEST = 400, 150
"""Cells of the largest view: each cell is painted by us, so that nobody may ask for a million of them."""
LEAVE_WITHIN = 3.0
"""Seconds that a view may take to close once nobody listens to it any more."""


def within(width: object, height: object) -> Size:
    """A size that can be painted, whatever was asked for."""
    return Size(_bounded(width, 80, WIDEST), _bounded(height, 24, HIGHEST))


def _bounded(value: object, usual: int, most: int) -> int:
    return max(1, min(value, most)) if isinstance(value, int) and not isinstance(value, bool) else usual


class BrowserDriver(WebDriver):
    """textual's driver for browsers, which trusts its input: this one does not."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        if self._size is not None:
            self._size = within(*self._size)

    def process_message(self, message: Message) -> None:
        """Keys and the mouse; sizes among them come from no page of ours, which sends them apart."""
        if not isinstance(message, Resize):
            super().process_message(message)

    def on_meta(self, packet_type: str, payload: dict[str, object]) -> None:
        """Only what a view has a use for: no file is ever delivered."""
        if packet_type == "resize":
            size = within(payload.get("width"), payload.get("height"))
            payload = {"width": size.width, "height": size.height}
        if packet_type in ("resize", "focus", "blur", "quit", "exit"):
            super().on_meta(packet_type, payload)

    def open_url(self, url: str, new_tab: bool = True) -> None:
        """Open nothing."""

    def deliver_binary(self, *_: Any, **__: Any) -> None:
        """Deliver nothing."""

    def run_input_thread(self) -> None:
        """Read until nobody is there who could write: then the view closes, and if it can't, its process ends."""
        super().run_input_thread()
        if not self.exit_event.is_set():
            with suppress(RuntimeError):  # Its loop may have ended already.
                self.send_message(ExitApp())
            timer = threading.Timer(LEAVE_WITHIN, os._exit, (1,))
            timer.daemon = True
            timer.start()
