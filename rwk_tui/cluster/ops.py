"""Operations: one thing done to the lab, with the line that a person would type for it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from rwk_tui.lab.protocol import Machine, MachineVerb, Place, Run, UnitSpec, UnitVerb

Stream = Literal["out", "err", "note"]
Tell = Callable[[Stream, str], None]
"""Where an operation says what it prints (out, err) and what it thinks (note), line by line."""


NO_ANSWER = ("took too long", "deadline exceeded", "timed out")
"""What etcdctl says when its five seconds or etcd's own patience are over: whether it was done is unknown then."""
LINES_KEPT = 5000
"""Lines of each stream that a result holds, the newest ones: a command may run and print for a whole talk."""


@dataclass(frozen=True, slots=True)
class OpResult:
    """How an operation ended; only commands have anything but exit code 0. `stdout` and `stderr` are their ends."""

    exit_code: int = 0
    stdout: str = ""
    stderr: str = ""


class Op(Protocol):
    """One thing done to the lab."""

    @property
    def machine(self) -> str:
        """The name of the machine it is done on."""

    async def resolve(self) -> None:
        """Look up what the command still misses, such as a member's ID; `command` is exact afterwards."""

    def command(self) -> str:
        """What a person would type on this backend; it may be wrapped over several lines, and "" means nothing."""

    async def run(self, tell: Tell) -> OpResult:
        """Do it. Raises LabError where the lab refuses; a command that fails only has an exit code."""


@dataclass(frozen=True, slots=True)
class RunOp:
    """Run a command on a machine or at the presenter's desk, without a shell."""

    on: Place
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def machine(self) -> str:
        return self.on.name

    async def resolve(self) -> None:
        return None

    def command(self) -> str:
        return self.on.show_run(self.argv, self.environment or None)

    async def run(self, tell: Tell) -> OpResult:
        return await self.follow(await self.begin(), tell)

    async def begin(self) -> Run:
        """Start the command; whoever does that must follow it. Raises LabError if it can't be started."""
        return await self.on.run(self.argv, environment=self.environment or None)

    async def follow(self, running: Run, tell: Tell) -> OpResult:
        """Tell each line as it comes; when this is cancelled, the command ends with its children."""
        lines: dict[str, deque[str]] = {"out": deque(maxlen=LINES_KEPT), "err": deque(maxlen=LINES_KEPT)}
        try:
            async for line in running:
                lines[line.stream].append(line.text)
                tell(line.stream, line.text)
            code = await running.wait()
        except BaseException:
            await asyncio.shield(running.kill())
            raise
        return OpResult(code, "\n".join(lines["out"]), "\n".join(lines["err"]))


@dataclass(frozen=True, slots=True)
class UnitOp:
    """Do something to a unit, after configuring it where a spec is given."""

    on: Machine
    unit: str
    verb: UnitVerb
    spec: UnitSpec | None = None

    @property
    def machine(self) -> str:
        return self.on.name

    async def resolve(self) -> None:
        return None

    def command(self) -> str:
        unit = self.on.unit(self.unit)
        return unit.show(self.verb) if self.spec is None else unit.show_spec(self.verb, self.spec)

    async def run(self, tell: Tell) -> OpResult:
        unit = self.on.unit(self.unit)
        if self.spec is not None:
            await unit.configure(self.spec)
        match self.verb:
            case "start":
                await unit.start()
            case "stop":
                await unit.stop()
            case "restart":
                await unit.restart()
            case "kill":
                await unit.kill()
            case "pause":
                await unit.pause()
            case "resume":
                await unit.resume()
        return OpResult()


@dataclass(frozen=True, slots=True)
class MachineOp:
    """Switch a machine."""

    on: Machine
    verb: MachineVerb

    @property
    def machine(self) -> str:
        return self.on.name

    async def resolve(self) -> None:
        return None

    def command(self) -> str:
        return self.on.show(self.verb)

    async def run(self, tell: Tell) -> OpResult:
        match self.verb:
            case "start":
                await self.on.start()
            case "stop":
                await self.on.stop()
            case "kill":
                await self.on.kill()
            case "destroy":
                await self.on.destroy()
        return OpResult()


def _hold(lines: list[tuple[Stream, str]]) -> Tell:
    return lambda stream, text: lines.append((stream, text))


@dataclass(frozen=True, slots=True)
class Around:
    """An operation that does another one, `op`, in a way of its own."""

    op: Op

    @property
    def machine(self) -> str:
        return self.op.machine

    async def resolve(self) -> None:
        await self.op.resolve()

    def command(self) -> str:
        return self.op.command()


@dataclass(frozen=True, slots=True)
class Retry(Around):
    """Do an operation again for as long as it is refused for one of the `refusals`, at most `deadline` seconds.

    Only definite refusals belong in there: an operation whose outcome is unknown must not be done twice.
    """

    refusals: tuple[str, ...]
    deadline: float
    pause: float = 0.5

    async def run(self, tell: Tell) -> OpResult:
        started = time.monotonic()
        refused = False
        while True:
            held: list[tuple[Stream, str]] = []
            result = await self.op.run(_hold(held))
            refusal = next((words for words in self.refusals if words in result.stderr), "")
            waited = time.monotonic() - started
            if result.exit_code == 0 or not refusal or waited >= self.deadline:
                if refused:
                    tell("note", f"asked again for {waited:.1f} s")
                for stream, text in held:
                    tell(stream, text)
                return result
            if not refused:
                tell("note", f'"{refusal}": asking again for up to {self.deadline:g} s')
            refused = True
            await asyncio.sleep(self.pause)


@dataclass(frozen=True, slots=True)
class Together:
    """Do several operations at once, each `apart` seconds after the one before; all end before this one does.

    The first begins after `pause` seconds.
    """

    ops: tuple[Op, ...]
    apart: float = 0.0
    pause: float = 0.0

    @property
    def machine(self) -> str:
        return self.ops[0].machine if len(self.ops) == 1 else ""

    async def resolve(self) -> None:
        for op in self.ops:
            await op.resolve()

    def command(self) -> str:
        return "\n".join(op.command() for op in self.ops)

    async def run(self, tell: Tell) -> OpResult:
        runs = (self._after(self.pause + number * self.apart, op, tell) for number, op in enumerate(self.ops))
        results = await asyncio.gather(*runs, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        done = [result for result in results if isinstance(result, OpResult)]
        worst = max((result.exit_code for result in done), default=0)
        return OpResult(worst, "\n".join(r.stdout for r in done), "\n".join(r.stderr for r in done))

    @staticmethod
    async def _after(seconds: float, op: Op, tell: Tell) -> OpResult:
        await asyncio.sleep(seconds)
        return await op.run(tell)


def commands_of(op: Op) -> tuple[str, ...]:
    """Each command that an operation stands for, known before it runs."""
    match op:
        case Together(ops=ops):
            return tuple(command for inner in ops for command in commands_of(inner))
        case Retry(inner):
            return commands_of(inner)
    return tuple(filter(None, [op.command()]))


async def ask(machine: Machine, argv: Sequence[str], *, within: float = 10.0) -> OpResult:
    """Run a command on a machine without telling anyone, to find something out; TimeoutError after `within` s."""
    async with asyncio.timeout(within):
        return await RunOp(machine, tuple(argv)).run(lambda _stream, _text: None)
