"""Who gets which certificate, and where its files lie on a machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from rwk_tui.cluster.access import Access
from rwk_tui.cluster.certificates import Identity
from rwk_tui.cluster.kubernetes.units import API_PORT, KUBELET_PORT
from rwk_tui.cluster.pki import Authority, Pair, Pki
from rwk_tui.lab.protocol import Lab, Machine

ETCD_PORTS = (2379, 2380)
SERVICE_IP = "10.96.0.1"
"""The first address of the services' range, under which pods know the API."""


@dataclass(frozen=True, slots=True)
class Papers:
    """A certificate that belongs on a machine: who vouches, the name of its files there, and whom it names."""

    authority: Authority
    file: str
    identity: Identity
    issued_as: str = ""
    """The name of its files in the authority's directory, where that must tell machines apart; "" is the same name."""


def etcd_member(machine: Machine) -> tuple[Papers, ...]:
    """What a member shows its clients and its peers.

    Peers dial each other and show the same certificate as clients, so it is good for both; etcd compares the dialler's
    address with it, and dials within loopback come from 127.0.0.1.
    """
    hosts = _hosts(machine, ETCD_PORTS)
    return (
        Papers("etcd", "server", Identity(machine.name, hosts=hosts, usage="both"), f"{machine.name}-server"),
        Papers("etcd", "peer", Identity(machine.name, hosts=hosts, usage="both"), f"{machine.name}-peer"),
        Papers("etcd", "client", Identity("presenter"), "presenter"),
    )


def api_server(machine: Machine, lab: Lab) -> tuple[Papers, ...]:
    """What an API server shows its clients, and shows to etcd and to servers that it passes requests on to."""
    front, _ = lab.any_address(API_PORT)
    own = urlsplit(machine.any_url(API_PORT)).hostname or ""
    names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
    hosts = (*names, *_hosts(machine, (API_PORT,)), machine.bind(API_PORT, public=True)[0], front, own, SERVICE_IP)
    # Any machine's balancer may lead here, and it is known by that machine's own address.
    fronts = tuple(urlsplit(other.any_url(API_PORT)).hostname or "" for other in lab.machines.values())
    identity = Identity("kube-apiserver", hosts=_unique((*hosts, *fronts)), usage="server")
    return (
        Papers("kubernetes", "apiserver", identity, f"{machine.name}-apiserver"),
        Papers("etcd", "apiserver", Identity("kube-apiserver-etcd-client")),
        Papers("front-proxy", "client", Identity("front-proxy-client")),
    )


CONTROLLER_MANAGER = Papers("kubernetes", "controller-manager", Identity("system:kube-controller-manager"))
SCHEDULER = Papers("kubernetes", "scheduler", Identity("system:kube-scheduler"))
TO_KUBELETS = Papers(
    "kubernetes", "apiserver-kubelet-client", Identity("kube-apiserver-kubelet-client", group="system:masters")
)
"""What an API server shows kubelets that it calls, which ask an API server whether this one may."""
ADMIN = Papers("kubernetes", "admin", Identity("kubernetes-admin", group="system:masters"))
PRESENTER = Papers("etcd", "presenter", Identity("presenter"))


def node(machine: Machine) -> Papers:
    """What a kubelet shows the API server: it may only touch its own node and the pods that run there."""
    return Papers("kubernetes", "kubelet", Identity(f"system:node:{machine.name}", "system:nodes"), machine.name)


def kubelet_server(machine: Machine) -> Papers:
    """What a kubelet shows API servers that call it."""
    hosts = _unique((machine.name, machine.address, machine.bind(KUBELET_PORT, public=True)[0]))
    identity = Identity(f"system:node:{machine.name}", "system:nodes", hosts, "server")
    return Papers("kubernetes", "kubelet-server", identity, f"{machine.name}-kubelet-server")


def issue(pki: Pki, papers: Papers, *, anew: bool = False) -> Pair:
    """The files, made now if they are not there yet, or in any case with `anew`. Raises LabError."""
    return pki.issue(papers.authority, papers.issued_as or papers.file, papers.identity, anew=anew)


def access(pki: Pki, papers: Papers) -> Access:
    """The same for the presenter's own programs."""
    pair = issue(pki, papers)
    return Access(ca=pki.authority(papers.authority).cert, cert=pair.cert, key=pair.key)


def place(machine: Machine, authority: Authority, file: str) -> str:
    """The path on the machine of a file of an authority, such as "server.crt"."""
    return f"{machine.data}/pki/{authority}/{file}"


def _hosts(machine: Machine, ports: Iterable[int]) -> tuple[str, ...]:
    """Every name and address under which the machine's ports are dialled, or its programs dial."""
    urls = [url for port in ports for url in (machine.url(port), *machine.listen_urls(port, public=True))]
    return _unique(
        (machine.name, "localhost", "127.0.0.1", machine.address, *(urlsplit(u).hostname or "" for u in urls))
    )


def _unique(hosts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, hosts)))
