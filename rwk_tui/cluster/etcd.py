"""How etcd is configured on a machine: everything in ETCD_* environment, nothing on its command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rwk_tui.lab.protocol import Listen, Machine, UnitSpec
from rwk_tui.settings import Settings

UNIT = "etcd"
REGISTRY_UNIT = "registry"
CLIENT_PORT = 2379
PEER_PORT = 2380
REGISTRY_CLIENT_PORT = 12379
REGISTRY_PEER_PORT = 12380
REGISTRY_PREFIX = "/_etcd/registry"


@dataclass(frozen=True, slots=True)
class Static:
    """Members that know each other from the start, name to peer URL; `existing` joins a cluster that lives already."""

    members: Mapping[str, str]
    token: str = "rwk"
    existing: bool = False


@dataclass(frozen=True, slots=True)
class Discovery:
    """Members that find each other through a registry: another etcd, and a token good for one cluster."""

    token: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class Style:
    """How members are made: whether they ask for certificates, and of which engine ("etcd-3.6"; "" is the newest).

    `slack` says how patiently they are asked.
    """

    secured: bool = False
    engine: str = ""
    slack: float = 1.0

    @property
    def scheme(self) -> str:
        """How they are spoken to."""
        return "https" if self.secured else "http"


PLAIN = Style()


def client_url(machine: Machine, *, public: bool = True, scheme: str = "http") -> str:
    """The URL of the member on that machine: for everyone, or for the machine itself only."""
    return _url(machine, CLIENT_PORT, public, scheme)


def peer_url(machine: Machine, *, public: bool = True, scheme: str = "http") -> str:
    """The URL under which that machine's member is a peer."""
    return _url(machine, PEER_PORT, public, scheme)


def _url(machine: Machine, port: int, public: bool, scheme: str) -> str:
    return machine.url(port, scheme=scheme) if public else machine.listen_urls(port, public=False, scheme=scheme)[0]


def is_secured(spec: UnitSpec | None) -> bool:
    """Whether a member that is configured like this asks its clients for certificates."""
    return spec is not None and any(name == "ETCD_CERT_FILE" for name, _ in spec.environment)


def peer_scheme(spec: UnitSpec | None) -> str:
    """How peers speak to a member that is configured like this; "" if it is not."""
    listens = dict(spec.environment).get("ETCD_LISTEN_PEER_URLS", "") if spec is not None else ""
    return listens.partition("://")[0]


def data_dir(machine: Machine, unit: str = UNIT) -> str:
    """Where the member keeps its data, on the machine."""
    return f"{machine.data}/{unit}"


def member_spec(
    machine: Machine,
    settings: Settings,
    cluster: Static | Discovery,
    *,
    public: bool = True,
    style: Style = PLAIN,
) -> UnitSpec:
    """The unit "etcd" of that machine; one that is not `public` serves and advertises its own localhost only."""
    ports = (CLIENT_PORT, PEER_PORT)
    spec = _spec(machine, settings, cluster, UNIT, machine.name, *ports, public=public, secured=style.secured)
    return replace(spec, argv=(f"{style.engine}/etcd",)) if style.engine else spec


def registry_spec(machine: Machine, settings: Settings) -> UnitSpec:
    """The unit "registry": a one-member etcd on ports of its own, where new clusters find their members."""
    alone = Static({REGISTRY_UNIT: machine.url(REGISTRY_PEER_PORT)}, token=REGISTRY_UNIT)
    ports = (REGISTRY_CLIENT_PORT, REGISTRY_PEER_PORT)
    return _spec(machine, settings, alone, REGISTRY_UNIT, REGISTRY_UNIT, *ports, public=True)


def _spec(
    machine: Machine,
    settings: Settings,
    cluster: Static | Discovery,
    unit: str,
    name: str,
    client_port: int,
    peer_port: int,
    *,
    public: bool,
    secured: bool = False,
) -> UnitSpec:
    scheme = "https" if secured else "http"

    def advertised(port: int) -> str:
        return _url(machine, port, public, scheme)

    def listening(port: int) -> str:
        return ",".join(machine.listen_urls(port, public=public, scheme=scheme))

    environment: list[tuple[str, str]] = [
        ("ETCD_NAME", name),
        ("ETCD_DATA_DIR", data_dir(machine, unit)),
        ("ETCD_LISTEN_CLIENT_URLS", listening(client_port)),
        ("ETCD_ADVERTISE_CLIENT_URLS", advertised(client_port)),
        ("ETCD_LISTEN_PEER_URLS", listening(peer_port)),
        ("ETCD_INITIAL_ADVERTISE_PEER_URLS", advertised(peer_port)),
    ]
    match cluster:
        case Static(members, token, existing):
            environment += [
                ("ETCD_INITIAL_CLUSTER", ",".join(f"{member}={url}" for member, url in members.items())),
                ("ETCD_INITIAL_CLUSTER_STATE", "existing" if existing else "new"),
                ("ETCD_INITIAL_CLUSTER_TOKEN", token),
            ]
        case Discovery(token, endpoint):
            environment += [("ETCD_DISCOVERY_TOKEN", token), ("ETCD_DISCOVERY_ENDPOINTS", endpoint)]
    environment += [
        ("ETCD_HEARTBEAT_INTERVAL", str(settings.heartbeat_ms)),
        ("ETCD_ELECTION_TIMEOUT", str(settings.election_ms)),
    ]
    if secured:
        environment += certificate_files(machine)
    return UnitSpec(
        name=unit,
        argv=("etcd",),
        environment=tuple(environment),
        listens=(Listen(client_port, public), Listen(peer_port, public)),
    )


def certificate_files(machine: Machine) -> list[tuple[str, str]]:
    """What tells a member where its certificates lie, and to ask clients and peers for theirs."""

    def place(file: str) -> str:
        return f"{machine.data}/pki/etcd/{file}"

    return [
        ("ETCD_CERT_FILE", place("server.crt")),
        ("ETCD_KEY_FILE", place("server.key")),
        ("ETCD_TRUSTED_CA_FILE", place("ca.crt")),
        ("ETCD_CLIENT_CERT_AUTH", "true"),
        ("ETCD_PEER_CERT_FILE", place("peer.crt")),
        ("ETCD_PEER_KEY_FILE", place("peer.key")),
        ("ETCD_PEER_TRUSTED_CA_FILE", place("ca.crt")),
        ("ETCD_PEER_CLIENT_CERT_AUTH", "true"),
    ]
