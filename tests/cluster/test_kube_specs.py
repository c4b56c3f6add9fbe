"""Every flag of every unit of Kubernetes, for both timings: what is not written here is not given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from support.story_fakes import StageLab

from rwk_tui.cluster.kubernetes import kwok
from rwk_tui.cluster.kubernetes.api_server import api_server_spec
from rwk_tui.cluster.kubernetes.controllers import controller_manager_spec, own_api, scheduler_spec
from rwk_tui.cluster.kubernetes.kubeconfig import kubeconfig
from rwk_tui.cluster.kubernetes.kwok import kwok_spec, version_of
from rwk_tui.cluster.kubernetes.timings import FAST, TELLING, Timings, timings
from rwk_tui.cluster.kubernetes.units import engine_of, program
from rwk_tui.lab.protocol import Listen, UnitSpec
from rwk_tui.settings import Settings

CALM = Settings(state=Path("/nowhere"), engine_cache=Path("/nowhere"))
HURRIED = replace(CALM, fast=True)
BOTH = pytest.mark.parametrize(
    ("settings", "seconds"),
    [
        (CALM, {"toleration": 30, "monitor": 2, "grace": 20, "lease": 15, "renew": 10, "retry": 2, "node_lease": 20}),
        (HURRIED, {"toleration": 5, "monitor": 1, "grace": 8, "lease": 8, "renew": 6, "retry": 1, "node_lease": 8}),
    ],
    ids=["telling", "fast"],
)


@BOTH
def test_the_flags_of_an_api_server(settings: Settings, seconds: dict[str, int]) -> None:
    lab = StageLab()
    spec = api_server_spec(lab.stage["core-02"], settings, list(lab.stage.values()))
    assert spec.argv == (
        "kube-apiserver",
        "--advertise-address=192.0.2.102",
        "--bind-address=10.0.0.2",
        "--secure-port=6443",
        "--etcd-servers=https://10.0.0.1:2379,https://localhost:2379,https://10.0.0.3:2379",
        "--etcd-cafile=/nowhere/pki/etcd/ca.crt",
        "--etcd-certfile=/nowhere/pki/etcd/apiserver.crt",
        "--etcd-keyfile=/nowhere/pki/etcd/apiserver.key",
        "--client-ca-file=/nowhere/pki/kubernetes/ca.crt",
        "--tls-cert-file=/nowhere/pki/kubernetes/apiserver.crt",
        "--tls-private-key-file=/nowhere/pki/kubernetes/apiserver.key",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        "--service-account-key-file=/nowhere/pki/service-accounts.pub",
        "--service-account-signing-key-file=/nowhere/pki/service-accounts.key",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--requestheader-client-ca-file=/nowhere/pki/front-proxy/ca.crt",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--proxy-client-cert-file=/nowhere/pki/front-proxy/client.crt",
        "--proxy-client-key-file=/nowhere/pki/front-proxy/client.key",
        f"--default-not-ready-toleration-seconds={seconds['toleration']}",
        f"--default-unreachable-toleration-seconds={seconds['toleration']}",
        "--shutdown-watch-termination-grace-period=1s",
    )
    assert spec.listens == (Listen(6443, public=True, bound=True),)
    assert spec.environment == ()


def of_the_control_plane(unit: str, port: int, seconds: dict[str, int]) -> tuple[str, ...]:
    config = f"/nowhere/etc/kubernetes/{unit}.conf"
    return (
        unit,
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        "--authentication-skip-lookup=true",
        "--bind-address=10.0.0.1",
        f"--secure-port={port}",
        "--leader-elect=true",
        f"--leader-elect-lease-duration={seconds['lease']}s",
        f"--leader-elect-renew-deadline={seconds['renew']}s",
        f"--leader-elect-retry-period={seconds['retry']}s",
    )


@BOTH
def test_the_flags_of_those_who_act(settings: Settings, seconds: dict[str, int]) -> None:
    machine = StageLab().stage["core-01"]
    manager = controller_manager_spec(machine, settings)
    assert manager.argv == (
        *of_the_control_plane("kube-controller-manager", 10257, seconds),
        "--root-ca-file=/nowhere/pki/kubernetes/ca.crt",
        "--service-account-private-key-file=/nowhere/pki/service-accounts.key",
        "--use-service-account-credentials=true",
        f"--node-monitor-period={seconds['monitor']}s",
        f"--node-monitor-grace-period={seconds['grace']}s",
    )
    scheduler = scheduler_spec(machine, settings)
    assert scheduler.argv == of_the_control_plane("kube-scheduler", 10259, seconds)
    assert manager.listens == (Listen(10257, public=False, bound=True),)
    assert scheduler.listens == (Listen(10259, public=False, bound=True),)
    assert own_api(machine) == "https://10.0.0.1:6443"


@BOTH
def test_the_flags_of_a_kubelet_that_kwok_plays(settings: Settings, seconds: dict[str, int]) -> None:
    spec = kwok_spec(StageLab().stage["core-03"], settings, version="1.37.2")
    assert (spec.name, spec.argv) == (
        "kubelet",
        (
            "kwok",
            "--kubeconfig=/nowhere/etc/kubernetes/kubelet.conf",
            "--config=/nowhere/etc/kwok/stages-1.37.2.yaml",
            "--manage-single-node=core-03",
            "--node-name=core-03",
            "--node-ip=10.0.0.3",
            "--node-port=10250",
            "--server-address=10.0.0.3:10250",
            "--cidr=10.0.3.0/24",
            f"--node-lease-duration-seconds={seconds['node_lease']}",
        ),
    )
    assert spec.listens == (Listen(10250, public=False, bound=True),)
    assert version_of(spec) == "1.37.2"
    assert version_of(UnitSpec("kubelet", ("kubelet", "--config=x"))) == ""


def test_another_engine_is_another_program_and_nothing_else() -> None:
    machine = StageLab().stage["core-01"]
    specs = (
        (
            api_server_spec(machine, CALM, [machine]),
            api_server_spec(machine, CALM, [machine], engine="kubernetes-1.36"),
        ),
        (scheduler_spec(machine, CALM), scheduler_spec(machine, CALM, engine="kubernetes-1.36")),
        (controller_manager_spec(machine, CALM), controller_manager_spec(machine, CALM, engine="kubernetes-1.36")),
    )
    for newest, older in specs:
        assert older.argv[0] == f"kubernetes-1.36/{newest.argv[0]}"
        assert older.argv[1:] == newest.argv[1:]
        assert (engine_of(older.argv[0]), engine_of(newest.argv[0])) == ("kubernetes-1.36", "")
    assert program("kubectl") == "kubectl"


@pytest.mark.parametrize("patience", [TELLING, FAST])
def test_timings_leave_room_for_a_renewal_that_is_late(patience: Timings) -> None:
    assert patience.retry * 2 < patience.renew < patience.lease
    assert patience.node_lease / 4 * 2 < patience.grace
    assert patience.monitor < patience.grace
    assert patience.eviction == patience.grace + patience.toleration
    assert timings(replace(CALM, fast=patience is FAST)) is patience


def test_a_kubeconfig_says_where_who_vouches_and_who_we_are() -> None:
    found = yaml.safe_load(kubeconfig(server="https://a:1", ca="/ca", cert="/c", key="/k", user="me"))
    assert found["clusters"][0]["cluster"] == {"server": "https://a:1", "certificate-authority": "/ca"}
    assert found["users"][0] == {"name": "me", "user": {"client-certificate": "/c", "client-key": "/k"}}
    context = found["contexts"][0]
    assert found["current-context"] == context["name"]
    assert context["context"] == {"cluster": found["clusters"][0]["name"], "user": "me"}


def test_stages_are_of_a_version_and_each_is_one() -> None:
    text = kwok.stages("1.36.3", "0.8.0")
    assert b"VERSION" not in text and b"RUNTIME" not in text
    documents = [document for document in yaml.safe_load_all(text) if document is not None]
    assert {(one["apiVersion"], one["kind"]) for one in documents} == {("kwok.x-k8s.io/v1alpha1", "Stage")}
    names = [one["metadata"]["name"] for one in documents]
    assert len(set(names)) == len(names) and len(names) >= 6
    assert {one["spec"]["resourceRef"]["kind"] for one in documents} == {"Node", "Pod"}
    ready = next(one for one in documents if one["metadata"]["name"] == "node-reports-ready")
    status = ready["spec"]["next"]["statusTemplate"]
    assert 'kubeletVersion: "v1.36.3"' in status
    assert 'containerRuntimeVersion: "kwok://0.8.0"' in status
    version = next(one for one in documents if one["metadata"]["name"] == "node-reports-version")
    assert version["spec"]["selector"]["matchExpressions"][1]["values"] == ["v1.36.3"]


def test_what_a_worker_brings_along() -> None:
    machine = StageLab().stage["core-02"]
    node = yaml.safe_load(kwok.node_object(machine))
    assert (node["kind"], node["metadata"]["name"]) == ("Node", "core-02")
    assert node["metadata"]["labels"]["kubernetes.io/hostname"] == "core-02"
    role, binding = yaml.safe_load_all(kwok.kwok_rights())
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}, "it may only look"
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["subjects"] == [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:nodes"}]
