"""From what an API server sends to rows: the fields that matter, as the real one writes them."""

from __future__ import annotations

import pytest
from support.watch_kube import deployment, event, lease, node, pod

from rwk_tui.watch.kube.kinds import CONTROL_LEASES, EVENTS, NODE_LEASES, NODES, PODS
from rwk_tui.watch.kube.to_rows import deployment_row, event_row, holder_machine, lease_row, node_row, pod_row

MACHINES = ("core-01", "core-02", "core-03")

POD = b"""{"kind":"Pod","metadata":{"name":"web-5fc9f4bf66-cbqrf","namespace":"default","uid":"f6",
"resourceVersion":"316","creationTimestamp":"2026-11-24T07:10:34Z","labels":{"app":"web",
"pod-template-hash":"5fc9f4bf66"},"managedFields":[{"manager":"x"}],"ownerReferences":[{"apiVersion":"apps/v1",
"controller":true,"kind":"ReplicaSet","name":"web-5fc9f4bf66","uid":"07"}]},"spec":{"nodeName":"core-02",
"tolerations":[{"effect":"NoExecute","key":"node.kubernetes.io/not-ready","operator":"Exists","tolerationSeconds":5},
{"effect":"NoExecute","key":"node.kubernetes.io/unreachable","operator":"Exists","tolerationSeconds":7}]},
"status":{"phase":"Running","podIP":"10.0.2.3","conditions":[{"type":"Ready","status":"True","lastProbeTime":null,
"lastTransitionTime":"2026-11-24T07:10:40Z"}],"containerStatuses":[{"state":{"running":{"startedAt":null}}}]}}"""


def test_a_running_pod() -> None:
    row = pod_row(PODS.one.decode(POD), 5.0)
    assert (row.key, row.node, row.state, row.ready) == (
        "pod/default/web-5fc9f4bf66-cbqrf",
        "core-02",
        "running",
        True,
    )
    assert (row.owner, row.ip, row.evicted_after, row.reason) == ("web", "10.0.2.3", 5, "")
    assert row.since == 1795504240.0


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ((b'"phase":"Running"', b'"phase":"Pending"'), "starting"),
        ((b'"nodeName":"core-02",', b""), "running"),
        ((b'"phase":"Running"', b'"phase":"Failed","reason":"Evicted"'), "failed"),
        ((b'"phase":"Running"', b'"phase":"Succeeded"'), "succeeded"),
        ((b'"resourceVersion"', b'"deletionTimestamp":"2026-11-24T08:00:30Z","resourceVersion"'), "terminating"),
    ],
)
def test_what_a_pod_does(change: tuple[bytes, bytes], state: str) -> None:
    assert pod_row(PODS.one.decode(POD.replace(*change)), 5.0).state == state


def test_a_pod_without_a_node_waits_and_says_why() -> None:
    raw = b"""{"metadata":{"name":"a","namespace":"b"},"spec":{},"status":{"phase":"Pending","conditions":
    [{"type":"PodScheduled","status":"False","reason":"Unschedulable"}]}}"""
    row = pod_row(PODS.one.decode(raw), 5.0)
    assert (row.state, row.reason, row.evicted_after) == ("pending", "Unschedulable", 0)


def test_a_container_that_can_not_start_says_why() -> None:
    raw = POD.replace(b'"running":{"startedAt":null}', b'"waiting":{"reason":"ImagePullBackOff"}')
    assert pod_row(PODS.one.decode(raw), 5.0).reason == "ImagePullBackOff"


def test_a_pod_that_tolerates_for_ever_is_never_evicted() -> None:
    raw = POD.replace(b',"tolerationSeconds":5', b"").replace(b',"tolerationSeconds":7', b"")
    assert pod_row(PODS.one.decode(raw), 5.0).evicted_after is None


def test_terminating_since_it_was_asked_to_and_not_since_its_grace_ends() -> None:
    assert pod_row(pod("web-1", "core-02", ending=True), 5.0).since == 970.0


def test_a_node_with_its_lease() -> None:
    raw = b"""{"metadata":{"name":"core-02"},"spec":{"unschedulable":true,"taints":[
    {"effect":"NoExecute","key":"node.kubernetes.io/unreachable","timeAdded":"2026-11-24T07:11:41Z"},
    {"effect":"NoSchedule","key":"team","value":"a"}]},"status":{"conditions":[{"type":"Ready","status":"Unknown",
    "reason":"NodeStatusUnknown","lastTransitionTime":"2026-11-24T07:11:41Z"}],
    "nodeInfo":{"kubeletVersion":"v1.37.2","containerRuntimeVersion":"containerd://1.6.20"}}}"""
    held = NODE_LEASES.one.decode(
        b'{"metadata":{"name":"core-02"},"spec":{"leaseDurationSeconds":8,"renewTime":"2026-11-24T07:11:53.500000Z"}}'
    )
    row = node_row(NODES.one.decode(raw), held, MACHINES, 5.0)
    assert (row.machine, row.state, row.schedulable, row.version) == ("core-02", "unknown", False, "1.37.2")
    assert (row.runtime, row.pretends) == ("containerd 1.6.20", False)
    assert row.taints == ("node.kubernetes.io/unreachable:NoExecute", "team=a:NoSchedule")
    assert row.conditions == (("Ready", "Unknown", "NodeStatusUnknown"),)
    assert (row.since, row.renewed, row.lease_s) == (1795504301.0, 1795504313.5, 8)
    assert node_row(node("elsewhere", ready=False), None, MACHINES, 5.0).machine == ""
    assert node_row(node("elsewhere", ready=False), None, MACHINES, 5.0).runtime == "", "as long as it said nothing"
    played = NODES.one.decode(raw.replace(b"containerd://1.6.20", b"kwok://0.8.0"))
    assert node_row(played, held, MACHINES, 5.0).pretends
    assert node_row(node("elsewhere", ready=False), None, MACHINES, 5.0).state == "not ready"


def test_a_lease_of_the_control_plane_and_one_that_was_given_up() -> None:
    row = lease_row(lease("kube-scheduler", "core-03_5c1f", 100.0), MACHINES, 5.0)
    assert (row.key, row.machine, row.since, row.renewed) == ("lease/kube-scheduler", "core-03", 100.0, 100.0)
    raw = b'{"metadata":{"name":"kube-scheduler"},"spec":{"holderIdentity":"","renewTime":null}}'
    assert lease_row(CONTROL_LEASES.one.decode(raw), MACHINES, 5.0).holder == ""


@pytest.mark.parametrize(
    ("holder", "machine"), [("core-01_a", "core-01"), ("core-01", ""), ("vm_core-01", ""), ("core-012_a", ""), ("", "")]
)
def test_whose_a_lease_is(holder: str, machine: str) -> None:
    assert holder_machine(holder, MACHINES) == machine


def test_a_deployment_that_names_no_number_wants_one() -> None:
    one = deployment("web", 3)
    one.spec.replicas = None
    assert deployment_row(one, 5.0).wanted == 1


def test_an_event_is_about_a_row() -> None:
    assert event_row(event("a", 7.0), 5.0).about == "pod/default/web-1"
    raw = b"""{"metadata":{"name":"a","namespace":"default","uid":"u"},
    "involvedObject":{"kind":"Node","name":"core-03"},
    "reason":"NodeNotReady","message":"m","type":"Warning","count":3,"lastTimestamp":"2026-11-24T07:11:41Z",
    "eventTime":null}"""
    row = event_row(EVENTS.one.decode(raw), 5.0)
    assert (row.about, row.warning, row.count, row.at) == ("node/core-03", True, 3, 1795504301.0)
