"""The rows of Kubernetes: API servers, nodes, pods, deployments, leases, its own events, and the engines it runs on.

Whether nodes, pods, deployments, leases and events are up to date is said once, by `KubeRow`: they come through one
door, and thousands of rows must not change because it closed.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from rwk_tui.board.row import Row

KubeState = Literal["none", "starting", "ready", "unready", "unreachable"]
ApiState = Literal["ready", "unready", "down"]
NodeState = Literal["ready", "not ready", "unknown"]
PodState = Literal["pending", "starting", "running", "succeeded", "failed", "terminating"]
EngineState = Literal["ready", "missing", "installing", "failed"]


class KubeRow(Row, frozen=True, kw_only=True, eq=False, tag="kube"):
    """Kubernetes as the presenter reaches it, through whichever API server is ready.

    `fresh` is False while any watch is not in step; what came through it then keeps its last values. "unready" is an
    API that answers but can't serve, as without etcd. `synced_at` is when the watches last were in step (unix, s).
    """

    state: KubeState
    since: float = 0.0
    version: str = ""
    kubelet: Literal["", "kwok", "kubelet"] = ""
    synced_at: float = 0.0

    NUMBERS: ClassVar[frozenset[str]] = frozenset({"synced_at"})

    @property
    def key(self) -> str:
        return "kube"


class ApiServerRow(Row, frozen=True, kw_only=True, eq=False, tag="api-server"):
    """The API server of one machine as its /readyz tells; `failing` names the checks that don't pass, latency in ms."""

    machine: str
    state: ApiState
    since: float
    version: str = ""
    failing: tuple[str, ...] = ()
    latency_ms: float = 0.0

    NUMBERS: ClassVar[frozenset[str]] = frozenset({"latency_ms"})

    @property
    def key(self) -> str:
        return f"api-server/{self.machine}"


class NodeRow(Row, frozen=True, kw_only=True, eq=False, tag="node"):
    """One node; `state` is its Ready condition, `since` when that last changed (unix, s).

    `taints` read like "node.kubernetes.io/unreachable:NoExecute", `conditions` are (type, status, reason), and
    `renewed` is when its Lease was last renewed. `runtime` is what its containers run on, as it says itself
    ("containerd 1.6.20"); "kwok 0.8.0" runs none.
    """

    name: str
    machine: str
    state: NodeState
    since: float
    schedulable: bool = True
    taints: tuple[str, ...] = ()
    version: str = ""
    runtime: str = ""
    conditions: tuple[tuple[str, str, str], ...] = ()
    renewed: float = 0.0
    lease_s: int = 0

    NUMBERS: ClassVar[frozenset[str]] = frozenset({"renewed"})

    @property
    def key(self) -> str:
        return f"node/{self.name}"

    @property
    def pretends(self) -> bool:
        """Whether kwok stands in for its kubelet, as far as it says."""
        return self.runtime.partition(" ")[0] == "kwok"


class PodRow(Row, frozen=True, kw_only=True, eq=False, tag="pod"):
    """One pod; `owner` is what made it ("web" for a pod of the deployment web), `since` when its state changed.

    `evicted_after` is for how long (s) it tolerates a node that is not ready or unreachable, None for ever.
    """

    namespace: str
    name: str
    node: str
    state: PodState
    since: float
    ready: bool = False
    owner: str = ""
    uid: str = ""
    ip: str = ""
    reason: str = ""
    evicted_after: int | None = None

    @property
    def key(self) -> str:
        return f"pod/{self.namespace}/{self.name}"


class DeploymentRow(Row, frozen=True, kw_only=True, eq=False, tag="deployment"):
    """One deployment: how many pods it wants, has, has ready, and has of its newest template."""

    namespace: str
    name: str
    wanted: int
    pods: int = 0
    ready: int = 0
    updated: int = 0

    @property
    def key(self) -> str:
        return f"deployment/{self.namespace}/{self.name}"


class LeaseRow(Row, frozen=True, kw_only=True, eq=False, tag="lease"):
    """The lease of one part of the control plane; `holder` is what it says, `machine` whose that is ("" if nobody's).

    `since` is when its holder got it, `renewed` when it was last renewed (unix, s); it runs out after `duration_s`.
    """

    name: str
    holder: str
    machine: str
    since: float
    duration_s: int = 0
    transitions: int = 0
    renewed: float = 0.0

    NUMBERS: ClassVar[frozenset[str]] = frozenset({"renewed"})

    @property
    def key(self) -> str:
        return f"lease/{self.name}"


class KubeEventRow(Row, frozen=True, kw_only=True, eq=False, tag="kube-event"):
    """One Event of Kubernetes' own; `about` is the key of the row it is about ("pod/default/web-1"), `at` unix time."""

    uid: str
    about: str
    reason: str
    message: str
    warning: bool
    at: float
    count: int = 1

    @property
    def key(self) -> str:
        return f"kube-event/{self.uid}"


class EngineRow(Row, frozen=True, kw_only=True, eq=False, tag="engine"):
    """One engine at one minor, such as "kubernetes-1.37", and how far its install is (`done` from 0 to 1).

    `text` is one line: what is going on, or what to do about it; `left_s` is how long the install still takes (s), or
    would take. `size` is what it takes on the disk, in bytes (0 where that is not known).
    """

    name: str
    version: str
    state: EngineState
    text: str = ""
    done: float = 0.0
    left_s: float | None = None
    size: int = 0

    NUMBERS: ClassVar[frozenset[str]] = frozenset({"done", "left_s", "text"})

    @property
    def key(self) -> str:
        return f"engine/{self.name}"
