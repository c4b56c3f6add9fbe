"""Setting up an API server, its controllers and workers, as operations in the order in which they are done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from rwk_tui.cluster import roles
from rwk_tui.cluster.files import File, ProfileOp, PutOp, certificates, in_words
from rwk_tui.cluster.kubernetes import kubelet
from rwk_tui.cluster.kubernetes.api_server import api_server_spec
from rwk_tui.cluster.kubernetes.controllers import config_of, controller_manager_spec, own_api, scheduler_spec
from rwk_tui.cluster.kubernetes.kubeconfig import kubeconfig
from rwk_tui.cluster.kubernetes.units import API_PORT, API_SERVER, CONTROLLER_MANAGER, KUBELET, SCHEDULER, program
from rwk_tui.cluster.ops import Op, OpResult, RunOp, Tell, Together, UnitOp
from rwk_tui.cluster.pki import Pki
from rwk_tui.cluster.roles import Papers
from rwk_tui.cluster.site import Site, etcdctl_profile
from rwk_tui.lab.protocol import LabError, Machine, UnitSpec, UnitVerb
from rwk_tui.settings import Settings

NODE_FILE = "etc/kubernetes/node.yaml"


@dataclass(slots=True)
class ApiServerOp:
    """Start (or restart) the API server on a machine; which members it stands on is looked up just before."""

    on: Machine
    site: Site
    settings: Settings
    verb: UnitVerb = "start"
    engine: str = ""
    _etcd: Sequence[Machine] = field(default=(), init=False)

    @property
    def machine(self) -> str:
        return self.on.name

    async def resolve(self) -> None:
        await self.site.look()
        self._etcd = self.site.machines_with("etcd")
        if not self._etcd:
            raise LabError("an API server needs etcd: no machine has a member yet")
        if not self.site.secured:
            raise LabError("an API server is only set up on members that ask for certificates; this etcd does not")

    def _spec(self) -> UnitSpec:
        etcd = self._etcd or self.site.machines_with("etcd") or list(self.site.lab.machines.values())
        return api_server_spec(self.on, self.settings, etcd, engine=self.engine)

    def command(self) -> str:
        return self.on.unit(API_SERVER).show_spec(self.verb, self._spec())

    async def run(self, tell: Tell) -> OpResult:
        if not self._etcd:
            await self.resolve()
        return await UnitOp(self.on, API_SERVER, self.verb, self._spec()).run(tell)


def secure_member(machine: Machine, site: Site) -> tuple[Op, ...]:
    """Put a member's certificates on its machine, and let the commands that are run there use them."""
    papers = roles.etcd_member(machine)
    return (
        PutOp(machine, certificates(site.pki, papers), in_words(papers)),
        ProfileOp(machine, "ETCDCTL_CACERT, ETCDCTL_CERT and ETCDCTL_KEY", lambda: etcdctl_profile(machine)),
    )


def let_presenter_in(site: Site) -> Op:
    """Give the presenter's desk certificates and a kubeconfig, as far as there is something to be let into."""
    return ProfileOp(site.lab.desk, "KUBECONFIG and what etcdctl shows", site.variables)


def api_server(machine: Machine, site: Site, settings: Settings, *, engine: str = "") -> tuple[Op, ...]:
    """Start an API server on a machine, on top of every etcd member there is."""
    papers = roles.api_server(machine, site.lab)
    files = (*certificates(site.pki, papers), *_service_accounts(site.pki))
    return (
        PutOp(machine, files, f"{in_words(papers)}, and the keys of service accounts"),
        ApiServerOp(machine, site, settings, engine=engine),
        let_presenter_in(site),
    )


def controllers(machine: Machine, site: Site, settings: Settings, *, engine: str = "") -> tuple[Op, ...]:
    """Start a controller manager and a scheduler on a machine that has an API server."""
    papers = (roles.CONTROLLER_MANAGER, roles.SCHEDULER)
    configs = tuple(
        _config(machine, unit, one, own_api(machine))
        for unit, one in ((CONTROLLER_MANAGER, papers[0]), (SCHEDULER, papers[1]))
    )
    files = (*certificates(site.pki, papers), *_service_accounts(site.pki), *configs)
    starts = (
        UnitOp(machine, CONTROLLER_MANAGER, "start", controller_manager_spec(machine, settings, engine=engine)),
        UnitOp(machine, SCHEDULER, "start", scheduler_spec(machine, settings, engine=engine)),
    )
    return (PutOp(machine, files, f"{in_words(papers)}, and a kubeconfig for each"), Together(starts))


def worker(machine: Machine, site: Site, settings: Settings, *, engine: str = "") -> tuple[Op, ...]:
    """Let a machine join as a worker: its kubelet gets a certificate, registers its node and starts."""
    version = site.versions.get(engine or "kubernetes", "")
    papers = (roles.node(machine),)
    files = (
        *certificates(site.pki, papers),
        _config(machine, KUBELET, papers[0], machine.any_url(API_PORT, scheme="https")),
        *_stages(site, version),
        File(NODE_FILE, partial(kubelet.node_object, machine)),
        File("etc/kwok/rights.yaml", kubelet.kwok_rights),
    )
    config = f"--kubeconfig={config_of(machine, KUBELET)}"
    return (
        PutOp(machine, files, f"{in_words(papers)}, its kubeconfig, and how kwok plays a kubelet of {version}"),
        RunOp(site.lab.desk, (program("kubectl", engine), "apply", "-f", f"{machine.data}/etc/kwok/rights.yaml")),
        RunOp(machine, (program("kubectl", engine), config, "apply", "-f", f"{machine.data}/{NODE_FILE}")),
        UnitOp(machine, KUBELET, "start", kubelet.kwok_spec(machine, settings, version=version)),
    )


def upgrade(machine: Machine, unit: str, site: Site, settings: Settings, *, engine: str) -> tuple[Op, ...]:
    """Run a unit of Kubernetes from another engine, such as "kubernetes-1.37"; everything else stays."""
    match unit:
        case "kube-apiserver":
            return (ApiServerOp(machine, site, settings, "restart", engine),)
        case "kube-controller-manager":
            spec = controller_manager_spec(machine, settings, engine=engine)
        case "kube-scheduler":
            spec = scheduler_spec(machine, settings, engine=engine)
        case "kubelet":
            version = site.versions.get(engine, "")
            put = PutOp(machine, _stages(site, version), f"how kwok plays a kubelet of {version}")
            return (put, UnitOp(machine, unit, "restart", kubelet.kwok_spec(machine, settings, version=version)))
        case _:
            raise LabError(f"{unit} is no unit of Kubernetes")
    return (UnitOp(machine, unit, "restart", spec),)


def _config(machine: Machine, unit: str, papers: Papers, server: str) -> File:
    content: Callable[[], bytes] = partial(
        kubeconfig,
        server=server,
        ca=roles.place(machine, "kubernetes", "ca.crt"),
        cert=roles.place(machine, "kubernetes", f"{papers.file}.crt"),
        key=roles.place(machine, "kubernetes", f"{papers.file}.key"),
        user=papers.identity.name,
    )
    return File(f"etc/kubernetes/{unit}.conf", content)


def _stages(site: Site, version: str) -> tuple[File, ...]:
    own = site.versions.get("kwok", "")
    return (File(kubelet.STAGES.format(version=version), partial(kubelet.stages, version, own), 0o644),)


def _service_accounts(pki: Pki) -> tuple[File, ...]:
    return (
        File("pki/service-accounts.pub", lambda: pki.key_pair("service-accounts").cert.read_bytes(), 0o644),
        File("pki/service-accounts.key", lambda: pki.key_pair("service-accounts").key.read_bytes()),
    )
