"""The plain values that a lab is spoken to in: how a unit is to run, how things stand, what a command printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rwk_tui.board.rows import Power, UnitState


@dataclass(frozen=True, slots=True)
class Listen:
    """A port that a unit listens on: `public` ones are open to other machines, the rest stay on its localhost.

    With `bound`, the unit listens at the one address that `Machine.bind` gives, because it can't listen on several.
    """

    port: int
    public: bool
    bound: bool = False


@dataclass(frozen=True, slots=True)
class UnitSpec:
    """How a unit is to run: a program by name with arguments and environment, and the ports it listens on.

    A machine that halts ends it before the units that it is `after`, whose clients it is.
    """

    name: str
    argv: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    listens: tuple[Listen, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitStatus:
    """A unit as it stands; `since` is unix time (s), `exit` says in words how it ended last ("" if it has not)."""

    state: UnitState
    pid: int = 0
    since: float = 0.0
    exit: str = ""
    spec: UnitSpec | None = None


@dataclass(frozen=True, slots=True)
class MachineStatus:
    """A machine as it stands, with its units by name; `seen` is False where it could not be asked, and `why` says why.

    `runtime` is the container runtime that it has, such as "containerd 1.6.20", "" if there is none.
    """

    power: Power
    since: float
    address: str
    units: Mapping[str, UnitStatus] = field(default_factory=dict)
    seen: bool = True
    why: str = ""
    runtime: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line that a command printed."""

    stream: Literal["out", "err"]
    text: str


@dataclass(frozen=True, slots=True)
class Terminal:
    """What to run at the presenter's terminal for a shell on a machine, as one client of the daemon may be told it.

    `environment` is all that it gets but for what describes the terminal itself; "" as `directory` is any.
    """

    argv: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    directory: str = ""
