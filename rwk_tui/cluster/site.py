"""How things are set up on the machines right now, as their units' own configuration says."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rwk_tui.cluster import roles
from rwk_tui.cluster.access import Access
from rwk_tui.cluster.etcd import UNIT, Style, is_secured, peer_scheme
from rwk_tui.cluster.kubernetes import kubeconfig, pod_network
from rwk_tui.cluster.kubernetes.units import API_PORT, API_SERVER, KUBELET, engine_of
from rwk_tui.cluster.ops import ask
from rwk_tui.cluster.pki import Pki
from rwk_tui.lab.protocol import Lab, LabError, Machine, UnitSpec
from rwk_tui.private import write_whole

ADMIN_CONFIG = "admin.conf"


@dataclass(slots=True)
class Site:
    """The lab's machines with what is configured on them; `look` again whenever that may have changed.

    `versions` are those of the engines, by engine ("kubernetes", "kubernetes-1.36"). For as long as nothing is
    configured, `secure_next` says whether members will ask for certificates, and `engines_next` which engines run
    ("etcd": "etcd-3.6").
    """

    lab: Lab
    pki: Pki
    versions: Mapping[str, str] = field(default_factory=dict)
    secure_next: bool = False
    engines_next: Mapping[str, str] = field(default_factory=dict)
    _specs: dict[tuple[str, str], UnitSpec] = field(default_factory=dict, init=False)
    _runtimes: dict[str, str] = field(default_factory=dict, init=False)
    _plugins: dict[str, str] = field(default_factory=dict, init=False)
    _known: dict[roles.Papers, tuple[Access, tuple[int, ...]]] = field(default_factory=dict, init=False)

    async def look(self) -> None:
        """Ask every machine that can be asked; what is known of the others stays, unless their disk is gone."""
        names = list(self.lab.machines)
        statuses = await asyncio.gather(*(self.lab.machines[name].status() for name in names))
        for name, status in zip(names, statuses, strict=True):
            if not status.seen:
                continue
            for key in [key for key in self._specs if key[0] == name]:
                del self._specs[key]
            for unit, state in status.units.items():
                if state.spec is not None and status.power != "gone":
                    self._specs[name, unit] = state.spec
            if status.power == "up":
                self._runtimes[name] = status.runtime
                await self._look_for_plugins(name)

    async def _look_for_plugins(self, name: str) -> None:
        """Once there are some they stay; without any, somebody may install them."""
        if not self._runtimes[name] or self._plugins.get(name):
            return
        with contextlib.suppress(LabError, TimeoutError):
            listing = await ask(self.lab.machines[name], pod_network.list_plugins())
            self._plugins[name] = pod_network.plugins_in(listing.stdout)

    def runtime(self, machine: str) -> str:
        """The container runtime that a machine has, such as "containerd 1.6.20"; "" for none that is known of."""
        return self._runtimes.get(machine, "")

    def plugins(self, machine: str) -> str | None:
        """The directory of a machine's CNI plugins, "" if it has none, None while that is not known."""
        return self._plugins.get(machine)

    @property
    def runs_containers(self) -> bool:
        """Whether pods of any machine run in containers, if it is a worker."""
        return any(self._runtimes.get(name) and self._plugins.get(name) for name in self.lab.machines)

    def spec(self, machine: str, unit: str) -> UnitSpec | None:
        """How a unit is configured, None if it is not."""
        return self._specs.get((machine, unit))

    def machines_with(self, unit: str) -> list[Machine]:
        """The machines on which that unit is configured, in order."""
        return [machine for name, machine in self.lab.machines.items() if (name, unit) in self._specs]

    def engine(self, machine: str, unit: str) -> str:
        """The engine that a unit runs, such as "etcd-3.6"; "" for the newest."""
        spec = self.spec(machine, unit)
        return engine_of(spec.argv[0]) if spec is not None else ""

    def is_secured(self, machine: str) -> bool:
        """Whether the member of that machine asks for certificates, or will."""
        spec = self.spec(machine, UNIT)
        return self.secured if spec is None else is_secured(spec)

    @property
    def secured(self) -> bool:
        """Whether the members ask for certificates; before there is one, whether they will."""
        specs = [spec for (_, unit), spec in self._specs.items() if unit == UNIT]
        return any(is_secured(spec) for spec in specs) if specs else self.secure_next

    @property
    def scheme(self) -> str:
        """How the members are spoken to."""
        return "https" if self.secured else "http"

    def scheme_of(self, machine: str) -> str:
        """How clients speak to the member of that machine: while certificates are brought in, members differ."""
        return "https" if self.is_secured(machine) else "http"

    def peer_scheme_of(self, machine: str) -> str:
        """How its peers speak to the member of that machine, or will."""
        return peer_scheme(self.spec(machine, UNIT)) or self.scheme

    @property
    def style(self) -> Style:
        """How the next member is made: like those that are there, else as was asked for."""
        engines = {self.engine(machine.name, UNIT) for machine in self.machines_with(UNIT)}
        engine = engines.pop() if len(engines) == 1 else self.engines_next.get("etcd", "")
        return Style(self.secured, engine, self.lab.slack)

    @property
    def has_kubernetes(self) -> bool:
        """Whether any API server or kubelet is configured."""
        return any(unit in (API_SERVER, KUBELET) for _, unit in self._specs)

    # What lets the presenter in.

    def etcd_access(self) -> Access | None:
        """The presenter's way into members that ask for certificates, None before the authority exists."""
        return self._access(roles.PRESENTER)

    def api_access(self) -> Access | None:
        """The presenter's way into Kubernetes, None before the authority exists."""
        return self._access(roles.ADMIN)

    def _access(self, papers: roles.Papers) -> Access | None:
        """Asked for each request, so what was found is only looked into again when its files changed."""
        if not self.pki.exists(papers.authority):
            return None
        known = self._known.get(papers)
        if known is not None and known[1] == _written(known[0]):
            return known[0]
        access = roles.access(self.pki, papers)
        self._known[papers] = (access, _written(access))
        return access

    def admin_config(self) -> Path:
        """The presenter's kubeconfig, written now if it is not as it should be. Raises LabError."""
        access = roles.access(self.pki, roles.ADMIN)
        host, port = self.lab.any_address(API_PORT)
        content = kubeconfig.kubeconfig(
            server=f"https://{host}:{port}",
            ca=str(access.ca),
            cert=str(access.cert),
            key=str(access.key),
            user="kubernetes-admin",
        )
        path = self.pki.directory / ADMIN_CONFIG
        try:
            if not path.exists() or path.read_bytes() != content:
                write_whole(path, content)
        except OSError as error:
            raise LabError(f"{path}: {error.strerror or error}") from error
        return path

    def variables(self) -> dict[str, str]:
        """What the presenter's own etcdctl and kubectl need in their environment."""
        found: dict[str, str] = {}
        access = self.etcd_access() if self.secured else None
        if access is not None:
            found |= etcdctl_variables(str(access.ca), str(access.cert), str(access.key))
        if self.has_kubernetes or self.pki.exists("kubernetes"):
            found["KUBECONFIG"] = str(self.admin_config())
        return found


def _written(access: Access) -> tuple[int, ...]:
    """When the files were written (ns); 0 for one that is not there."""
    return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in (access.ca, access.cert, access.key))


def etcdctl_profile(machine: Machine) -> dict[str, str]:
    """What etcdctl needs in its environment on a machine whose member asks for certificates."""
    return etcdctl_variables(*(roles.place(machine, "etcd", file) for file in ("ca.crt", "client.crt", "client.key")))


def etcdctl_variables(ca: str, cert: str, key: str) -> dict[str, str]:
    """The environment with which etcdctl shows a certificate."""
    return {"ETCDCTL_CACERT": ca, "ETCDCTL_CERT": cert, "ETCDCTL_KEY": key}
