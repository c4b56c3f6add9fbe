"""What a browser says on the websocket, and how much of it: keys and sizes, all else is not understood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

LONGEST = 64 * 1024
"""Bytes in the longest message."""
RATE = 32 * 1024
"""Characters a second that a visitor may type, paste and move the mouse for in the long run."""
BURST = 256 * 1024
"""Characters that may come at once."""


class NotUnderstood(Exception):
    """A message that no page of ours sends, in one line."""


@dataclass(frozen=True)
class Typed:
    """Keys, the mouse or a paste, as a terminal has them."""

    data: bytes


@dataclass(frozen=True)
class Resized:
    """The terminal has that many cells now; whether they can be painted is the view's business."""

    width: int
    height: int


@dataclass(frozen=True)
class Ping:
    """The page wants to know how far away we are."""

    mark: str


@dataclass(frozen=True)
class Focus:
    """The page has the keyboard, or has it no more."""

    has: bool


Message = Typed | Resized | Ping | Focus


class _Cells(msgspec.Struct, frozen=True):
    width: int
    height: int


_WORDS = msgspec.json.Decoder(tuple[Literal["stdin", "ping"], str])
_SIZES = msgspec.json.Decoder(tuple[Literal["resize"], _Cells])
_FOCUS = msgspec.json.Decoder(tuple[Literal["focus", "blur"]])


def read(text: str) -> Message:
    """One message. Raises NotUnderstood."""
    for decoder in (_WORDS, _SIZES, _FOCUS):
        try:
            return _as_message(decoder.decode(text))
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            continue
    raise NotUnderstood("what came is no message of our page")


def _as_message(found: tuple[object, ...]) -> Message:
    match found:
        case ("stdin", str(keys)):
            return Typed(keys.encode("utf-8", "replace"))
        case ("ping", str(mark)):
            return Ping(mark[:32])
        case ("resize", _Cells(width=width, height=height)):
            return Resized(width, height)
        case (word,):
            return Focus(word == "focus")
    raise NotUnderstood("what came is no message of our page")


class Allowance:
    """How much one visitor may still send: a burst, and what has been saved up since."""

    def __init__(self, now: float) -> None:
        self._left = float(BURST)
        self._at = now

    def takes(self, length: int, now: float) -> bool:
        """Whether a message of that length may come now."""
        self._left = min(float(BURST), self._left + (now - self._at) * RATE)
        self._at = now
        self._left -= length
        return self._left >= 0
