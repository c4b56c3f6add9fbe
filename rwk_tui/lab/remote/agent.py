"""The agent on a machine, as seen from here: what it can be asked, and its answers."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from rwk_tui.board.rows import UnitState
from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote.run import RemoteRun
from rwk_tui.lab.remote.wire import ANSWER_WITHIN, Open, Wire

_PIECE = 256 * 1024
"""Bytes of a file that go in one message."""
_MOST = 16 * 1024 * 1024
"""Bytes that a command may print whose output is wanted as a whole."""


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended: its exit code (128 + signal where a signal ended it) and what it printed."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a machine is and has.

    `runtime` is its container runtime ("containerd 1.6.20", "" if none), `tools` are those of nft, tc, ss and strace
    that are there, `netem` says whether its kernel can delay and lose packets, `free` are the bytes left on its disk,
    `now` is its clock (unix s).
    """

    python: str
    now: float
    boot: str
    runtime: str
    tools: tuple[str, ...]
    netem: bool
    free: int


@dataclass(frozen=True, slots=True)
class UnitReport:
    """One unit of the lab on a machine; `since` is unix time (s) on our clock, 0 if nobody knows.

    `spec` is the line that its file holds (JSON), `active` systemd's word, `exit` how it ended last, in words ("" if it
    runs or never ran), `enabled` whether it comes back with its machine.
    """

    name: str
    spec: str
    state: UnitState
    active: str
    pid: int
    paused: bool
    since: float
    exit: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class UnitsReport:
    """All units of the lab on a machine, by name; the very same object as before where nothing changed."""

    units: Mapping[str, UnitReport]


class _Unit(msgspec.Struct):
    name: str
    spec: str
    active: str
    ended_well: bool
    pid: int
    paused: bool
    since: float
    exit: str
    enabled: bool


class _Units(msgspec.Struct):
    version: int
    units: list[_Unit] | None = None


class Agent:
    """The agent of one connection; once that is lost, everything raises LabError."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._machine = wire.machine
        self._units_decoder = msgspec.json.Decoder(_Units)
        self._offset = 0.0
        self._seen = 0
        self._report = UnitsReport({})

    @property
    def machine(self) -> str:
        """The machine's name."""
        return self._machine

    @property
    def offset(self) -> float:
        """By how much the machine's clock is ahead of ours (s), as last measured."""
        return self._offset

    async def exec(
        self,
        *argv: str,
        input: bytes = b"",
        environment: Mapping[str, str] | None = None,
        within: float = 30.0,
    ) -> Done:
        """Run a short command as root, without a shell, and return what it printed.

        Raises LabError if it can't be started, does not end `within` seconds (then it is ended), prints more than
        16 MiB, or if contact is lost.
        """
        opened = self._open_run(argv, environment, "", input)
        printed: dict[str, list[bytes]] = {"out": [], "err": []}
        size = 0
        try:
            async with asyncio.timeout(within):
                async for name, data in opened.pieces:
                    printed[name].append(data)
                    size += len(data)
                    if size > _MOST:
                        raise LabError(f"{argv[0]} on {self._machine} prints more than {_MOST // 2**20} MiB")
                code = await asyncio.shield(opened.pieces.ended)
        except TimeoutError:
            raise LabError(f"{argv[0]} on {self._machine} did not end within {within:g} s") from None
        finally:
            if not opened.pieces.ended.done():
                opened.close()
        out, err = (b"".join(printed[name]).decode(errors="replace") for name in ("out", "err"))
        return Done(code, out, err)

    async def run(self, argv: Sequence[str], environment: Mapping[str, str] | None, directory: str) -> RemoteRun:
        """Start a command in a process group of its own, without a shell or an input, with exactly that environment.

        Without one, it has that of the agent. Raises LabError if it can't be started.
        """
        opened = self._open_run(argv, environment, directory, b"")
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await asyncio.shield(opened.began)
        except TimeoutError:
            raise LabError(f"{argv[0]} did not start on {self._machine} within {ANSWER_WITHIN:g} s") from None
        finally:
            if not opened.began.done():
                opened.close()
        return RemoteRun(opened.pieces, opened.close)

    async def lines(self, argv: Sequence[str]) -> AsyncIterator[str]:
        """The lines that a command prints on stdout, until it ends; it is ended when the iterator is closed.

        Raises LabError if it can't be started, or if contact is lost.
        """
        run = await self.run(argv, None, "/")
        try:
            async for line in run:
                if line.stream == "out":
                    yield line.text
        finally:
            await run.kill()

    async def put(self, path: str, content: bytes, mode: int = 0o600) -> None:
        """Write a file, whole or not at all; its parents are made, 0700. Raises LabError.

        Relative paths lie below /var/lib/rwk, here and below.
        """
        key = self._wire.new_id()
        try:
            for at in range(0, len(content) or 1, _PIECE):
                data = base64.b64encode(content[at : at + _PIECE]).decode()
                last = at + _PIECE >= len(content)
                message = {"do": "put", "key": key, "path": path, "mode": mode, "data": data, "last": last}
                await self._wire.ask(message, f"can't write {path}")
        except BaseException:
            self._wire.tell({"id": self._wire.new_id(), "do": "drop", "key": key})
            raise

    async def get(self, path: str) -> bytes:
        """Read a file. Raises LabError."""
        opened = self._wire.open({"do": "get", "path": path}, f"can't read {path}")
        try:
            return b"".join([data async for _, data in opened.pieces])
        finally:
            if not opened.pieces.ended.done():
                opened.close()

    async def remove(self, path: str) -> None:
        """Remove a file, or a directory with all it holds; harmless if it is gone.

        Raises LabError, also if it does not lie below /var/lib/rwk.
        """
        await self._wire.ask({"do": "remove", "path": path}, f"can't remove {path}")

    async def units(
        self, told: Collection[str] = (), held: Collection[str] = (), *, fresh: bool = False
    ) -> UnitsReport:
        """How the units stand now. Raises LabError.

        Of a traced process nobody can see whether it is frozen: it counts as such if it was `told` to be. For those
        that are `held` back by a tracer, as a slow disk does it, only that counts. With `fresh`, systemd is asked about
        all of them; it is asked anyway after a `systemctl` that ran here, and about what has visibly changed.
        """
        message = {"do": "units", "told": list(told), "held": list(held), "seen": self._seen, "fresh": fresh}
        answer = self._units_decoder.decode(await self._wire.ask(message, "can't tell its units"))
        if answer.units is not None:
            self._seen = answer.version
            self._report = UnitsReport({unit.name: self._unit(unit) for unit in answer.units})
        return self._report

    async def facts(self) -> Facts:
        """What the machine is and has; takes up to some seconds. Raises LabError."""
        return msgspec.json.decode(
            await self._wire.ask({"do": "facts"}, "can't tell what it has", within=120.0), type=Facts
        )

    async def instead(self, within: float) -> Sequence[str] | None:
        """The addresses that the machine has in place of that which it was said to have, if it lacks that for so long.

        None if it has it, or was said to have none. Raises LabError.
        """
        message = {"do": "address", "within": within}
        answer = await self._wire.ask(message, "can't tell its addresses", within=within + ANSWER_WITHIN)
        return msgspec.json.decode(answer, type=list[str] | None)

    async def ping(self, within: float = 10.0) -> float:
        """Measure how long an answer takes (s), and the offset of the machine's clock. Raises LabError."""
        asked = time.time()
        now = msgspec.json.decode(await self._wire.ask({"do": "ping"}, "does not answer", within=within), type=float)
        took = time.time() - asked
        self._offset = now - asked - took / 2
        return took

    def _unit(self, unit: _Unit) -> UnitReport:
        state: UnitState
        if unit.pid:  # before that, systemd waits for its address, and nobody could tell one process from the next
            state = "paused" if unit.paused else "running"
        elif unit.active == "failed" and not unit.ended_well:
            state = "failed"
        else:
            state = "stopped"
        since = unit.since and unit.since - self._offset
        return UnitReport(
            unit.name, unit.spec, state, unit.active, unit.pid, unit.paused, since, unit.exit, unit.enabled
        )

    def _open_run(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str] | None,
        directory: str,
        content: bytes,
    ) -> Open:
        message: dict[str, object] = {
            "do": "run",
            "argv": list(argv),
            "environment": None if environment is None else dict(environment),
            "directory": directory,
            "input": base64.b64encode(content).decode() if content else None,
        }
        return self._wire.open(message, f"can't run {argv[0]}")
