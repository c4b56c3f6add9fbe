"""The process of one visitor: a view of its own, which ends when the browser goes, willing or not."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Mapping

from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from rwk_tui.daemon.spawn import python_path
from rwk_tui.settings import Settings, as_environment
from rwk_tui.web.messages import Focus, Message, Ping, Resized, Typed

# It goes through a shell: a constant, to which all that varies comes in variables. -P: what lies in the current
# directory is not ours to run.
COMMAND = 'exec "$RWK_WEB_PYTHON" -P -m rwk_tui.web.look'
LEAVE_WITHIN = 3.0
"""Seconds that a view may take to close before it is killed."""
TAKE_WITHIN = 5.0
"""Seconds in which it must take what was typed."""


def view_environment(settings: Settings, given: Mapping[str, str]) -> dict[str, str]:
    """The variables of a view: ours, and of textual's own none that lets it write files or open consoles."""
    kept = {name: value for name, value in given.items() if name != "TEXTUAL" and not name.startswith("TEXTUAL_")}
    # Twenty pictures a second do for looking on, and leave the processor to the lab.
    ours = {"TEXTUAL_FPS": "20", "TEXTUAL_COLOR_SYSTEM": "truecolor", "RWK_WEB_PYTHON": sys.executable}
    return {**kept, **ours, **python_path(), **as_environment(settings)}


class Visitor(AppService):
    """Passes keys to the view and pictures to the browser; of files and addresses to open it passes nothing."""

    def __init__(self, settings: Settings, socket: web.WebSocketResponse) -> None:
        super().__init__(
            COMMAND,
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=self._hang_up,
            download_manager=DownloadManager(),
        )
        self._settings = settings
        self._socket = socket

    async def hear(self, message: Message) -> None:
        """Pass on what the browser said. Raises TimeoutError if the view does not take it."""
        async with asyncio.timeout(TAKE_WITHIN):
            match message:
                case Typed(data):
                    await self.send_bytes(data)
                case Resized(width, height):
                    await self.set_terminal_size(width, height)
                case Focus(has):
                    await (self.focus() if has else self.blur())
                case Ping(mark):
                    await self._socket.send_json(["pong", mark])

    async def run(self) -> None:
        """Pass on pictures until the view ends; a view that ended has nothing to say to its browser."""
        try:
            await super().run()
        except ConnectionError:
            pass  # The browser went: that is its right.
        finally:
            await self._hang_up()

    async def on_meta(self, data: bytes) -> None:
        """Only that the view has closed."""
        if json.loads(data).get("type") == "exit":
            await self._hang_up()

    async def on_packed(self, payload: bytes) -> None:
        """Pieces of files: there are none."""

    async def finish(self) -> None:
        """End the process, and be sure of it, also where nobody has the time to wait for that."""
        try:
            with contextlib.suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(LEAVE_WITHIN):
                    await self.stop()
            # A deadline of its own: the one above is used up in silence when what it cancels takes that for an end.
            if self._process is not None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await self._process.wait()
        finally:
            if self._process is not None and self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
                await self._process.wait()

    async def _hang_up(self) -> None:
        if not self._socket.closed:
            await self._socket.close()

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        given = super()._build_environment(width, height)
        return view_environment(self._settings, given)
