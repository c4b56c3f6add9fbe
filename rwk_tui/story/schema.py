"""What a chapter file holds, as typed values."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from rwk_tui.story import etcd_schema as etcd
from rwk_tui.story import fault_schema as fault
from rwk_tui.story import kube_schema as kube
from rwk_tui.story.parts import MACHINES, PRESENTER, Listen, MachineName, Part

__all__ = ["MACHINES", "PRESENTER", "MachineName", "Part"]

Ends = Literal["ok", "fails", "any"]
Of = Literal["etcd", "api"]
"""Whose canary is meant: the one that writes to etcd, or the one that writes through the API server."""


class Starts(Part, frozen=True, kw_only=True):
    """What is there before the first step.

    Machines that are up, members of one cluster and keys in it; then Kubernetes on top: which machines have an API
    server, a controller manager with a scheduler (where the API servers are, unless said otherwise) and a worker, and
    deployments by name with their replicas. `engines` asks for an older minor ("etcd-3.6", "kubernetes-1.36").
    """

    machines: tuple[MachineName, ...] = MACHINES
    etcd: tuple[MachineName, ...] = ()
    listen: Listen = "everyone"
    keys: dict[str, str] = msgspec.field(default_factory=dict)
    secured: bool = False
    api: tuple[MachineName, ...] = ()
    controllers: tuple[MachineName, ...] | None = None
    workers: tuple[MachineName, ...] = ()
    deployments: dict[str, int] = msgspec.field(default_factory=dict)
    engines: tuple[str, ...] = ()

    def engine(self, name: str) -> str:
        """The engine of that name that is asked for, "" for the newest."""
        return next((engine for engine in self.engines if engine.rpartition("-")[0] == name), "")


# ---- what a step does ------------------------------------------------------------------------------------------------


class Run(Part, frozen=True, kw_only=True):
    """Run a command on a machine or at the presenter's desk, without a shell.

    `ends` says how it must end. In the background, its output goes on while later actions run; it is ended with its
    step, or with its chapter.
    """

    SHORT: ClassVar[str] = ""
    on: MachineName | Literal["presenter"]
    command: str | tuple[str, ...]
    ends: Ends = "ok"
    background: bool | Literal["chapter"] = False


class MachineAction(Part, frozen=True, kw_only=True):
    """Switch machines."""

    SHORT: ClassVar[str] = "machines"
    machines: MachineName | tuple[MachineName, ...]


class UnitAction(Part, frozen=True, kw_only=True):
    """Do something to one unit."""

    SHORT: ClassVar[str] = "on"
    on: MachineName
    unit: str = "etcd"


class Until(Part, frozen=True, kw_only=True):
    """Wait for a check to hold before going on."""

    check: Check


# ---- what a step expects ---------------------------------------------------------------------------------------------


class Members(Part, frozen=True, kw_only=True):
    """Who is on the member list, and how many of them serve."""

    voters: tuple[MachineName, ...] | None = None
    learners: tuple[MachineName, ...] | None = None
    healthy: int | None = None


class Leader(Part, frozen=True, kw_only=True):
    """Who leads: a machine, "any", "none"; or anyone but the machine `other_than`."""

    SHORT: ClassVar[str] = "who"
    who: MachineName | Literal["any", "none"] = "any"
    other_than: MachineName | None = None


class Quorum(Part, frozen=True, kw_only=True):
    """Whether a majority of the voters is there."""

    SHORT: ClassVar[str] = "state"
    state: Literal["healthy", "degraded", "lost"]


class Key(Part, frozen=True, kw_only=True):
    """What one member answers for a key; with `answers: false`, that it can't. A null value means no such key."""

    name: str
    via: MachineName
    value: str | msgspec.UnsetType | None = msgspec.UNSET
    read: Literal["linearizable", "serializable"] = "linearizable"
    answers: bool = True


class Serving(Part, frozen=True, kw_only=True):
    """These machines' members answer and know a leader."""

    SHORT: ClassVar[str] = "on"
    on: MachineName | tuple[MachineName, ...]


class MachineIs(Part, frozen=True, kw_only=True):
    """How machines stand."""

    on: MachineName | tuple[MachineName, ...]
    power: Literal["up", "halted", "off", "gone"]


class UnitIs(Part, frozen=True, kw_only=True):
    """How a unit stands; `restarted` says whether it came to that since the step began."""

    on: MachineName
    unit: str = "etcd"
    state: Literal["running", "stopped", "failed", "paused"]
    restarted: bool | None = None


class Writes(Part, frozen=True, kw_only=True):
    """Whether a canary's writes are acknowledged."""

    SHORT: ClassVar[str] = "state"
    state: Literal["flowing", "stopped"]
    of: Of = "etcd"


class Gap(Part, frozen=True, kw_only=True):
    """The longest gap in a canary's writes since the step began, in ms.

    The time in which this computer itself stood still is taken off, and said.
    """

    above_ms: float | None = None
    below_ms: float | None = None
    of: Of = "etcd"


class Lost(Part, frozen=True, kw_only=True):
    """How many acknowledged writes of the canary's epoch can't be found again, at most."""

    SHORT: ClassVar[str] = "most"
    most: int = 0


class OutputIs(Part, frozen=True, kw_only=True):
    """What the step's last command printed, on either stream."""

    SHORT: ClassVar[str] = "contains"
    contains: str | tuple[str, ...]
    lacks: str | tuple[str, ...] = ()


class Hashes(Part, frozen=True, kw_only=True):
    """All these machines' members store the same."""

    SHORT: ClassVar[str] = "equal"
    equal: tuple[MachineName, ...]


class Check(Part, frozen=True, kw_only=True):
    """One expectation and its sentence for the audience; `within` overrides its deadline (s, times the slack)."""

    verb: str
    what: Any
    text: str
    within: float | None = None


class Action(Part, frozen=True, kw_only=True):
    """One thing to do, in the words of the file."""

    verb: str
    what: Any


class Step(Part, frozen=True, kw_only=True):
    """One step; `needs` such as "etcd >= 3.6" lets it be skipped where that is not given."""

    title: str
    say: str = ""
    notes: str = ""
    do: tuple[Action, ...] = ()
    expect: tuple[Check, ...] = ()
    undo: tuple[Action, ...] = ()
    needs: str = ""


class Chapter(Part, frozen=True, kw_only=True):
    """One chapter; its name is that of its file."""

    name: str
    title: str
    goal: str
    starts: Starts
    steps: tuple[Step, ...]


ACTIONS: dict[str, type[Part]] = {
    "run": Run,
    "start-machine": MachineAction,
    "halt-machine": MachineAction,
    "cut-power": MachineAction,
    "destroy-machine": MachineAction,
    "start-unit": UnitAction,
    "stop-unit": UnitAction,
    "restart-unit": UnitAction,
    "kill-unit": UnitAction,
    "pause-unit": UnitAction,
    "resume-unit": UnitAction,
    "etcd-new": etcd.EtcdNew,
    "etcd-publish": etcd.EtcdPublish,
    "etcd-add": etcd.EtcdAdd,
    "etcd-join": etcd.EtcdMember,
    "etcd-promote": etcd.EtcdMember,
    "etcd-remove": etcd.EtcdMember,
    "etcd-bootstrap": etcd.EtcdBootstrap,
    "etcd-registry": etcd.EtcdRegistry,
    "etcd-discover": etcd.EtcdDiscover,
    "etcd-wipe": etcd.EtcdWipe,
    "etcd-backup": etcd.EtcdBackup,
    "etcd-restore": etcd.EtcdRestore,
    "etcd-upgrade": etcd.EtcdUpgrade,
    "etcd-move-leader": etcd.EtcdMoveLeader,
    "etcd-survivor": etcd.EtcdSurvivor,
    "etcd-certify": etcd.EtcdCertify,
    "etcd-secure": etcd.EtcdSecure,
    "etcd-rotate": etcd.EtcdRotate,
    "show-certificates": etcd.CertificatesShown,
    "kube-api": kube.KubeApi,
    "kube-controllers": kube.KubeControllers,
    "kube-worker": kube.KubeWorker,
    "kube-upgrade": kube.KubeUpgrade,
    "inject": fault.Inject,
    "heal": fault.Heal,
    "until": Until,
}
"""Every verb that `do` and `undo` know."""

CHECKS: dict[str, type[Part]] = {
    "members": Members,
    "leader": Leader,
    "quorum": Quorum,
    "key": Key,
    "serving": Serving,
    "machine": MachineIs,
    "unit": UnitIs,
    "writes": Writes,
    "gap": Gap,
    "lost": Lost,
    "output": OutputIs,
    "hashes": Hashes,
    "aftermath": etcd.Aftermath,
    "new-certificates": etcd.NewCertificates,
    "fault": fault.FaultSeen,
    "card": fault.CardIs,
    "api": kube.ApiIs,
    "nodes": kube.Nodes,
    "pods": kube.Pods,
    "deployment": kube.DeploymentIs,
    "lease": kube.LeaseIs,
    "version": kube.VersionIs,
}
"""Every verb that `expect` and `until` know."""
