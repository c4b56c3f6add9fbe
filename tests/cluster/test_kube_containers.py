"""Workers that run containers: what decides it, what is put on them, what is started, and with which flags."""

from __future__ import annotations

import json
import tarfile
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.images import PAUSE, make_images
from support.ops import do
from support.story_fakes import StageLab, StageMachine
from support.tools import unavailable

from rwk_tui.cluster.etcd import Static, Style, member_spec
from rwk_tui.cluster.kubernetes import containers, pod_network, setup
from rwk_tui.cluster.kubernetes.kubelet import kubelet_config, kubelet_spec
from rwk_tui.cluster.pki import Pki
from rwk_tui.cluster.site import Site
from rwk_tui.lab.protocol import LabError, Listen
from rwk_tui.settings import Settings

SETTINGS = Settings(state=Path("/nowhere"), engine_cache=Path("/nowhere"))
RUNTIME = "containerd 1.6.20"
PLUGINS = "\n".join(f"/usr/lib/cni/{name}" for name in ("bridge", "host-local", "loopback"))


@pytest.fixture
def lab() -> StageLab:
    return StageLab()


@pytest.fixture
async def site(lab: StageLab, tmp_path: Path) -> Site:
    """Two machines have containerd with CNI plugins, core-03 has it without them."""
    versions = {"kubernetes": "1.37.2", "kubernetes-1.36": "1.36.3", "kwok": "0.8.0"}
    found = Site(lab, Pki(tmp_path / "pki"), versions, secure_next=True)
    for machine in lab.stage.values():
        machine.now = replace(machine.now, runtime=RUNTIME)
        machine.answers["ls"] = (0, PLUGINS if machine.name != "core-03" else "/opt/cni/bin/bridge")
    await found.look()
    for machine in lab.stage.values():
        machine.ran.clear()
    return found


def argv(machine: StageMachine, unit: str) -> tuple[str, ...]:
    spec = machine.units[unit].spec
    assert spec is not None
    return spec.argv


def paths_in(found: object) -> set[str]:
    """Every path below the machine's directory that is named anywhere in there."""
    if isinstance(found, dict):
        return set().union(*(paths_in(value) for value in found.values()))
    if isinstance(found, (list, tuple)):
        return set().union(*(paths_in(value) for value in found))
    words = str(found).rpartition("=")[2]
    return {words.removeprefix("/nowhere/")} if words.startswith("/nowhere/") else set()


async def test_a_worker_with_a_runtime_gets_a_kubelet_on_a_containerd_of_its_own(lab: StageLab, site: Site) -> None:
    machine = lab.stage["core-02"]
    shown = await do(setup.worker(machine, site, SETTINGS))
    assert shown == [
        "# core-02 gets certificates for system:node:core-02 (kubernetes CA), system:node:core-02 (kubernetes CA), "
        "its kubeconfig, and how its kubelet and containerd 1.6.20 are configured",
        "# core-02 gets the ways to all pods",
        "start pod-routes",
        "start containerd",
        "kubelet --version",
        "start kubelet",
    ]
    assert lab.desk.ran == [], "a kubelet registers its node by itself, and needs no rights beyond a kubelet's"
    given = set(machine.files)
    assert paths_in(yaml.safe_load(machine.files["etc/kubernetes/kubelet.conf"][0])) <= given
    config = yaml.safe_load(machine.files["etc/kubernetes/kubelet.yaml"][0])
    read = {key: config[key] for key in ("authentication", "tlsCertFile", "tlsPrivateKeyFile")}
    assert paths_in(read) <= given, "what it reads is there"
    scripts = {argv(machine, unit)[1] for unit in ("pod-routes", "containerd", "kubelet")}
    assert {path.removeprefix("/nowhere/") for path in scripts} <= given


async def test_a_runtime_without_plugins_is_not_used_and_it_is_said_why(lab: StageLab, site: Site) -> None:
    machine = lab.stage["core-03"]
    shown = await do(setup.worker(machine, site, SETTINGS))
    assert shown[0].endswith(
        "how kwok plays a kubelet of 1.37.2 (containerd 1.6.20 is there, but no CNI plugins, so no containers)"
    )
    assert argv(machine, "kubelet")[0] == "kwok"
    assert "containerd" not in machine.units and "pod-routes" not in machine.units


async def test_a_machine_that_could_not_be_asked_is_no_worker_yet(lab: StageLab, tmp_path: Path) -> None:
    site = Site(lab, Pki(tmp_path), {}, secure_next=True)
    machine = lab.stage["core-01"]
    machine.now = replace(machine.now, runtime=RUNTIME)

    async def gone(*_: object, **__: object) -> Any:
        raise LabError("no answer")

    machine.run = gone  # type: ignore[method-assign]
    await site.look()
    assert site.plugins("core-01") is None and not site.runs_containers
    with pytest.raises(LabError, match="core-01 could not be asked for its CNI plugins"):
        setup.worker(machine, site, SETTINGS)


async def test_plugins_are_looked_for_until_there_are_some(lab: StageLab, site: Site) -> None:
    assert (site.plugins("core-02"), site.plugins("core-03"), site.runs_containers) == ("/usr/lib/cni", "", True)
    lab.stage["core-03"].answers["ls"] = (0, PLUGINS)
    await site.look()
    assert site.plugins("core-03") == "/usr/lib/cni"
    assert lab.stage["core-02"].ran == [], "and not again"
    assert site.runtime("core-02") == RUNTIME
    lab.stage["core-02"].now = replace(lab.stage["core-02"].now, power="halted", runtime="")
    await site.look()
    assert site.runtime("core-02") == RUNTIME, "a machine that is off still has it"


async def test_an_api_server_can_call_kubelets_and_reach_pods(lab: StageLab, site: Site) -> None:
    machine = lab.stage["core-01"]
    spec = member_spec(machine, SETTINGS, Static({}), style=Style(secured=True))
    await machine.unit("etcd").configure(spec)
    shown = await do(setup.api_server(machine, site, SETTINGS))
    assert "kube-apiserver-kubelet-client (kubernetes CA)" in shown[0]
    assert shown[2:4] == ["# core-01 gets the ways to all pods", "start pod-routes"]
    flags = argv(machine, "kube-apiserver")
    assert [flag for flag in flags if "kubelet" in flag] == [
        "--kubelet-client-certificate=/nowhere/pki/kubernetes/apiserver-kubelet-client.crt",
        "--kubelet-client-key=/nowhere/pki/kubernetes/apiserver-kubelet-client.key",
        "--kubelet-certificate-authority=/nowhere/pki/kubernetes/ca.crt",
        "--kubelet-preferred-address-types=InternalIP,Hostname",
    ]
    assert paths_in(flags) <= set(machine.files)
    await site.look()
    await do(setup.upgrade(machine, "kube-apiserver", site, SETTINGS, engine="kubernetes-1.36"))
    assert argv(machine, "kube-apiserver")[1:] == flags[1:], "upgraded, it still can"


async def test_an_api_server_that_never_had_the_certificate_is_not_told_of_it(lab: StageLab, tmp_path: Path) -> None:
    site = Site(lab, Pki(tmp_path), {}, secure_next=True)
    machine = lab.stage["core-01"]
    await machine.unit("etcd").configure(member_spec(machine, SETTINGS, Static({}), style=Style(secured=True)))
    await do(setup.api_server(machine, site, SETTINGS))
    machine.now = replace(machine.now, runtime=RUNTIME)
    machine.answers["ls"] = (0, PLUGINS)
    await site.look()
    assert site.runs_containers
    await do(setup.upgrade(machine, "kube-apiserver", site, SETTINGS, engine="kubernetes-1.36"))
    assert not any("kubelet" in flag for flag in argv(machine, "kube-apiserver"))


async def test_an_upgrade_keeps_the_kind_of_kubelet(lab: StageLab, site: Site) -> None:
    machine = lab.stage["core-02"]
    await do(setup.worker(machine, site, SETTINGS))
    await site.look()
    before = argv(machine, "kubelet")
    shown = await do(setup.upgrade(machine, "kubelet", site, SETTINGS, engine="kubernetes-1.36"))
    assert shown == ["kubernetes-1.36/kubelet --version", "restart kubelet"]
    assert argv(machine, "kubelet") == tuple(
        "kubernetes-1.36/kubelet" if word == "kubelet" else word for word in before
    )


def test_the_kubelet_waits_for_its_containerd_and_is_called_by_others() -> None:
    machine = StageLab().stage["core-02"]
    spec = kubelet_spec(machine, engine="kubernetes-1.36")
    assert spec.argv == (
        "python3",
        "/nowhere/bin/when_served.py",
        "/nowhere/containerd/containerd.sock",
        "kubernetes-1.36/kubelet",
        "--config=/nowhere/etc/kubernetes/kubelet.yaml",
        "--kubeconfig=/nowhere/etc/kubernetes/kubelet.conf",
        "--root-dir=/nowhere/kubelet",
        "--hostname-override=core-02",
        "--node-ip=10.0.0.2",
    )
    assert spec.listens == (Listen(10250, public=True, bound=True),) and spec.after == ("containerd",)


@pytest.mark.parametrize(("fast", "lease", "every"), [(False, 20, "5s"), (True, 8, "2s")])
def test_what_a_kubelet_is_told(fast: bool, lease: int, every: str) -> None:
    machine = StageLab().stage["core-02"]
    config = yaml.safe_load(kubelet_config(machine, replace(SETTINGS, fast=fast)))
    assert (config["nodeLeaseDurationSeconds"], config["nodeStatusUpdateFrequency"]) == (lease, every)
    assert (config["address"], config["port"]) == ("10.0.0.2", 10250)
    assert config["authentication"]["anonymous"] == {"enabled": False} and config["authorization"] == {
        "mode": "Webhook"
    }
    assert config["containerRuntimeEndpoint"] == "unix:///nowhere/containerd/containerd.sock"
    either = {"failCgroupV1": False, "failSwapOn": False, "cgroupsPerQOS": False, "enforceNodeAllocatable": []}
    assert {key: config[key] for key in either} == either, "any control groups, any swap"
    assert all(path.startswith("/nowhere/") for path in (config["podLogsDir"], config["volumePluginDir"]))


def test_containerd_keeps_everything_in_one_directory_of_ours() -> None:
    machine = StageLab().stage["core-02"]
    assert containers.containerd_spec(machine).argv == (
        "python3",
        "/nowhere/bin/containerd.py",
        "/nowhere/containerd",
        "/nowhere/etc/containerd/config.toml",
    )
    config = tomllib.loads(containers.containerd_config(machine, "/usr/lib/cni").decode())
    plugin = config["plugins"]["io.containerd.grpc.v1.cri"]
    runc = plugin["containerd"]["runtimes"]["runc"]
    inside = (config["root"], config["state"], config["grpc"]["address"], config["debug"]["address"])
    assert all(path.startswith("/nowhere/containerd/") for path in (*inside, runc["options"]["Root"]))
    assert (plugin["sandbox_image"], plugin["containerd"]["snapshotter"]) == (PAUSE, "SNAPSHOTTER")
    assert plugin["cni"]["bin_dir"] == "/usr/lib/cni" and plugin["cni"]["conf_dir"] == "/nowhere/etc/cni/net.d"
    assert len("/var/lib/rwk/disk/containerd/containerd.sock.ttrpc") < 100, "a socket's path is short"


def test_each_machine_has_pods_of_its_own_and_leads_to_those_of_others() -> None:
    lab = StageLab()
    machine = lab.stage["core-02"]
    spec = pod_network.routes_spec(machine, lab.machines.values())
    assert spec.argv == ("python3", "/nowhere/bin/pod_routes.py", "10.244.1.0/24=10.0.0.1", "10.244.3.0/24=10.0.0.3")
    (bridge,) = json.loads(pod_network.network_config(machine, "/nowhere/containerd"))["plugins"]
    assert bridge["ipam"]["ranges"] == [[{"subnet": "10.244.2.0/24"}]]
    assert bridge["ipam"]["dataDir"].startswith("/nowhere/")


def test_plugins_count_where_all_of_them_are_in_one_place() -> None:
    assert pod_network.plugins_in(PLUGINS) == "/usr/lib/cni"
    assert pod_network.plugins_in(PLUGINS.replace("loopback", "ptp") + "\n/opt/cni/bin/loopback") == ""
    assert set(pod_network.plugins_in("\n".join(pod_network.list_plugins())).split()) == {"/opt/cni/bin"}


async def test_images_are_put_and_imported_before_the_kubelet_starts(lab: StageLab, site: Site, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    (images / "web.tar").write_bytes(b"x" * 2_000_000)
    machine = lab.stage["core-02"]
    shown = await do(setup.worker(machine, site, replace(SETTINGS, images=images)))
    assert shown[4:6] == [
        "# core-02 gets the image archive web.tar (2.0 MB)",
        "ctr --address /nowhere/containerd/containerd.sock --namespace k8s.io images import --no-unpack "
        "/nowhere/images/web.tar",
    ]
    assert len(machine.files["images/web.tar"][0]) == 2_000_000
    (images / "web.tar").unlink()
    with pytest.raises(LabError, match=r"there is no \*\.tar in .*images; save some there"):
        setup.worker(machine, site, replace(SETTINGS, images=images))


def test_the_archives_of_the_tests_are_named_as_the_chapters_name_them(tmp_path: Path) -> None:
    made = make_images(tmp_path / "images")
    if made is None:
        unavailable("no busybox-static here")
    names = set()
    for archive in made.glob("*.tar"):
        with tarfile.open(archive) as tar:
            manifest = tar.extractfile("manifest.json")
            assert manifest is not None
            (image,) = json.load(manifest)
            names |= set(image["RepoTags"])
            assert {image["Config"], *image["Layers"]} <= set(tar.getnames())
    chapter = (Path(__file__).parents[2] / "scenarios" / "11-workers.yaml").read_text("utf-8")
    (web,) = names - {PAUSE}
    assert f"--image={web.removeprefix('docker.io/library/')} " in chapter
