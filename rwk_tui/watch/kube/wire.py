"""The objects of Kubernetes as they come over the wire, cut down to the fields that we show.

Naming few fields is what makes it fast: the decoder steps over the rest. `gc=False` because they hold no cycles, and
thousands of them at once would make the collector stop the loop.
"""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct, field


class Labels(Struct, gc=False):
    """The one label that matters: the suffix that a ReplicaSet adds to its deployment's name."""

    template: str = field(name="pod-template-hash", default="")


class Owner(Struct, gc=False):
    """Who made an object."""

    kind: str = ""
    name: str = ""
    controller: bool | None = None


class Meta(Struct, rename="camel", gc=False):
    """What every object has; times are aware."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    deletion_grace_period_seconds: int | None = None
    labels: Labels | None = None
    owner_references: list[Owner] | None = None


class Wire(Struct, gc=False):
    """Any object."""

    metadata: Meta


T = TypeVar("T", bound=Wire)


class Condition(Struct, rename="camel", gc=False):
    """One condition of a node or a pod."""

    type: str = ""
    status: str = ""
    reason: str = ""
    last_transition_time: datetime | None = None


class Taint(Struct, gc=False):
    """One taint."""

    key: str = ""
    effect: str = ""
    value: str = ""


class NodeInfo(Struct, rename="camel", gc=False):
    """What the kubelet says of itself."""

    kubelet_version: str = ""
    container_runtime_version: str = ""


class NodeSpec(Struct, gc=False):
    """What is asked of a node."""

    unschedulable: bool | None = None
    taints: list[Taint] | None = None


class NodeStatus(Struct, rename="camel", gc=False):
    """How a node stands."""

    conditions: list[Condition] | None = None
    node_info: NodeInfo | None = None


class Node(Wire, gc=False):
    """A node."""

    spec: NodeSpec = field(default_factory=NodeSpec)
    status: NodeStatus = field(default_factory=NodeStatus)


class Toleration(Struct, rename="camel", gc=False):
    """One toleration; without seconds it holds for ever."""

    key: str = ""
    operator: str = ""
    effect: str = ""
    toleration_seconds: int | None = None


class Stage(Struct, rename="camel", gc=False):
    """The reason why a container waits or has ended."""

    reason: str = ""


class ContainerState(Struct, gc=False):
    """What a container does now."""

    waiting: Stage | None = None
    terminated: Stage | None = None


class Container(Struct, gc=False):
    """How one container stands."""

    state: ContainerState | None = None


class PodSpec(Struct, rename="camel", gc=False):
    """What is asked of a pod."""

    node_name: str = ""
    tolerations: list[Toleration] | None = None


class PodStatus(Struct, rename="camel", gc=False):
    """How a pod stands."""

    phase: str = ""
    reason: str = ""
    pod_ip: str = field(name="podIP", default="")
    conditions: list[Condition] | None = None
    container_statuses: list[Container] | None = None


class Pod(Wire, gc=False):
    """A pod."""

    spec: PodSpec = field(default_factory=PodSpec)
    status: PodStatus = field(default_factory=PodStatus)


class DeploymentSpec(Struct, gc=False):
    """What is asked of a deployment."""

    replicas: int | None = None


class DeploymentStatus(Struct, rename="camel", gc=False):
    """How a deployment stands."""

    replicas: int = 0
    ready_replicas: int = 0
    updated_replicas: int = 0


class Deployment(Wire, gc=False):
    """A deployment."""

    spec: DeploymentSpec = field(default_factory=DeploymentSpec)
    status: DeploymentStatus = field(default_factory=DeploymentStatus)


class LeaseSpec(Struct, rename="camel", gc=False):
    """Who holds a lease, and since when."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: datetime | None = None
    renew_time: datetime | None = None
    lease_transitions: int | None = None


class Lease(Wire, gc=False):
    """A lease: of a part of the control plane, or of a node."""

    spec: LeaseSpec = field(default_factory=LeaseSpec)


class About(Struct, gc=False):
    """What an event is about."""

    kind: str = ""
    namespace: str = ""
    name: str = ""


class Series(Struct, rename="camel", gc=False):
    """How often an event happened."""

    count: int = 0
    last_observed_time: datetime | None = None


class KubeEvent(Wire, rename="camel", gc=False):
    """One Event of Kubernetes' own."""

    involved_object: About = field(default_factory=About)
    reason: str = ""
    message: str = ""
    type: str = ""
    count: int | None = None
    series: Series | None = None
    last_timestamp: datetime | None = None
    event_time: datetime | None = None


class ConfigMap(Wire, gc=False):
    """A ConfigMap."""

    data: dict[str, str] | None = None


class ListMeta(Struct, rename="camel", gc=False):
    """The version of a list, and the token for its next page."""

    resource_version: str = ""
    next: str = field(name="continue", default="")


class Listed(Struct, Generic[T]):
    """One page of a list."""

    metadata: ListMeta
    items: list[T] | None = None


class Happened(Struct):
    """One line of a watch; what its object is depends on its type."""

    type: str
    object: msgspec.Raw


class Refusal(Struct, gc=False):
    """The Status object with which an API server says no."""

    message: str = ""
    reason: str = ""
    code: int = 0


class Version(Struct, rename="camel", gc=False):
    """The answer to /version."""

    git_version: str = ""
