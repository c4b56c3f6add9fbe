"""The API server as a unit."""

from __future__ import annotations

from collections.abc import Sequence

from rwk_tui.cluster.etcd import client_url
from rwk_tui.cluster.kubernetes.timings import timings
from rwk_tui.cluster.kubernetes.units import API_PORT, API_SERVER, program
from rwk_tui.cluster.pki import Authority
from rwk_tui.cluster.roles import place
from rwk_tui.lab.protocol import Listen, Machine, UnitSpec
from rwk_tui.settings import Settings

SERVICES = "10.96.0.0/16"
ISSUER = "https://kubernetes.default.svc.cluster.local"


TO_KUBELETS = "--kubelet-client-certificate="


def calls_kubelets(spec: UnitSpec) -> bool:
    """Whether an API server that runs so can call kubelets, as for logs of containers."""
    return any(word.startswith(TO_KUBELETS) for word in spec.argv)


def api_server_spec(
    machine: Machine, settings: Settings, etcd: Sequence[Machine], *, engine: str = "", kubelets: bool = False
) -> UnitSpec:
    """The unit on that machine, on top of the members of all `etcd` machines, which must ask for certificates.

    With `kubelets` it has a certificate with which it calls them.
    """
    host, port = machine.bind(API_PORT, public=True)
    toleration = timings(settings).toleration

    def pki(authority: Authority, file: str) -> str:
        return place(machine, authority, file)

    calling = (
        TO_KUBELETS + pki("kubernetes", "apiserver-kubelet-client.crt"),
        f"--kubelet-client-key={pki('kubernetes', 'apiserver-kubelet-client.key')}",
        f"--kubelet-certificate-authority={pki('kubernetes', 'ca.crt')}",
        "--kubelet-preferred-address-types=InternalIP,Hostname",
    )
    # Its own machine's member is asked without the network in between.
    members = (client_url(member, public=member.name != machine.name, scheme="https") for member in etcd)
    argv = (
        program(API_SERVER, engine),
        f"--advertise-address={machine.advertised}",
        f"--bind-address={host}",
        f"--secure-port={port}",
        f"--etcd-servers={','.join(members)}",
        f"--etcd-cafile={pki('etcd', 'ca.crt')}",
        f"--etcd-certfile={pki('etcd', 'apiserver.crt')}",
        f"--etcd-keyfile={pki('etcd', 'apiserver.key')}",
        f"--client-ca-file={pki('kubernetes', 'ca.crt')}",
        f"--tls-cert-file={pki('kubernetes', 'apiserver.crt')}",
        f"--tls-private-key-file={pki('kubernetes', 'apiserver.key')}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        f"--service-account-issuer={ISSUER}",
        f"--service-account-key-file={machine.data}/pki/service-accounts.pub",
        f"--service-account-signing-key-file={machine.data}/pki/service-accounts.key",
        f"--service-cluster-ip-range={SERVICES}",
        f"--requestheader-client-ca-file={pki('front-proxy', 'ca.crt')}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={pki('front-proxy', 'client.crt')}",
        f"--proxy-client-key-file={pki('front-proxy', 'client.key')}",
        f"--default-not-ready-toleration-seconds={toleration}",
        f"--default-unreachable-toleration-seconds={toleration}",
        *(calling if kubelets else ()),
        # Without this it waits a minute for its watchers to go when it is asked to end.
        "--shutdown-watch-termination-grace-period=1s",
    )
    return UnitSpec(API_SERVER, argv, listens=(Listen(API_PORT, public=True, bound=True),), after=("etcd",))
