"""One proxied connection: two sockets and, between them, two lanes that obey their links."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import Protocol

_HOLD = 4 * 1024 * 1024
"""Bytes a lane keeps for a delay before it stops reading."""


class Passage(Protocol):
    """What a lane asks its link."""

    @property
    def is_cut(self) -> bool: ...

    @property
    def longest(self) -> float:
        """The longest time (s) that it may hold anything back."""

    def draw(self) -> float:
        """How long (s) it holds back the next piece of data."""


class End(asyncio.Protocol):
    """One socket of a connection. It reads nothing until a lane leads away from it."""

    def __init__(self, made: Callable[[End], None] | None = None) -> None:
        self.transport: asyncio.Transport | None = None
        self.lane: Lane | None = None
        """Where bytes go that are read here."""
        self.full = False
        """Whether more is waiting to be sent here than the other side takes."""
        self._made = made
        self._back: Lane | None = None
        self._early = b""
        self._lost = False

    def join(self, lane: Lane, back: Lane, reset: Callable[[], None]) -> None:
        """Connect to the two lanes; `back` leads here."""
        self.lane, self._back, self._reset = lane, back, reset
        if self._early:
            lane.feed(self._early)
        if self._lost:
            reset()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        # Early releases of Python 3.11 begin to read although they were told not to; so they are told again, and what
        # they read meanwhile is kept.
        transport.pause_reading()
        asyncio.get_running_loop().call_soon(self._stay_paused)
        if self._made is not None:
            self._made(self)

    def data_received(self, data: bytes) -> None:
        if self.lane is not None:
            self.lane.feed(data)
        else:
            self._early += data

    def _stay_paused(self) -> None:
        if self.lane is None:
            self.read(False)

    def eof_received(self) -> bool:
        if self.lane is not None:
            self.lane.finish()
        return True  # the other direction may go on

    def pause_writing(self) -> None:
        self._fill(True)

    def resume_writing(self) -> None:
        self._fill(False)

    def _fill(self, full: bool) -> None:
        self.full = full
        if self._back is not None:
            self._back.adjust()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        if self.lane is not None:
            self.lane.broke()

    def write(self, data: bytes) -> None:
        """Send."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def write_eof(self) -> None:
        """Say that nothing more comes."""
        if self.transport is not None and not self.transport.is_closing():
            # The other side may have reset it a moment ago; that news is on its way by itself.
            with contextlib.suppress(OSError):
                self.transport.write_eof()

    def read(self, wanted: bool) -> None:
        """Begin or stop reading."""
        if self.transport is not None and not self.transport.is_closing():
            if wanted:
                self.transport.resume_reading()
            else:
                self.transport.pause_reading()

    def close(self) -> None:
        """Close in order, once everything is sent."""
        if self.transport is not None:
            self.transport.close()

    def reset(self) -> None:
        """Close at once, so that the other side sees a reset."""
        if self.transport is None:
            return
        sock = self.transport.get_extra_info("socket")
        if sock is not None and sock.fileno() >= 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


class Lane:
    """The bytes that go from one end to the other; `link` is None where nothing can be cut."""

    def __init__(self, source: End, target: End, link: Passage | None, wire: Wire) -> None:
        self._source = source
        self._target = target
        self._link = link
        self._wire = wire
        self._loop = asyncio.get_running_loop()
        self._held: deque[tuple[float, bytes]] = deque()
        self._bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._finished = False
        self._broken = False
        self.done = False

    @property
    def _cut(self) -> bool:
        return self._link is not None and self._link.is_cut

    def _hold(self, delay: float, data: bytes) -> None:
        """Keep it for that long (s), or longer where what came before it is due later: this is a stream."""
        due = self._loop.time() + delay
        self._held.append((max(due, self._held[-1][0]) if self._held else due, data))

    def feed(self, data: bytes) -> None:
        """Pass on what was read, now or when its delay is over."""
        delay = self._link.draw() if self._link is not None else 0.0
        if not self._held and not delay and not self._cut:
            self._target.write(data)
            return
        self._hold(delay, data)
        self._bytes += len(data)
        if len(self._held) == 1:
            self._flush()
        if self._bytes > _HOLD:
            self.adjust()

    def finish(self) -> None:
        """The source sends nothing more."""
        if self._finished:
            return
        self._finished = True
        self._hold(self._link.draw() if self._link is not None else 0.0, b"")
        self._flush()

    def broke(self) -> None:
        """The source's connection is gone: so is the target's, as soon as the news can get through."""
        self._broken = True
        if not self._cut:
            self._wire.reset()

    def adjust(self) -> None:
        """Act on a link that changed, or on a target that is full or no longer so."""
        if self._broken:
            if not self._cut:
                self._wire.reset()
            return
        latest = self._loop.time() + (self._link.longest if self._link is not None else 0.0)
        if self._held and self._held[-1][0] > latest:
            self._held = deque((min(due, latest), data) for due, data in self._held)
        self._flush()
        self._source.read(not (self._cut or self._target.full or self._bytes > _HOLD or self._finished))

    def drop(self) -> None:
        """Forget everything."""
        self._held.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._cut:
            return
        was_over = self._bytes > _HOLD
        now = self._loop.time()
        while self._held and self._held[0][0] <= now and not self._target.full:
            _, data = self._held.popleft()
            self._bytes -= len(data)
            if data:
                self._target.write(data)
            else:
                self.done = True
                self._target.write_eof()
                self._wire.maybe_close()
        if self._held and not self._target.full:
            self._timer = self._loop.call_at(self._held[0][0], self._flush)
        if was_over and self._bytes <= _HOLD:
            self.adjust()


class Wire:
    """A connection from `dialled_by` ("" for the presenter) to `served_by`; in `wires` while it lives.

    `balanced` is the balanced port that was dialled, 0 if it was a port of that machine itself.
    """

    def __init__(
        self,
        client: End,
        server: End,
        *,
        dialled_by: str,
        served_by: str,
        balanced: int = 0,
        there: Passage | None,
        back: Passage | None,
        wires: set[Wire],
    ) -> None:
        self.dialled_by = dialled_by
        self.served_by = served_by
        self.balanced = balanced
        self._ends = (client, server)
        self._wires = wires
        self._over = False
        wires.add(self)
        self._lanes = (Lane(client, server, there, self), Lane(server, client, back, self))
        client.join(self._lanes[0], self._lanes[1], self.reset)
        server.join(self._lanes[1], self._lanes[0], self.reset)
        self.adjust()

    def adjust(self) -> None:
        """Act on links that changed."""
        if self._over:
            return
        for lane in self._lanes:
            lane.adjust()

    def maybe_close(self) -> None:
        """Close when both directions have come to their end."""
        if all(lane.done for lane in self._lanes):
            self._end()
            for end in self._ends:
                end.close()

    def reset(self) -> None:
        """Break the connection on both sides."""
        if not self._over:
            self._end()
            for end in self._ends:
                end.reset()

    def _end(self) -> None:
        self._over = True
        for lane in self._lanes:
            lane.drop()
        self._wires.discard(self)
