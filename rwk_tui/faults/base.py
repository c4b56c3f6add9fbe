"""What a fault is: a pair of inject and heal, with what it can be aimed at, what shows it, and what must hold.

A target is one machine ("core-01"), a unit on it ("core-01/etcd"), a direction ("core-01>core-02"), several machines
("core-01+core-02"), groups that are apart ("core-01|core-02+core-03"), or all of them ("all").
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import Domain
from rwk_tui.board.rows import FaultRow
from rwk_tui.board.targets import target_machines
from rwk_tui.faults.ground import Ground
from rwk_tui.lab.protocol import LabError
from rwk_tui.watch.kube.refusals import KubeError
from rwk_tui.watch.refusals import EtcdError

Stage = Literal["etcd", "secured", "kubernetes"]
"""The lab in which a fault is best shown: three members, the same with certificates, or with Kubernetes on top."""


class FaultRefused(Exception):
    """A fault that can't be injected, in one line."""


class NothingToHeal(LabError):
    """What was broken is gone or was mended by other means, in one line."""


Unable = (LabError, EtcdError, KubeError, TimeoutError, OSError)
"""What acting on the lab, or looking at it, may raise while it is broken."""


@dataclass(frozen=True, slots=True)
class Case:
    """One fault that is injected into one target; `at` is when that began (unix, s)."""

    id: str
    target: str
    ground: Ground
    at: float


@dataclass(frozen=True, slots=True)
class Sight:
    """What a probe sees of a fault, in words; `evidence` are lines for its card."""

    words: str
    evidence: tuple[str, ...] = ()


class Fault(ABC):
    """One way in which a lab can break. What it is called and told is on the class; it has no state of its own."""

    name: ClassVar[str]
    domain: ClassVar[Domain]
    title: ClassVar[str]
    explain: ClassVar[str]
    look: ClassVar[str]
    """What to look at while it lasts."""
    must: ClassVar[str]
    """What must hold all the same."""
    stage: ClassVar[Stage] = "etcd"
    healable: ClassVar[bool] = True
    confirm: ClassVar[bool] = False
    """Whether the presenter must type the machines' names, because something on their disks is destroyed."""
    volatile: ClassVar[bool] = False
    """Whether it is gone when the daemon is, so that a lab that goes on must be hit again."""
    loses: ClassVar[bool] = False
    """Whether its healing goes back to an older state, so that what is lost is counted and no violation."""
    shows_within: ClassVar[float] = 15.0
    """Seconds in which a probe must have seen it."""
    well_within: ClassVar[float] = 40.0
    """Seconds after its healing in which all must be well."""

    def why_not(self, ground: Ground) -> str:
        """Why this platform or these privileges can't do it, in one line; "" if they can."""
        return ""

    @abstractmethod
    def targets(self, board: Board) -> tuple[str, ...]:
        """What it can be aimed at now, without the alias "leader"."""

    def of_leader(self, machine: str) -> str:
        """The target that the alias "leader" stands for, when that machine leads; "" where the alias makes no sense."""
        return ""

    @abstractmethod
    def done(self, target: str) -> str:
        """What was done, in words: "core-01 lost its power"."""

    @abstractmethod
    def undone(self, target: str) -> str:
        """What healing does, in words: "core-01 is switched on"."""

    def seen(self, target: str) -> tuple[tuple[str, str], ...]:
        """The rows and states in which the probes will see the fault itself, so that they are told only once."""
        return ()

    def seen_healed(self, target: str) -> tuple[tuple[str, str], ...]:
        """The rows and states in which the probes will see the healing itself."""
        return ()

    @abstractmethod
    async def inject(self, case: Case) -> None:
        """Break it. Raises LabError."""

    async def keep_up(self, case: Case) -> None:
        """What must go on for as long as the fault lasts, such as ending a program again and again; may just return."""
        return

    @abstractmethod
    async def shows(self, case: Case) -> Sight | None:
        """What a probe sees of it now, None while nothing. Raises LabError or EtcdError where nobody answers."""

    @abstractmethod
    async def heal(self, case: Case, others: tuple[FaultRow, ...]) -> None:
        """Mend it, as far as it is still broken; `others` are the faults that stay.

        Raises NothingToHeal where it is broken no more, and LabError where it can't be mended now and may be later.
        """

    @abstractmethod
    def holds(self, board: Board, target: str) -> bool:
        """Whether the target is well again."""

    def persists(self, board: Board, target: str) -> bool:
        """Whether the fault is still there when an earlier run's lab goes on."""
        return True

    def is_over(self, board: Board, target: str, since: float) -> bool:
        """Whether it was seen after `since` (unix, s) that somebody mended it by other means than healing."""
        return False


def machine_of(target: str) -> str:
    """The first machine that a target lies on; "" for all of them."""
    return next(iter(target_machines(target)), "")


def unit_of(target: str) -> str:
    """The unit of a target, "" where it is a whole machine."""
    return target.partition("/")[2]
