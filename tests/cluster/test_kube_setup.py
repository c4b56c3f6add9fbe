"""Setting up Kubernetes: the operations, their order, what they show and what they put where."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from support.ops import do, quiet
from support.story_fakes import StageLab

from rwk_tui.cluster.etcd import Static, Style, member_spec
from rwk_tui.cluster.kubernetes import setup
from rwk_tui.cluster.pki import Pki
from rwk_tui.cluster.site import Site
from rwk_tui.lab.protocol import LabError
from rwk_tui.settings import Settings

SETTINGS = Settings(state=Path("/nowhere"), engine_cache=Path("/nowhere"))
VERSIONS = {"etcd": "3.7.3", "kubernetes": "1.37.2", "kubernetes-1.36": "1.36.3", "kwok": "0.8.0"}


@pytest.fixture
def lab() -> StageLab:
    return StageLab()


@pytest.fixture
def site(lab: StageLab, tmp_path: Path) -> Site:
    return Site(lab, Pki(tmp_path / "pki"), VERSIONS, secure_next=True)


async def etcd_on(lab: StageLab, *names: str, secured: bool = True) -> None:
    for name in names:
        spec = member_spec(lab.stage[name], SETTINGS, Static({}), style=Style(secured=secured))
        await lab.stage[name].unit("etcd").configure(spec)


def argv(lab: StageLab, name: str, unit: str) -> tuple[str, ...]:
    spec = lab.stage[name].units[unit].spec
    assert spec is not None
    return spec.argv


async def test_a_member_gets_its_certificates_before_it_starts(lab: StageLab, site: Site) -> None:
    machine = lab.stage["core-02"]
    shown = await do(setup.secure_member(machine, site))
    assert shown == [
        "# core-02 gets certificates for core-02 (etcd CA), core-02 (etcd CA), presenter (etcd CA)",
        "# core-02: the profile sets ETCDCTL_CACERT, ETCDCTL_CERT and ETCDCTL_KEY",
    ]
    files = {f"pki/etcd/{name}" for name in ("server", "peer", "client")}
    assert set(machine.files) == {"pki/etcd/ca.crt", *(f"{file}.{end}" for file in files for end in ("crt", "key"))}
    spec = member_spec(machine, SETTINGS, Static({}), style=Style(secured=True))
    asked = [value for name, value in spec.environment if name.endswith("_FILE")]
    assert {value.removeprefix("/nowhere/") for value in asked} <= set(machine.files), "what etcd reads is there"
    assert set(machine.profile) == {"ETCDCTL_CACERT", "ETCDCTL_CERT", "ETCDCTL_KEY"}
    assert {value.removeprefix("/nowhere/") for value in machine.profile.values()} <= set(machine.files)


async def test_an_api_server_starts_on_every_member_there_is(lab: StageLab, site: Site) -> None:
    await etcd_on(lab, "core-01", "core-03")
    machine = lab.stage["core-01"]
    shown = await do(setup.api_server(machine, site, SETTINGS))
    assert shown[0].startswith("# core-01 gets certificates for kube-apiserver (kubernetes CA), ")
    assert shown[0].endswith(", and the keys of service accounts")
    assert shown[1:] == ["start kube-apiserver", "# presenter: the profile sets KUBECONFIG and what etcdctl shows"]
    flags = argv(lab, "core-01", "kube-apiserver")
    assert "--etcd-servers=https://localhost:2379,https://10.0.0.3:2379" in flags
    read = [flag.partition("=")[2] for flag in flags if "=/nowhere/" in flag]
    assert {path.removeprefix("/nowhere/") for path in read} <= set(machine.files), "what it reads is there"
    assert machine.done.index("put core-01/pki/service-accounts.key") < machine.done.index(
        "start core-01/kube-apiserver"
    )
    assert "KUBECONFIG" in lab.desk.profile and "ETCDCTL_CERT" in lab.desk.profile


async def test_all_api_servers_share_the_keys_of_service_accounts(lab: StageLab, site: Site) -> None:
    await etcd_on(lab, "core-01")
    for name in ("core-01", "core-02"):
        await do(setup.api_server(lab.stage[name], site, SETTINGS))
    first, second = (lab.stage[name].files for name in ("core-01", "core-02"))
    assert first["pki/service-accounts.key"] == second["pki/service-accounts.key"]
    assert first["pki/kubernetes/ca.crt"] == second["pki/kubernetes/ca.crt"]
    assert first["pki/kubernetes/apiserver.key"] != second["pki/kubernetes/apiserver.key"]


async def test_an_api_server_without_etcd_is_refused_in_one_line(lab: StageLab, site: Site) -> None:
    ops = setup.api_server(lab.stage["core-01"], site, SETTINGS)
    with pytest.raises(LabError) as error:
        await do(ops)
    assert str(error.value) == "an API server needs etcd: no machine has a member yet"
    with pytest.raises(LabError):
        await ops[1].run(quiet)
    assert "kube-apiserver" not in lab.stage["core-01"].units


async def test_an_api_server_on_members_without_certificates_is_refused_in_one_line(lab: StageLab, site: Site) -> None:
    await etcd_on(lab, "core-01", secured=False)
    with pytest.raises(LabError) as error:
        await do(setup.api_server(lab.stage["core-01"], site, SETTINGS))
    assert str(error.value) == ("an API server is only set up on members that ask for certificates; this etcd does not")
    assert "kube-apiserver" not in lab.stage["core-01"].units


async def test_controllers_work_through_their_own_api_server(lab: StageLab, site: Site) -> None:
    machine = lab.stage["core-02"]
    shown = await do(setup.controllers(machine, site, SETTINGS))
    assert shown == [
        "# core-02 gets certificates for system:kube-controller-manager (kubernetes CA), "
        "system:kube-scheduler (kubernetes CA), and a kubeconfig for each",
        "start kube-controller-manager",
        "start kube-scheduler",
    ]
    for unit, user in (
        ("kube-controller-manager", "system:kube-controller-manager"),
        ("kube-scheduler", "system:kube-scheduler"),
    ):
        config = yaml.safe_load(machine.files[f"etc/kubernetes/{unit}.conf"][0])
        assert config["clusters"][0]["cluster"]["server"] == "https://10.0.0.2:6443"
        assert config["users"][0]["name"] == user
        assert machine.files[f"etc/kubernetes/{unit}.conf"][1] == 0o600
        paths = [*config["users"][0]["user"].values(), config["clusters"][0]["cluster"]["certificate-authority"]]
        read = [flag.partition("=")[2] for flag in argv(lab, "core-02", unit) if "=/nowhere/" in flag]
        assert {path.removeprefix("/nowhere/") for path in (*paths, *read)} <= set(machine.files)


async def test_a_worker_registers_its_own_node_through_its_own_front(lab: StageLab, site: Site) -> None:
    machine = lab.stage["core-03"]
    shown = await do(setup.worker(machine, site, SETTINGS))
    assert shown == [
        "# core-03 gets certificates for system:node:core-03 (kubernetes CA), its kubeconfig, "
        "and how kwok plays a kubelet of 1.37.2",
        "# presenter gets what kwok may look at",
        "kubectl apply -f kwok-rights.yaml",
        "kubectl --kubeconfig=/nowhere/etc/kubernetes/kubelet.conf apply -f /nowhere/etc/kubernetes/node.yaml",
        "start kubelet",
    ]
    config = yaml.safe_load(machine.files["etc/kubernetes/kubelet.conf"][0])
    assert config["clusters"][0]["cluster"]["server"] == "https://any.core-03:6443", "a cut machine is cut from the API"
    assert config["users"][0]["name"] == "system:node:core-03"
    assert lab.desk.ran == [("kubectl", "apply", "-f", "kwok-rights.yaml")], "rights are the admin's to give"
    assert b"rwk:kwok" in lab.desk.kept["kwok-rights.yaml"], "and lie where they are given"
    assert machine.ran[0][:2] == ("kubectl", "--kubeconfig=/nowhere/etc/kubernetes/kubelet.conf")
    assert "etc/kwok/stages-1.37.2.yaml" in machine.files
    assert b"v1.37.2" in machine.files["etc/kwok/stages-1.37.2.yaml"][0]


async def test_an_older_engine_is_used_for_all_of_it(lab: StageLab, site: Site) -> None:
    await etcd_on(lab, "core-01")
    machine = lab.stage["core-01"]
    old = "kubernetes-1.36"
    await do(setup.api_server(machine, site, SETTINGS, engine=old))
    await do(setup.controllers(machine, site, SETTINGS, engine=old))
    await do(setup.worker(machine, site, SETTINGS, engine=old))
    for unit in ("kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        assert argv(lab, "core-01", unit)[0] == f"{old}/{unit}"
    assert machine.ran[0][0] == lab.desk.ran[0][0] == f"{old}/kubectl"
    assert argv(lab, "core-01", "kubelet")[0] == "kwok"
    assert "--config=/nowhere/etc/kwok/stages-1.36.3.yaml" in argv(lab, "core-01", "kubelet")


@pytest.mark.parametrize(
    ("unit", "shown"),
    [
        ("kube-apiserver", ["restart kube-apiserver"]),
        ("kube-controller-manager", ["restart kube-controller-manager"]),
        ("kube-scheduler", ["restart kube-scheduler"]),
        ("kubelet", ["# core-01 gets how kwok plays a kubelet of 1.36.3", "restart kubelet"]),
    ],
)
async def test_an_upgrade_restarts_one_unit_with_another_engine(
    unit: str, shown: list[str], lab: StageLab, site: Site
) -> None:
    await etcd_on(lab, "core-01")
    await do(setup.api_server(lab.stage["core-01"], site, SETTINGS))
    await do(setup.controllers(lab.stage["core-01"], site, SETTINGS))
    await do(setup.worker(lab.stage["core-01"], site, SETTINGS))
    before = argv(lab, "core-01", unit)
    assert await do(setup.upgrade(lab.stage["core-01"], unit, site, SETTINGS, engine="kubernetes-1.36")) == shown
    after = argv(lab, "core-01", unit)
    assert after != before
    if unit == "kubelet":
        assert [word.replace("1.37.2", "1.36.3") for word in before] == list(after)
        assert "etc/kwok/stages-1.36.3.yaml" in lab.stage["core-01"].files
    else:
        assert after == (f"kubernetes-1.36/{unit}", *before[1:])


def test_only_units_of_kubernetes_are_upgraded_so(lab: StageLab, site: Site) -> None:
    with pytest.raises(LabError, match="etcd is no unit of Kubernetes"):
        setup.upgrade(lab.stage["core-01"], "etcd", site, SETTINGS, engine="kubernetes-1.36")
