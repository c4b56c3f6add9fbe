"""From objects of Kubernetes to rows, the same for the watch and for whoever reads once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

from rwk_tui.board.kube_rows import DeploymentRow, KubeEventRow, LeaseRow, NodeRow, NodeState, PodRow, PodState
from rwk_tui.watch.kube.wire import Condition, Deployment, KubeEvent, Lease, Node, NodeInfo, Pod, Toleration

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"


def holder_machine(holder: str, machines: Collection[str]) -> str:
    """The machine that a lease's holder runs on: identities begin with its name and "_"; "" if none does."""
    name, mark, _ = holder.partition("_")
    return name if mark and name in machines else ""


def node_row(node: Node, lease: Lease | None, machines: Collection[str], seen_at: float) -> NodeRow:
    """The row of a node; `lease` is that by which its kubelet says that it lives."""
    name = node.metadata.name
    conditions = node.status.conditions or ()
    ready = _condition(conditions, "Ready")
    state: NodeState = "unknown"
    if ready is not None and ready.status in ("True", "False"):
        state = "ready" if ready.status == "True" else "not ready"
    since = ready.last_transition_time if ready is not None else None
    info = node.status.node_info or NodeInfo()
    return NodeRow(
        seen_at=seen_at,
        name=name,
        machine=name if name in machines else "",
        state=state,
        since=_unix(since or node.metadata.creation_timestamp),
        schedulable=not node.spec.unschedulable,
        taints=tuple(
            f"{taint.key}{'=' + taint.value if taint.value else ''}:{taint.effect}" for taint in node.spec.taints or ()
        ),
        version=info.kubelet_version.removeprefix("v"),
        runtime=info.container_runtime_version.replace("://", " "),
        conditions=tuple((one.type, one.status, one.reason) for one in conditions),
        renewed=_unix(lease.spec.renew_time) if lease is not None else 0.0,
        lease_s=(lease.spec.lease_duration_seconds or 0) if lease is not None else 0,
    )


def pod_row(pod: Pod, seen_at: float) -> PodRow:
    """The row of a pod."""
    meta, status = pod.metadata, pod.status
    ready = _condition(status.conditions or (), "Ready")
    state, since = _pod_state(pod)
    return PodRow(
        seen_at=seen_at,
        namespace=meta.namespace,
        name=meta.name,
        node=pod.spec.node_name,
        state=state,
        since=since,
        ready=ready is not None and ready.status == "True",
        owner=_owner(pod),
        uid=meta.uid,
        ip=status.pod_ip,
        reason=_pod_reason(pod),
        evicted_after=_evicted_after(pod.spec.tolerations or ()),
    )


def deployment_row(deployment: Deployment, seen_at: float) -> DeploymentRow:
    """The row of a deployment."""
    wanted, status = deployment.spec.replicas, deployment.status
    return DeploymentRow(
        seen_at=seen_at,
        namespace=deployment.metadata.namespace,
        name=deployment.metadata.name,
        wanted=1 if wanted is None else wanted,
        pods=status.replicas,
        ready=status.ready_replicas,
        updated=status.updated_replicas,
    )


def lease_row(
    lease: Lease, machines: Collection[str], seen_at: float, known: Mapping[str, str] = MappingProxyType({})
) -> LeaseRow:
    """The row of a lease of the control plane."""
    spec = lease.spec
    holder = spec.holder_identity or ""
    return LeaseRow(
        seen_at=seen_at,
        name=lease.metadata.name,
        holder=holder,
        machine=holder_machine(holder, machines) or known.get(holder, ""),
        since=_unix(spec.acquire_time or lease.metadata.creation_timestamp),
        duration_s=spec.lease_duration_seconds or 0,
        transitions=spec.lease_transitions or 0,
        renewed=_unix(spec.renew_time),
    )


def event_row(event: KubeEvent, seen_at: float) -> KubeEventRow:
    """The row of an Event of Kubernetes' own."""
    about, series = event.involved_object, event.series
    # Cluster-wide things have rows without a namespace, and so have the leases that are shown.
    path = (about.namespace, about.name) if about.namespace and about.kind != "Lease" else (about.name,)
    observed = series.last_observed_time if series is not None else None
    at = observed or event.last_timestamp or event.event_time or event.metadata.creation_timestamp
    return KubeEventRow(
        seen_at=seen_at,
        uid=event.metadata.uid,
        about="/".join((about.kind.lower(), *path)),
        reason=event.reason,
        message=event.message,
        warning=event.type == "Warning",
        at=_unix(at),
        count=event.count or (series.count if series is not None else 0) or 1,
    )


def _unix(at: datetime | None) -> float:
    return at.timestamp() if at is not None else 0.0


def _condition(conditions: Iterable[Condition], type: str) -> Condition | None:
    for one in conditions:
        if one.type == type:
            return one
    return None


def _pod_state(pod: Pod) -> tuple[PodState, float]:
    """What a pod does, and since when as far as it says."""
    meta, phase, conditions = pod.metadata, pod.status.phase, pod.status.conditions or ()
    created = _unix(meta.creation_timestamp)
    if phase in ("Succeeded", "Failed"):
        ended = _condition(conditions, "ContainersReady") or _condition(conditions, "Ready")
        return ("succeeded" if phase == "Succeeded" else "failed"), _since(ended, created)
    if meta.deletion_timestamp is not None:
        # The timestamp is when its grace ends, not when it was asked to go.
        return "terminating", _unix(meta.deletion_timestamp) - (meta.deletion_grace_period_seconds or 0)
    if phase == "Running":
        return "running", _since(_condition(conditions, "Ready"), created)
    if pod.spec.node_name:
        return "starting", _since(_condition(conditions, "PodScheduled"), created)
    return "pending", created


def _since(condition: Condition | None, otherwise: float) -> float:
    return _unix(condition.last_transition_time) if condition and condition.last_transition_time else otherwise


def _owner(pod: Pod) -> str:
    for owner in pod.metadata.owner_references or ():
        if owner.controller:
            template = pod.metadata.labels.template if pod.metadata.labels else ""
            return owner.name.removesuffix(f"-{template}") if template and owner.kind == "ReplicaSet" else owner.name
    return ""


def _pod_reason(pod: Pod) -> str:
    """Why a pod is not as it should be, in Kubernetes' own word ("ImagePullBackOff", "Unschedulable")."""
    if pod.status.reason:
        return pod.status.reason
    for container in pod.status.container_statuses or ():
        state = container.state
        stage = (state.waiting or state.terminated) if state is not None else None
        if stage is not None and stage.reason:
            return stage.reason
    scheduled = _condition(pod.status.conditions or (), "PodScheduled")
    return scheduled.reason if scheduled is not None and scheduled.status == "False" else ""


def _evicted_after(tolerations: Iterable[Toleration]) -> int | None:
    """For how long (s) a pod stays on a node that is not ready or unreachable, the shorter of both; None is for ever.

    As the taint manager counts: of the tolerations that match a taint the shortest holds, and without one it is 0.
    """
    waits: list[int] = []
    for key in (NOT_READY, UNREACHABLE):
        matching = [
            one
            for one in tolerations
            if one.effect in ("", "NoExecute") and (one.key == key or (not one.key and one.operator == "Exists"))
        ]
        limits = [one.toleration_seconds for one in matching if one.toleration_seconds is not None]
        if limits or not matching:
            waits.append(max(0, min(limits, default=0)))
    return min(waits, default=None)
