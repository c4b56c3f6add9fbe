"""A daemon in the test's own process, with parts that only write down what they were asked."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from rwk_tui.board.frames import Story
from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import FaultRow
from rwk_tui.daemon.parts import Compose, Parts
from rwk_tui.daemon.places import make_state
from rwk_tui.daemon.record import Record
from rwk_tui.daemon.service import Service
from rwk_tui.lab.protocol import Lab, LabError, MachineDown, Narrator, Terminal
from rwk_tui.settings import Settings, load_settings


class FakeRefusal(Exception):
    """What a fake part refuses with."""


@dataclass
class FakeUnit:
    name: str
    lines: tuple[str, ...] = ("one", "two")
    machine: str = ""
    killed: list[str] = field(default_factory=list)

    async def kill(self) -> None:
        if self.machine == "core-02":
            raise LabError("core-02 is down")
        self.killed.append(f"{self.machine}/{self.name}")

    async def log(self, *, lines: int = 200, follow: bool = False) -> AsyncIterator[str]:
        for line in self.lines[-lines:]:
            yield line
        if follow:
            await asyncio.Event().wait()


@dataclass
class FakeMachine:
    name: str
    done: list[str]
    log: tuple[str, ...] = ("one", "two")
    killed: list[str] = field(default_factory=list)
    shell: tuple[str, ...] = ()

    async def reach(self, port: int) -> tuple[str, int]:
        return f"{self.name}.test", port

    def unit(self, name: str) -> FakeUnit:
        return FakeUnit(name, self.log, self.name, self.killed)

    def listen_urls(self, port: int, *, public: bool, scheme: str = "http") -> tuple[str, ...]:
        return (f"{scheme}://localhost:{port}",)

    async def terminal(self, *, environment: Mapping[str, str]) -> Terminal:
        if self.name == "core-02":
            raise MachineDown("core-02 is off,\nnothing runs there")
        return Terminal(
            self.shell or ("/bin/sh", "-c", f"echo {self.name}"), (("WORD", "x"), *environment.items()), "/"
        )

    async def start(self) -> None:
        self.done.append(f"start {self.name}")

    async def stop(self) -> None:
        self.done.append(f"stop {self.name}")

    async def kill(self) -> None:
        self.done.append(f"kill {self.name}")

    async def destroy(self) -> None:
        self.done.append(f"destroy {self.name}")


@dataclass
class FakeWorld:
    """All fake parts in one, and `done`, what they were asked in order; `broken` fails when the lab is to come up."""

    left: str = ""
    broken: str = ""
    done: list[str] = field(default_factory=list)
    hub: Hub = field(default_factory=Hub)
    record: Record | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    busy: bool = False
    restored: tuple[FaultRow, ...] = ()
    slack: float = 1.0
    outlives: bool = False
    stuck: str = ""
    """Why it can't be halted."""
    says: str = ""
    """What the backend says while it comes up."""
    secured: set[str] = field(default_factory=set)
    own: dict[str, str] | Exception = field(default_factory=dict)
    profiles: list[dict[str, str]] = field(default_factory=list)
    looked: int = 0
    killed_before: list[str] = field(default_factory=list)
    listeners: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engines = FakeEngines(self)
        self.machines = {name: FakeMachine(name, self.done) for name in ("core-01", "core-02", "core-03")}

    @property
    def canary(self) -> FakeWorld:
        return self

    def new_epoch(self, why: str) -> None:
        self.done.append(f"epoch {why}")

    # the lab
    async def left_behind(self) -> str:
        return self.left

    async def leave(self) -> None:
        self.done.append("leave")

    def narrate(self, tell: Narrator, complain: Narrator) -> None:
        self.narrator, self.complainer = tell, complain

    async def up(self) -> None:
        if self.broken:
            raise LabError(self.broken)
        if self.says:
            self.narrator("core-01", self.says)
            await self.gate.wait()
        self.done.append("up")

    async def down(self) -> None:
        if self.stuck:
            raise LabError(self.stuck)
        self.killed_before = [unit for machine in self.machines.values() for unit in machine.killed]
        self.done.append("down")

    async def reset(self) -> None:
        self.done.append("reset")

    @property
    def desk(self) -> FakeWorld:
        return self

    async def set_profile(self, variables: Mapping[str, str]) -> None:
        self.profiles.append(dict(variables))

    # how things are set up
    async def look(self) -> None:
        self.looked += 1

    def is_secured(self, machine: str) -> bool:
        return machine in self.secured

    def variables(self) -> dict[str, str]:
        if isinstance(self.own, Exception):
            raise self.own
        return self.own

    # the watcher
    def subscribe(self, listener: Callable[[], None]) -> None:
        self.listeners.append(listener)

    def moved(self) -> None:
        """A state on the board changed."""
        for listener in self.listeners:
            listener()

    def alert(self, seconds: float = 10.0) -> None: ...

    def refresh(self) -> None: ...

    # the faults
    def kinds(self) -> None: ...

    def forget(self) -> None:
        self.done.append("forget")

    async def inject(self, fault: str, target: str, confirm: str = "") -> None:
        if fault == "slow":
            await self.gate.wait()
        if fault == "nonsense":
            raise FakeRefusal("there is no\nsuch fault")
        if fault == "bug":
            raise KeyError("oops")
        self.done.append(f"inject {fault} {target}")

    async def heal(self, id: str = "") -> None:
        self.done.append(f"heal {id}")

    async def restore(self, rows: Iterable[FaultRow]) -> None:
        self.restored = tuple(rows)

    # the director
    async def open(self, chapter: str, step: int = 0) -> None:
        self.done.append(f"open {chapter} {step}")
        assert self.record is not None
        self.record.story(chapter, step)
        self.hub.story(Story(chapter=chapter, step=step, busy="preparing"))

    async def resume(self, chapter: str, step: int) -> None:
        if chapter == "gone":
            raise FakeRefusal("no chapter 'gone'")
        self.done.append(f"resume {chapter} {step}")

    async def next(self) -> None:
        self.done.append("next")
        self.hub.story(Story(chapter="x", busy="step 1"))

    async def cancel(self) -> None:
        self.done.append("cancel")

    async def settled(self) -> None: ...


@dataclass
class FakeEngines:
    """What can be run, and what gets more."""

    world: FakeWorld
    words: str = "etcd 0.0.0"
    path: tuple[str, ...] = ("/engines",)
    closed: bool = False
    listeners: list[Callable[[], None]] = field(default_factory=list)

    def subscribe(self, listener: Callable[[], None]) -> None:
        self.listeners.append(listener)

    def more(self, words: str) -> None:
        """Something else was found."""
        self.words = words
        for listener in self.listeners:
            listener()

    def begin(self, names: Sequence[str], *, more: bool = False) -> None:
        if "zookeeper" in names:
            raise FakeRefusal("there is no zookeeper")
        self.world.done.append(f"install {' '.join(names)}{', more to come' if more else ''}")

    def stop(self) -> None: ...

    async def close(self) -> None:
        self.closed = True


class _End:
    """The parts whose `close`, `start` and `stop` mean different things."""

    def __init__(self, world: FakeWorld, name: str) -> None:
        self._world, self._name = world, name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)

    async def close(self) -> None:
        self._world.done.append(f"close {self._name}")

    async def start(self) -> None:
        self._world.done.append("watch")

    async def stop(self) -> None:
        self._world.done.append("unwatch")


def fake_compose(world: FakeWorld) -> Compose:
    """Parts made of the fake world."""

    async def compose(settings: Settings, hub: Hub, record: Record) -> Parts:
        world.hub, world.record = hub, record
        return Parts(
            lab=cast("Lab", world),
            watcher=cast("Any", _End(world, "watcher")),
            faults=cast("Any", _End(world, "faults")),
            director=cast("Any", _End(world, "director")),
            site=world,
            engines=world.engines,
            installs=world.engines,
            refusals=(FakeRefusal, LabError),
            resume=world.resume,
        )

    return compose


@contextmanager
def short_directory() -> Iterator[Path]:
    """A directory whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="rwk-") as directory:
        yield Path(directory)


def make_settings(state: Path, **changes: Any) -> Settings:
    """Settings for a state directory, apart from the user's own environment."""
    return replace(load_settings({"state": str(state)}, environment={}, directory=state.parent), **changes)


async def _listens(settings: Settings) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(settings.socket)
    except OSError:
        return False
    writer.close()
    return True


@asynccontextmanager
async def serving(
    settings: Settings, world: FakeWorld, *, grace: float = 30.0, load: Callable[[], Compose] | None = None
) -> AsyncIterator[tuple[Service, asyncio.Task[int]]]:
    """A daemon that serves; it is ended on the way out."""
    make_state(settings)
    service = Service(settings, load or (lambda: fake_compose(world)), grace=grace)
    task = asyncio.create_task(service.run())
    # Nothing tells when a socket appears, so it is tried.
    while not task.done() and not await _listens(settings):  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    try:
        yield service, task
    finally:
        service.lifetime.end("the test is over")
        async with asyncio.timeout(10):
            await task
