"""What a chapter file says about Kubernetes: setting it up, and what is expected of it."""

from __future__ import annotations

from typing import ClassVar, Literal

from rwk_tui.story.parts import MachineName, Part

KubeUnit = Literal["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"]

# ---- what a step does ------------------------------------------------------------------------------------------------


class KubeApi(Part, frozen=True, kw_only=True):
    """Start an API server, on top of every etcd member there is."""

    SHORT: ClassVar[str] = "on"
    on: MachineName


class KubeControllers(Part, frozen=True, kw_only=True):
    """Start a controller manager and a scheduler beside an API server."""

    SHORT: ClassVar[str] = "on"
    on: MachineName


class KubeWorker(Part, frozen=True, kw_only=True):
    """Let machines join as workers."""

    SHORT: ClassVar[str] = "on"
    on: MachineName | tuple[MachineName, ...]


class KubeUpgrade(Part, frozen=True, kw_only=True):
    """Restart units of a machine with another engine, such as "kubernetes-1.37"."""

    on: MachineName
    units: KubeUnit | tuple[KubeUnit, ...]
    to: str


# ---- what a step expects ---------------------------------------------------------------------------------------------


class ApiIs(Part, frozen=True, kw_only=True):
    """How API servers stand: ready, unready (they answer, but can't serve) or down."""

    SHORT: ClassVar[str] = "on"
    on: MachineName | tuple[MachineName, ...]
    state: Literal["ready", "unready", "down"] = "ready"


class Nodes(Part, frozen=True, kw_only=True):
    """Which nodes are ready, and which are not; those that are named in neither don't matter."""

    ready: tuple[MachineName, ...] | None = None
    not_ready: tuple[MachineName, ...] | None = None


class Pods(Part, frozen=True, kw_only=True):
    """How many pods of a deployment run or terminate; `on` counts only those of one node, `not_on` all others."""

    of: str
    running: int | None = None
    terminating: int | None = None
    pending: int | None = None
    on: MachineName | None = None
    not_on: MachineName | None = None


class DeploymentIs(Part, frozen=True, kw_only=True):
    """How many pods a deployment wants, and has ready; `exists: false` says that there is none such."""

    name: str
    wanted: int | None = None
    ready: int | None = None
    exists: bool = True


class LeaseIs(Part, frozen=True, kw_only=True):
    """Who holds a lease of the control plane: a machine, or anyone but `other_than`."""

    name: Literal["kube-controller-manager", "kube-scheduler"]
    holder: MachineName | None = None
    other_than: MachineName | None = None


class VersionIs(Part, frozen=True, kw_only=True):
    """Which minor a unit of these machines runs, as it reports itself ("1.37")."""

    on: MachineName | tuple[MachineName, ...]
    unit: Literal["etcd", "kube-apiserver", "kubelet"]
    minor: str


def is_kube(what: Part) -> bool:
    """Whether this is a check of Kubernetes."""
    return isinstance(what, ApiIs | Nodes | Pods | DeploymentIs | LeaseIs | VersionIs)


def needs_kube(what: object) -> bool:
    """Whether an action or a check can only be done where Kubernetes can run."""
    actions = KubeApi | KubeControllers | KubeWorker | KubeUpgrade
    return isinstance(what, actions) or (isinstance(what, Part) and is_kube(what))
