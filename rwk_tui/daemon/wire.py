"""Messages as lines of bytes, on both ends of the socket."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from rwk_tui.board.frames import Frame
from rwk_tui.daemon.protocol import LINE_LIMIT, AnyCommand, FromDaemon


class NotUnderstood(Exception):
    """A line that is no message of this protocol."""


class Greeting(msgspec.Struct, frozen=True):
    """As much of a first line as every version of the protocol has."""

    do: str = ""
    t: str = ""
    protocol: int = 0
    version: str = ""
    reason: str = ""


def encode(message: FromDaemon | AnyCommand) -> bytes:
    """One message as a line."""
    return msgspec.json.encode(message) + b"\n"


def encode_frame(frame: Frame) -> bytes:
    """A frame as a line that a client accepts: the oldest output is left out where it would be too long."""
    line = encode(frame)
    while len(line) > LINE_LIMIT and (frame.output or frame.events):
        frame = msgspec.structs.replace(
            frame,
            output=frame.output[len(frame.output) // 2 + 1 :],
            events=frame.events[len(frame.events) // 2 + 1 :] if not frame.output else frame.events,
        )
        line = encode(frame)
    return line


def decode_command(line: bytes) -> AnyCommand:
    """A client's line. Raises NotUnderstood."""
    return _decode(_commands(), line)  # type: ignore[no-any-return]


def decode_message(line: bytes) -> FromDaemon:
    """The daemon's line. Raises NotUnderstood."""
    return _decode(_messages(), line)  # type: ignore[no-any-return]


def decode_greeting(line: bytes) -> Greeting:
    """A first line of whatever version. Raises NotUnderstood."""
    return _decode(_greetings(), line)  # type: ignore[no-any-return]


def _decode(decoder: msgspec.json.Decoder[Any], line: bytes) -> Any:
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotUnderstood(f"not a message of this protocol: {error}") from None


# Built at first use: a cockpit imports this module before it paints.
@cache
def _commands() -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(AnyCommand)


@cache
def _messages() -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(FromDaemon)


@cache
def _greetings() -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(Greeting)
