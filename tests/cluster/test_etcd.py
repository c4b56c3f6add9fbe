"""How etcd is configured, as the tutorial's drop-ins would."""

from __future__ import annotations

from pathlib import Path

from support.story_fakes import StageLab

from rwk_tui.cluster import reshape
from rwk_tui.cluster.etcd import Discovery, Static, Style, is_secured, member_spec, peer_url, registry_spec
from rwk_tui.cluster.ops import UnitOp, commands_of
from rwk_tui.lab.protocol import Listen, UnitSpec
from rwk_tui.settings import Settings

SETTINGS = Settings(state=Path("/nowhere"), engine_cache=Path("/nowhere"), heartbeat_ms=50, election_ms=300)


def environment(spec: UnitSpec) -> dict[str, str]:
    return dict(spec.environment)


def test_a_private_member_serves_and_advertises_its_localhost_only() -> None:
    machine = StageLab().stage["core-01"]
    spec = member_spec(machine, SETTINGS, Static({"core-01": "http://localhost:2380"}), public=False)
    assert environment(spec) == {
        "ETCD_NAME": "core-01",
        "ETCD_DATA_DIR": "/nowhere/etcd",
        "ETCD_LISTEN_CLIENT_URLS": "http://localhost:2379",
        "ETCD_ADVERTISE_CLIENT_URLS": "http://localhost:2379",
        "ETCD_LISTEN_PEER_URLS": "http://localhost:2380",
        "ETCD_INITIAL_ADVERTISE_PEER_URLS": "http://localhost:2380",
        "ETCD_INITIAL_CLUSTER": "core-01=http://localhost:2380",
        "ETCD_INITIAL_CLUSTER_STATE": "new",
        "ETCD_INITIAL_CLUSTER_TOKEN": "rwk",
        "ETCD_HEARTBEAT_INTERVAL": "50",
        "ETCD_ELECTION_TIMEOUT": "300",
    }
    assert spec.argv == ("etcd",)
    assert spec.listens == (Listen(2379, False), Listen(2380, False))


def test_a_public_member_listens_on_both_and_advertises_its_address() -> None:
    machine = StageLab().stage["core-02"]
    spec = member_spec(machine, SETTINGS, Static({"a": "u", "core-02": "v"}, existing=True))
    told = environment(spec)
    assert told["ETCD_LISTEN_PEER_URLS"] == "http://localhost:2380,http://10.0.0.2:2380"
    assert told["ETCD_ADVERTISE_CLIENT_URLS"] == "http://10.0.0.2:2379"
    assert told["ETCD_INITIAL_CLUSTER"] == "a=u,core-02=v"
    assert told["ETCD_INITIAL_CLUSTER_STATE"] == "existing"
    assert spec.listens == (Listen(2379, True), Listen(2380, True))


def test_discovery_takes_the_place_of_the_static_list() -> None:
    machine = StageLab().stage["core-03"]
    told = environment(member_spec(machine, SETTINGS, Discovery("t", "http://r:12379")))
    assert (told["ETCD_DISCOVERY_TOKEN"], told["ETCD_DISCOVERY_ENDPOINTS"]) == ("t", "http://r:12379")
    assert not [name for name in told if name.startswith("ETCD_INITIAL_CLUSTER")]


def test_the_registry_is_another_etcd_on_the_same_machine() -> None:
    machine = StageLab().stage["core-01"]
    spec = registry_spec(machine, SETTINGS)
    told = environment(spec)
    assert (spec.name, told["ETCD_NAME"], told["ETCD_DATA_DIR"]) == ("registry", "registry", "/nowhere/registry")
    assert told["ETCD_INITIAL_CLUSTER"] == "registry=http://10.0.0.1:12380"
    assert spec.listens == (Listen(12379, True), Listen(12380, True))


def test_a_bootstrap_tells_every_member_the_same_list() -> None:
    lab = StageLab()
    op = reshape.bootstrap(list(lab.stage.values()), SETTINGS)
    ops = [inner for inner in op.ops if isinstance(inner, UnitOp) and inner.spec]  # type: ignore[attr-defined]
    lists = {environment(inner.spec)["ETCD_INITIAL_CLUSTER"] for inner in ops if inner.spec}
    assert lists == {"core-01=http://10.0.0.1:2380,core-02=http://10.0.0.2:2380,core-03=http://10.0.0.3:2380"}
    assert commands_of(op) == ("start etcd",) * 3


def test_a_secured_member_asks_everybody_for_a_certificate() -> None:
    machine = StageLab().stage["core-01"]
    cluster = Static({"core-01": peer_url(machine, scheme="https")})
    spec = member_spec(machine, SETTINGS, cluster, style=Style(secured=True, engine="etcd-3.6"))
    assert environment(spec) == {
        "ETCD_NAME": "core-01",
        "ETCD_DATA_DIR": "/nowhere/etcd",
        "ETCD_LISTEN_CLIENT_URLS": "https://localhost:2379,https://10.0.0.1:2379",
        "ETCD_ADVERTISE_CLIENT_URLS": "https://10.0.0.1:2379",
        "ETCD_LISTEN_PEER_URLS": "https://localhost:2380,https://10.0.0.1:2380",
        "ETCD_INITIAL_ADVERTISE_PEER_URLS": "https://10.0.0.1:2380",
        "ETCD_INITIAL_CLUSTER": "core-01=https://10.0.0.1:2380",
        "ETCD_INITIAL_CLUSTER_STATE": "new",
        "ETCD_INITIAL_CLUSTER_TOKEN": "rwk",
        "ETCD_HEARTBEAT_INTERVAL": "50",
        "ETCD_ELECTION_TIMEOUT": "300",
        "ETCD_CERT_FILE": "/nowhere/pki/etcd/server.crt",
        "ETCD_KEY_FILE": "/nowhere/pki/etcd/server.key",
        "ETCD_TRUSTED_CA_FILE": "/nowhere/pki/etcd/ca.crt",
        "ETCD_CLIENT_CERT_AUTH": "true",
        "ETCD_PEER_CERT_FILE": "/nowhere/pki/etcd/peer.crt",
        "ETCD_PEER_KEY_FILE": "/nowhere/pki/etcd/peer.key",
        "ETCD_PEER_TRUSTED_CA_FILE": "/nowhere/pki/etcd/ca.crt",
        "ETCD_PEER_CLIENT_CERT_AUTH": "true",
    }
    assert spec.argv == ("etcd-3.6/etcd",)
    assert is_secured(spec)
    assert not is_secured(member_spec(machine, SETTINGS, cluster))
    assert not is_secured(None)
