"""Setting up an API server, its controllers and workers, as operations in the order in which they are done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rwk_tui.cluster import roles
from rwk_tui.cluster.files import File, ProfileOp, PutOp, certificates, in_words
from rwk_tui.cluster.kubernetes.api_server import api_server_spec, calls_kubelets
from rwk_tui.cluster.kubernetes.configs import config_file
from rwk_tui.cluster.kubernetes.controllers import controller_manager_spec, own_api, scheduler_spec
from rwk_tui.cluster.kubernetes.units import API_SERVER, CONTROLLER_MANAGER, SCHEDULER
from rwk_tui.cluster.kubernetes.worker import routes
from rwk_tui.cluster.kubernetes.worker import upgrade as upgrade_kubelet
from rwk_tui.cluster.kubernetes.worker import worker as worker
from rwk_tui.cluster.ops import Op, OpResult, Tell, Together, UnitOp
from rwk_tui.cluster.pki import Pki
from rwk_tui.cluster.site import Site, etcdctl_profile
from rwk_tui.lab.protocol import LabError, Machine, UnitSpec, UnitVerb
from rwk_tui.settings import Settings


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
        before = self.site.spec(self.on.name, API_SERVER) if self.verb != "start" else None
        # Certificates for it are put there when it is set up, so later that is what counts.
        kubelets = calls_kubelets(before) if before is not None else self.site.runs_containers
        return api_server_spec(self.on, self.settings, etcd, engine=self.engine, kubelets=kubelets)

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
    if site.runs_containers:
        papers = (*papers, roles.TO_KUBELETS)
    files = (*certificates(site.pki, papers), *_service_accounts(site.pki))
    return (
        PutOp(machine, files, f"{in_words(papers)}, and the keys of service accounts"),
        ApiServerOp(machine, site, settings, engine=engine),
        *routes(machine, site),
        let_presenter_in(site),
    )


def controllers(machine: Machine, site: Site, settings: Settings, *, engine: str = "") -> tuple[Op, ...]:
    """Start a controller manager and a scheduler on a machine that has an API server."""
    papers = (roles.CONTROLLER_MANAGER, roles.SCHEDULER)
    configs = tuple(
        config_file(machine, unit, one, own_api(machine))
        for unit, one in ((CONTROLLER_MANAGER, papers[0]), (SCHEDULER, papers[1]))
    )
    files = (*certificates(site.pki, papers), *_service_accounts(site.pki), *configs)
    starts = (
        UnitOp(machine, CONTROLLER_MANAGER, "start", controller_manager_spec(machine, settings, engine=engine)),
        UnitOp(machine, SCHEDULER, "start", scheduler_spec(machine, settings, engine=engine)),
    )
    return (PutOp(machine, files, f"{in_words(papers)}, and a kubeconfig for each"), Together(starts))


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
            return upgrade_kubelet(machine, site, settings, engine=engine)
        case _:
            raise LabError(f"{unit} is no unit of Kubernetes")
    return (UnitOp(machine, unit, "restart", spec),)


def _service_accounts(pki: Pki) -> tuple[File, ...]:
    return (
        File("pki/service-accounts.pub", lambda: pki.key_pair("service-accounts").cert.read_bytes(), 0o644),
        File("pki/service-accounts.key", lambda: pki.key_pair("service-accounts").key.read_bytes()),
    )
