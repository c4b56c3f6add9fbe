"""A machine becomes a worker: with a kubelet that runs containers where it has what that takes, else with kwok."""

from __future__ import annotations

from functools import partial
from pathlib import PurePath

from rwk_tui.cluster import roles
from rwk_tui.cluster.files import File, PutOp, certificates, in_words
from rwk_tui.cluster.kubernetes import containers, kubelet, kwok, pod_network
from rwk_tui.cluster.kubernetes.configs import config_file
from rwk_tui.cluster.kubernetes.controllers import config_of
from rwk_tui.cluster.kubernetes.units import API_PORT, KUBELET, program
from rwk_tui.cluster.ops import Op, RunOp, UnitOp
from rwk_tui.cluster.site import Site
from rwk_tui.lab.protocol import LabError, Machine
from rwk_tui.settings import Settings

NODE_FILE = "etc/kubernetes/node.yaml"
RIGHTS_FILE = "kwok-rights.yaml"


def worker(machine: Machine, site: Site, settings: Settings, *, engine: str = "") -> tuple[Op, ...]:
    """Let a machine join as a worker. Raises LabError if it is not known what it has, or where images are."""
    if site.runtime(machine.name):
        plugins = site.plugins(machine.name)
        if plugins is None:
            raise LabError(f"{machine.name} could not be asked for its CNI plugins: try again once it answers")
        if plugins:
            return _with_containers(machine, site, settings, plugins, engine)
    return _with_kwok(machine, site, settings, engine)


def upgrade(machine: Machine, site: Site, settings: Settings, *, engine: str) -> tuple[Op, ...]:
    """Run the kubelet of another engine, of the same kind as the one that is there; its pods run on."""
    spec = site.spec(machine.name, KUBELET)
    if spec is not None and PurePath(spec.argv[0]).name != kwok.KWOK:
        return (_ask_version(machine, engine), _restart(machine, engine))
    version = site.versions.get(engine, "")
    put = PutOp(machine, _stages(site, version), f"how kwok plays a kubelet of {version}")
    return (put, UnitOp(machine, KUBELET, "restart", kwok.kwok_spec(machine, settings, version=version)))


def routes(machine: Machine, site: Site) -> tuple[Op, ...]:
    """Let a machine reach the pods of all others, where pods run in containers."""
    if not site.runs_containers:
        return ()
    files = (containers.script(pod_network.SCRIPT),)
    spec = pod_network.routes_spec(machine, site.lab.machines.values())
    return (PutOp(machine, files, "the ways to all pods"), UnitOp(machine, pod_network.ROUTES, "start", spec))


def _with_containers(machine: Machine, site: Site, settings: Settings, plugins: str, engine: str) -> tuple[Op, ...]:
    """A kubelet on a containerd of its own; it registers its node by itself."""
    papers = (roles.node(machine), roles.kubelet_server(machine))
    files = (
        *certificates(site.pki, papers),
        config_file(machine, KUBELET, papers[0], machine.any_url(API_PORT, scheme="https")),
        File(kubelet.CONFIG, partial(kubelet.kubelet_config, machine, settings), 0o644),
        File(containers.CONFIG, partial(containers.containerd_config, machine, plugins), 0o644),
        File(pod_network.CONFIG, partial(pod_network.network_config, machine, containers.directory(machine)), 0o644),
        containers.script(containers.SCRIPT),
        containers.script(kubelet.SCRIPT),
    )
    what = f"its kubeconfig, and how its kubelet and {site.runtime(machine.name)} are configured"
    return (
        PutOp(machine, files, f"{in_words(papers)}, {what}"),
        *routes(machine, site),
        UnitOp(machine, containers.CONTAINERD, "start", containers.containerd_spec(machine)),
        *containers.load_images(machine, settings.images, site.lab.slack),
        _ask_version(machine, engine),
        UnitOp(machine, KUBELET, "start", kubelet.kubelet_spec(machine, engine=engine)),
    )


def _ask_version(machine: Machine, engine: str) -> Op:
    """The machine has that kubelet afterwards, whichever way programs get there."""
    return RunOp(machine, (program(KUBELET, engine), "--version"))


def _restart(machine: Machine, engine: str) -> Op:
    return UnitOp(machine, KUBELET, "restart", kubelet.kubelet_spec(machine, engine=engine))


def _with_kwok(machine: Machine, site: Site, settings: Settings, engine: str) -> tuple[Op, ...]:
    """A certificate for its kubelet, a node that is registered, and kwok, which may look a little further."""
    version = site.versions.get(engine or "kubernetes", "")
    papers = (roles.node(machine),)
    files = (
        *certificates(site.pki, papers),
        config_file(machine, KUBELET, papers[0], machine.any_url(API_PORT, scheme="https")),
        *_stages(site, version),
        File(NODE_FILE, partial(kwok.node_object, machine)),
    )
    config = f"--kubeconfig={config_of(machine, KUBELET)}"
    runtime = site.runtime(machine.name)
    because = f" ({runtime} is there, but no CNI plugins, so no containers)" if runtime else ""
    what = f"its kubeconfig, and how kwok plays a kubelet of {version}{because}"
    desk = site.lab.desk
    return (
        PutOp(machine, files, f"{in_words(papers)}, {what}"),
        PutOp(desk, (File(RIGHTS_FILE, kwok.kwok_rights),), "what kwok may look at"),
        RunOp(desk, (program("kubectl", engine), "apply", "-f", RIGHTS_FILE)),
        RunOp(machine, (program("kubectl", engine), config, "apply", "-f", f"{machine.data}/{NODE_FILE}")),
        UnitOp(machine, KUBELET, "start", kwok.kwok_spec(machine, settings, version=version)),
    )


def _stages(site: Site, version: str) -> tuple[File, ...]:
    own = site.versions.get("kwok", "")
    return (File(kwok.STAGES.format(version=version), partial(kwok.stages, version, own), 0o644),)
