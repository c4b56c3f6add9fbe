"""What the agent says: one JSON object a line, and pieces of bytes, no more of them than there is room for."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import threading
from collections.abc import Callable
from typing import Any

WINDOW = 512 * 1024  # bytes that may be under way and unread, as in rwk_tui/lab/remote/run.py
BLOCK = 48 * 1024

_speaking = threading.Lock()


def say(ident: int, **message: Any) -> None:
    """One line to the other side; where that reads too slowly, this waits."""
    data = memoryview(json.dumps({"id": ident, **message}, separators=(",", ":")).encode() + b"\n")
    with _speaking, contextlib.suppress(BrokenPipeError):  # if nobody reads any more, stdin ends as well
        while data:
            data = data[os.write(1, data) :]


def in_words(error: OSError) -> str:
    """What the operating system says, and about what."""
    text = error.strerror or str(error)
    return f"{text}: {error.filename}" if error.filename else text


def answer(ident: int, work: Callable[[], Any]) -> None:
    """Do it, and say what it returns or why it could not be done."""
    try:
        say(ident, ok=work())
    except OSError as error:
        say(ident, error=in_words(error))
    except Exception as error:  # noqa: BLE001  whatever it is, the other side waits for an answer
        say(ident, error=f"{type(error).__name__}: {error}")


class Stream:
    """Pieces of bytes to the other side, as many as it has room for."""

    def __init__(self, ident: int) -> None:
        self.ident = ident
        self.over = False
        self._room = WINDOW
        self._changed = threading.Condition()

    def more(self, count: int) -> None:
        """The other side has read that many bytes."""
        with self._changed:
            self._room += count
            self._changed.notify_all()

    def close(self) -> None:
        """The other side wants no more."""
        with self._changed:
            self.over = True
            self._changed.notify_all()

    def wait_for_room(self) -> None:
        """Until something can be sent, or need not be any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._room > 0 or self.over)

    def send(self, name: str, data: bytes) -> None:
        """One piece."""
        with self._changed:
            self._room -= len(data)
        say(self.ident, **{name: base64.b64encode(data).decode()})
