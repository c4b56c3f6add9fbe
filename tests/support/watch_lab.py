"""A lab that only pretends: machines, units and links whose state a test sets by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rwk_tui.lab.protocol import (
    Ability,
    LabError,
    MachineStatus,
    MachineVerb,
    Narrator,
    Run,
    Terminal,
    UnitSpec,
    UnitStatus,
    UnitVerb,
)

NAMES = ("core-01", "core-02", "core-03")


@dataclass
class FakeUnit:
    """A unit whose verbs only change its state; `done` notes them."""

    name: str
    machine: FakeMachine

    async def _become(self, verb: str, status: UnitStatus) -> None:
        self.machine.done.append(f"{verb} {self.machine.name}/{self.name}")
        if self.machine.fails:
            raise LabError(self.machine.fails)
        self.machine.units[self.name] = status

    async def configure(self, spec: UnitSpec) -> None:
        self.machine.units[self.name] = UnitStatus("stopped", spec=spec)

    async def start(self) -> None:
        if self.name not in self.machine.units:
            raise LabError(f"{self.name} is not set up on {self.machine.name}")
        await self._become("start", UnitStatus("running", pid=7))

    async def stop(self) -> None:
        await self._become("stop", UnitStatus("stopped"))

    async def restart(self) -> None:
        await self._become("restart", UnitStatus("running", pid=8))

    async def kill(self) -> None:
        await self._become("kill", UnitStatus("failed", exit="killed by SIGKILL"))

    async def pause(self) -> None:
        await self._become("pause", UnitStatus("paused", pid=7))

    async def resume(self) -> None:
        await self._become("resume", UnitStatus("running", pid=7))

    async def slow_disk(self, milliseconds: float) -> None:
        self.machine.done.append(f"slow disk {milliseconds:g} {self.machine.name}/{self.name}")
        if self.machine.fails:
            raise LabError(self.machine.fails)
        self.machine.slow_disks[self.name] = milliseconds

    async def status(self) -> UnitStatus:
        return self.machine.units.get(self.name, UnitStatus("stopped"))

    async def log(self, *, lines: int = 200, follow: bool = False) -> AsyncIterator[str]:
        for line in self.machine.logs.get(self.name, [])[-lines:]:
            yield line

    def show(self, verb: UnitVerb) -> str:
        return f"{verb} {self.name}"

    def show_spec(self, verb: UnitVerb, spec: UnitSpec) -> str:
        return f"{verb} {spec.name}"


@dataclass
class FakeDesk:
    """The presenter's own computer, which runs nothing; `profile` is what it was given."""

    name: str = "presenter"
    profile: dict[str, str] = field(default_factory=dict)
    kept: dict[str, bytes] = field(default_factory=dict)

    async def run(self, argv: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Run:
        raise LabError("a pretended desk runs nothing")

    async def put(self, path: str, content: bytes, mode: int = 0o600) -> None:
        self.kept[path] = content

    def show_run(self, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
        return " ".join(argv)

    async def set_profile(self, variables: Mapping[str, str]) -> None:
        self.profile = dict(variables)


@dataclass
class FakeMachine:
    """A machine; a test sets `now` (its status) and `units`, reads `done`, and makes verbs fail with `fails`.

    `slow_disks` holds by how much (ms) the syncs of a unit are held back.
    """

    name: str
    address: str
    now: MachineStatus = field(default_factory=lambda: MachineStatus("up", 0.0, ""))
    units: dict[str, UnitStatus] = field(default_factory=dict)
    logs: dict[str, list[str]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    fails: str = ""
    data: str = "/nowhere"
    profile: dict[str, str] = field(default_factory=dict)
    slow_disks: dict[str, float] = field(default_factory=dict)

    @property
    def advertised(self) -> str:
        return f"192.0.2.{100 + int(self.name[-2:])}"

    async def _become(self, verb: str, status: MachineStatus) -> None:
        self.done.append(f"{verb} {self.name}")
        if self.fails:
            raise LabError(self.fails)
        self.now = status

    async def start(self) -> None:
        await self._become("start", replace(self.now, power="up"))

    async def stop(self) -> None:
        await self._become("stop", replace(self.now, power="halted"))

    async def kill(self) -> None:
        await self._become("kill", replace(self.now, power="off"))

    async def destroy(self) -> None:
        await self._become("destroy", replace(self.now, power="gone"))
        self.units.clear()

    async def status(self) -> MachineStatus:
        return replace(self.now, address=self.address, units=dict(self.units))

    async def run(self, argv: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Run:
        raise LabError("a pretended machine runs nothing")

    async def terminal(self, *, environment: Mapping[str, str] | None = None) -> Terminal:
        raise LabError("a pretended machine has no shell")

    async def set_profile(self, variables: Mapping[str, str]) -> None:
        self.profile = dict(variables)

    async def put(self, path: str, content: bytes, mode: int = 0o600) -> None:
        raise LabError("a pretended machine has no disk")

    async def get(self, path: str) -> bytes:
        raise LabError("a pretended machine has no disk")

    def unit(self, name: str) -> FakeUnit:
        return FakeUnit(name, self)

    def url(self, port: int, *, scheme: str = "http") -> str:
        return f"{scheme}://{self.address}:{port}"

    def listen_urls(self, port: int, *, public: bool, scheme: str = "http") -> tuple[str, ...]:
        return (self.url(port, scheme=scheme),)

    def bind(self, port: int, *, public: bool) -> tuple[str, int]:
        return self.address, port

    def any_url(self, port: int, *, scheme: str = "http") -> str:
        return f"{scheme}://any.{self.name}:{port}"

    async def reach(self, port: int) -> tuple[str, int]:
        if self.now.power != "up":
            raise LabError(f"{self.name} is {self.now.power}")
        return self.address, port

    def show(self, verb: MachineVerb) -> str:
        return f"{verb} {self.name}"

    def show_run(self, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
        return " ".join(argv)


@dataclass
class FakeLink:
    """A link that remembers what was done to it; `done` notes it, and `fails` makes it lose no packets."""

    source: str
    target: str
    is_cut: bool = False
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0
    done: list[str] = field(default_factory=list)
    fails: str = ""

    def _note(self, verb: str) -> None:
        self.done.append(f"{verb} {self.source}>{self.target}")

    async def cut(self) -> None:
        self._note("cut")
        self.is_cut = True

    async def delay(self, milliseconds: float, jitter: float = 0.0) -> None:
        self._note(f"delay {milliseconds:g}±{jitter:g}")
        if not 0 <= jitter <= milliseconds:
            raise LabError(f"{milliseconds:g}±{jitter:g} ms is no delay")
        self.delay_ms, self.jitter_ms = milliseconds, jitter

    async def lose(self, share: float) -> None:
        self._note(f"lose {share:g}")
        if self.fails:
            raise LabError(self.fails)
        self.loss = share

    async def reset(self) -> None:
        self._note("reset")

    async def heal(self) -> None:
        self._note("heal")
        self.is_cut, self.delay_ms, self.jitter_ms, self.loss = False, 0.0, 0.0, 0.0


class FakeLab:
    """Three machines, all links open; `steered` holds what was said of balanced ports, `programs` what it was given.

    `missing` says of abilities why it lacks them.
    """

    def __init__(self) -> None:
        self.backend = "pretended"
        self.slack = 1.0
        self.outlives = False
        self.backups = "/nowhere"
        self.seat = FakeDesk()
        self.fakes = {name: FakeMachine(name, f"10.0.0.{number}") for number, name in enumerate(NAMES, 1)}
        self.steered: dict[int, tuple[str, ...]] = {}
        self.programs: dict[str, Path] = {}
        self.missing: dict[Ability, str] = {}
        self.wires = [FakeLink(one, two) for one in NAMES for two in NAMES if one != two]

    @property
    def machines(self) -> Mapping[str, FakeMachine]:
        return self.fakes

    @property
    def desk(self) -> FakeDesk:
        return self.seat

    def any_address(self, port: int) -> tuple[str, int]:
        return "any", port

    def steer(self, port: int, ready: Sequence[str]) -> None:
        self.steered[port] = tuple(ready)

    def provide(self, programs: Mapping[str, Path]) -> None:
        self.programs = dict(programs)

    @property
    def links(self) -> Sequence[FakeLink]:
        return self.wires

    def link(self, source: str, target: str) -> FakeLink:
        return next(wire for wire in self.wires if (wire.source, wire.target) == (source, target))

    def lacks(self, ability: Ability) -> str:
        return self.missing.get(ability, "")

    async def up(self) -> None:
        return None

    async def down(self) -> None:
        return None

    async def leave(self) -> None:
        return None

    def narrate(self, tell: Narrator, complain: Narrator) -> None:
        return None

    async def reset(self) -> None:
        return None

    async def left_behind(self) -> str:
        return ""
