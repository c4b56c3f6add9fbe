"""What is said between us and the agent of one connection: questions with one answer, and what comes in pieces."""

from __future__ import annotations

import asyncio
import base64
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote.run import Pieces

ANSWER_WITHIN = 30.0
"""Seconds after which a question that needs no time of its own has no answer."""


class _Message(msgspec.Struct):
    id: int
    ok: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: str | None = None
    began: int | None = None
    out: str | None = None
    err: str | None = None
    end: int | None = None
    hello: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, slots=True)
class Open:
    """Something that comes in pieces: these, when it has begun (LabError if it can't), and what ends it."""

    pieces: Pieces
    began: asyncio.Future[None]
    close: Callable[[], None]


class Wire:
    """One JSON object a line, each way; what comes from the agent's stdout is given to `feed`.

    Every LabError begins with the machine's name. Once the connection is lost, everything raises one.
    """

    def __init__(self, machine: str, send: Callable[[bytes], None]) -> None:
        self.machine = machine
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._send_bytes = send
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[msgspec.Raw]] = {}
        self._opened: dict[int, Open] = {}
        self._troubles: dict[int, str] = {}
        self._partial: list[bytes] = []
        self._decoder = msgspec.json.Decoder(_Message)
        self._lost = ""

    def new_id(self) -> int:
        """A number that nothing else has on this connection."""
        return next(self._ids)

    async def ask(self, message: Mapping[str, object], trouble: str, within: float = ANSWER_WITHIN) -> msgspec.Raw:
        """The answer to one question. Raises LabError with the `trouble` that it means if there is none."""
        ident = self.new_id()
        answer: asyncio.Future[msgspec.Raw] = asyncio.get_running_loop().create_future()
        self._answers[ident], self._troubles[ident] = answer, trouble
        try:
            self._send({"id": ident, **message})
            async with asyncio.timeout(within):
                return await answer
        except TimeoutError:
            raise LabError(f"{self.machine} {trouble}: no answer within {within:g} s") from None
        finally:
            del self._answers[ident], self._troubles[ident]

    def open(self, message: Mapping[str, object], trouble: str) -> Open:
        """Ask for something that comes in pieces. Raises LabError if the connection is lost."""
        ident = self.new_id()
        began: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        pieces = Pieces(lambda count: self.tell({"id": ident, "do": "more", "bytes": count}))

        def over(ended: asyncio.Future[int]) -> None:
            del self._opened[ident], self._troubles[ident]
            if not began.done():
                error = ended.exception()
                began.set_exception(error or LabError(f"{self.machine} {trouble}"))
                began.exception()  # whoever does not ask need not hear it

        opened = Open(pieces, began, lambda: self.tell({"id": ident, "do": "close"}))
        self._send({"id": ident, **message})
        self._opened[ident], self._troubles[ident] = opened, trouble
        pieces.ended.add_done_callback(over)
        return opened

    def tell(self, message: Mapping[str, object]) -> None:
        """Say something that has no answer; where the connection is lost, nobody needs it."""
        if not self._lost:
            self._send(message)

    def feed(self, data: bytes) -> None:
        """Bytes from the agent's stdout. Raises ValueError if they are none of its words."""
        first, *others = data.split(b"\n")
        self._partial.append(first)
        for rest in others:
            line = b"".join(self._partial)
            self._partial = [rest]
            if line:
                self._hear(self._decoder.decode(line))

    def lose(self, why: str) -> None:
        """The connection is lost: whoever waits for something hears why, in one line."""
        if self._lost:
            return
        self._lost = why
        if not self.ready.done():
            self.ready.set_exception(LabError(why))
            self.ready.exception()  # whoever does not ask need not hear it
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(LabError(why))
        for opened in list(self._opened.values()):
            opened.pieces.fail(LabError(why))

    def _hear(self, message: _Message) -> None:
        answer, opened = self._answers.get(message.id), self._opened.get(message.id)
        if message.hello is not msgspec.UNSET:
            if not self.ready.done():
                self.ready.set_result(None)
        elif message.error is not None:
            trouble = self._troubles.get(message.id, "refused something")
            error = LabError(f"{self.machine} {trouble}: {message.error}")
            if answer is not None and not answer.done():
                answer.set_exception(error)
            elif opened is not None:
                opened.pieces.fail(error)
        elif message.ok is not msgspec.UNSET:
            if answer is not None and not answer.done():
                answer.set_result(message.ok)
        elif opened is not None:
            if message.out is not None:
                opened.pieces.put("out", base64.b64decode(message.out))
            elif message.err is not None:
                opened.pieces.put("err", base64.b64decode(message.err))
            elif message.end is not None:
                opened.pieces.end(message.end)
            elif not opened.began.done():
                opened.began.set_result(None)

    def _send(self, message: Mapping[str, object]) -> None:
        if self._lost:
            raise LabError(self._lost)
        self._send_bytes(msgspec.json.encode(message) + b"\n")
