"""The heavy parts of the daemon, as the light ones see them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import FaultRow
from rwk_tui.daemon.record import Record
from rwk_tui.lab.protocol import Lab
from rwk_tui.settings import Settings


class Canary(Protocol):
    """The client that keeps writing."""

    def new_epoch(self, why: str) -> None: ...


class Watcher(Protocol):
    """What watches the lab."""

    @property
    def canary(self) -> Canary: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def alert(self, seconds: float = 10.0) -> None: ...

    def refresh(self) -> None: ...

    def subscribe(self, listener: Callable[[], None]) -> None: ...


class Faults(Protocol):
    """The catalogue of faults."""

    def kinds(self) -> None: ...

    async def inject(self, fault: str, target: str, confirm: str = "") -> Any: ...

    async def heal(self, id: str = "") -> Any: ...

    async def restore(self, rows: Iterable[FaultRow]) -> None: ...

    def forget(self) -> None: ...

    async def close(self) -> None: ...


class Director(Protocol):
    """What tells the story; each method starts its work and returns once that is accepted."""

    @property
    def busy(self) -> bool: ...

    async def open(self, chapter: str, step: int = 0) -> None: ...

    async def next(self) -> None: ...

    async def back(self) -> None: ...

    async def repeat(self) -> None: ...

    async def skip(self) -> None: ...

    async def cancel(self) -> None: ...

    async def settled(self) -> None: ...

    async def close(self) -> None: ...


class Site(Protocol):
    """How things are set up on the machines."""

    async def look(self) -> None: ...

    def is_secured(self, machine: str) -> bool: ...

    def variables(self) -> dict[str, str]: ...


class Engines(Protocol):
    """What can be run: one line for people, and the directories of the programs."""

    @property
    def words(self) -> str: ...

    @property
    def path(self) -> tuple[str, ...]: ...

    def subscribe(self, listener: Callable[[], None]) -> None: ...


class Installs(Protocol):
    """What gets engines in the background."""

    def begin(self, names: Sequence[str], *, more: bool = False) -> None: ...

    def stop(self) -> None: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that does the work.

    `refusals` are the exceptions whose text is the answer to a command. `resume` opens a chapter at a step without
    preparing the lab to it, None where the director can't.
    """

    lab: Lab
    watcher: Watcher
    faults: Faults
    director: Director
    site: Site
    engines: Engines
    installs: Installs
    refusals: tuple[type[Exception], ...]
    resume: Callable[[str, int], Awaitable[None]] | None = None


Compose = Callable[[Settings, Hub, Record], Awaitable[Parts]]
"""Finds the engines and makes the parts; starts nothing. Raises what its caller says in one line."""
