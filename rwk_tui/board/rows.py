"""The rows of the board: one frozen fact each about one thing, with when it was last seen."""

from __future__ import annotations

from typing import ClassVar, Literal

from rwk_tui.board.card_row import CardRow
from rwk_tui.board.kube_rows import (
    ApiServerRow,
    DeploymentRow,
    EngineRow,
    KubeEventRow,
    KubeRow,
    LeaseRow,
    NodeRow,
    PodRow,
)
from rwk_tui.board.row import Row

__all__ = ["Row"]

Power = Literal["up", "starting", "stopping", "halted", "off", "gone"]
UnitState = Literal["running", "stopped", "failed", "paused"]
Role = Literal["leader", "follower", "learner", "unknown"]
Health = Literal["healthy", "no leader", "down", "unstarted"]
QuorumState = Literal["none", "healthy", "degraded", "lost"]
CanaryState = Literal["idle", "flowing", "failing", "stopped"]


class LabRow(Row, frozen=True, kw_only=True, eq=False, tag="lab"):
    """The lab as a whole: backend, what runs it, and whether it waits for a decision.

    `engines` is one line for people ("etcd 3.7.3"). `state` is "choose" when an earlier run left something on disk that
    the presenter must resume or reset; `left_behind` then says what. `reach` names, per machine, the endpoint at which
    the presenter's own tools find an etcd there, `path` the directories that hold the engines, and `variables` what
    those tools need in their environment to be let in (certificates, the kubeconfig). `outlives` says that its machines
    run on when its daemon ends; `doing` is what a slow backend said last while it works.
    """

    backend: str
    engines: str
    state: Literal["starting", "ready", "choose", "resetting", "ending"]
    left_behind: str = ""
    directory: str = ""
    reach: tuple[tuple[str, str], ...] = ()
    path: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    outlives: bool = False
    doing: str = ""

    @property
    def key(self) -> str:
        return "lab"


class MachineRow(Row, frozen=True, kw_only=True, eq=False, tag="machine"):
    """One machine: halted is a graceful stop, off is a power cut, gone means that its disk is gone too."""

    name: str
    power: Power
    address: str
    since: float

    @property
    def key(self) -> str:
        return f"machine/{self.name}"


class UnitRow(Row, frozen=True, kw_only=True, eq=False, tag="unit"):
    """One supervised program on a machine, with the environment and arguments it is configured with."""

    machine: str
    unit: str
    state: UnitState
    pid: int = 0
    since: float = 0.0
    exit: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    argv: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"unit/{self.machine}/{self.unit}"


class MemberRow(Row, frozen=True, kw_only=True, eq=False, tag="member"):
    """One etcd member as itself and its peers report it; sizes in bytes, latencies in ms, newest last.

    `lag` is the highest raft index seen on any member less this member's applied index.
    """

    id: str
    name: str
    machine: str
    role: Role
    health: Health
    since: float
    version: str = ""
    term: int = 0
    raft_index: int = 0
    applied_index: int = 0
    lag: int = 0
    db_size: int = 0
    latencies: tuple[float, ...] = ()
    alarms: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    peer_urls: tuple[str, ...] = ()
    client_urls: tuple[str, ...] = ()

    NUMBERS: ClassVar[frozenset[str]] = frozenset({"raft_index", "applied_index", "lag", "db_size", "latencies"})

    @property
    def key(self) -> str:
        return f"member/{self.id}"


class QuorumRow(Row, frozen=True, kw_only=True, eq=False, tag="quorum"):
    """The etcd cluster as a whole; `leader` is a machine's name, `needed` how many voters a majority takes."""

    state: QuorumState
    voters: int = 0
    learners: int = 0
    needed: int = 0
    reachable: int = 0
    leader: str = ""
    term: int = 0
    cluster_id: str = ""
    since: float = 0.0

    @property
    def key(self) -> str:
        return "quorum"


class LinkRow(Row, frozen=True, kw_only=True, eq=False, tag="link"):
    """The network path from one machine to another; `loss` is the share of packets that it loses, 0 to 1."""

    source: str
    target: str
    state: Literal["open", "cut"]
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0

    @property
    def key(self) -> str:
        return f"link/{self.source}/{self.target}"


class CanaryRow(Row, frozen=True, kw_only=True, eq=False, tag="canary"):
    """What one canary saw: counts of its epoch, and per second of the last minute how many writes were acknowledged.

    `history` holds up to 60 pairs (acknowledged, not acknowledged), oldest first. `gap_ms` is the outage that lasts or,
    when writes flow, the last one; `resolution_ms` is how finely a gap can be known. `lost` counts acknowledged writes
    that a check didn't find again, `gone` those that the last restore from a backup has lost, of `gone_of`. `known`
    says of which bug of the engine it is known that writes are lost, "" if of none.
    """

    name: str
    state: CanaryState
    epoch: int = 0
    rate: float = 0.0
    acknowledged: int = 0
    failed: int = 0
    unknown: int = 0
    lost: int = 0
    known: str = ""
    gone: int = 0
    gone_of: int = 0
    gap_ms: float = 0.0
    resolution_ms: float = 0.0
    history: tuple[tuple[int, int], ...] = ()

    NUMBERS: ClassVar[frozenset[str]] = frozenset(
        {"rate", "acknowledged", "failed", "unknown", "gap_ms", "resolution_ms", "history"}
    )

    @property
    def key(self) -> str:
        return f"canary/{self.name}"


class FaultRow(Row, frozen=True, kw_only=True, eq=False, tag="fault"):
    """One fault that is active now; `effect` is what a probe has seen of it, "" until one has."""

    id: str
    fault: str
    target: str
    since: float
    text: str
    effect: str = ""
    healing: bool = False

    @property
    def key(self) -> str:
        return f"fault/{self.id}"


class FaultKindRow(Row, frozen=True, kw_only=True, eq=False, tag="fault-kind"):
    """One fault of the catalogue: what it can be aimed at now; `why` says why it can't be done here, if it can't.

    `look` says what to look at while it lasts, and `must` what must hold all the same. Where `confirm` is set, the
    presenter types the name of each machine that is hit, joined by "+".
    """

    name: str
    title: str
    explain: str
    domain: str = ""
    look: str = ""
    must: str = ""
    targets: tuple[str, ...] = ()
    healable: bool = True
    confirm: bool = False

    @property
    def key(self) -> str:
        return f"fault-kind/{self.name}"


class ChapterRow(Row, frozen=True, kw_only=True, eq=False, tag="chapter"):
    """One chapter that can be told: its name, title, teaching goal and the titles of its steps.

    `engines` are those that it needs, by the names of engine rows ("kubernetes-1.37"); `better` those that it can do
    without, but not as well: a current etcd in the place of one that is known to lose what it acknowledged.
    """

    name: str
    title: str
    goal: str
    steps: tuple[str, ...]
    engines: tuple[str, ...] = ()
    better: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"chapter/{self.name}"


AnyRow = (
    LabRow
    | MachineRow
    | UnitRow
    | MemberRow
    | QuorumRow
    | LinkRow
    | CanaryRow
    | FaultRow
    | FaultKindRow
    | CardRow
    | ChapterRow
    | EngineRow
    | KubeRow
    | ApiServerRow
    | NodeRow
    | PodRow
    | DeploymentRow
    | LeaseRow
    | KubeEventRow
)
