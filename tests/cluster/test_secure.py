"""Certificates for a living cluster: which files go where, what each restart changes, and what a rotation replaces."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from support.ops import quiet
from support.story_fakes import StageLab

from rwk_tui.cluster.etcd import Static, Style, member_spec, peer_url
from rwk_tui.cluster.ops import Op, Retry
from rwk_tui.cluster.pki import Pki
from rwk_tui.cluster.reshape import SETTLING, Knowledge
from rwk_tui.cluster.secure import PlainText, certify, rotate, secure
from rwk_tui.cluster.site import Site, etcdctl_profile
from rwk_tui.lab.protocol import LabError, UnitSpec
from rwk_tui.settings import Settings

SETTINGS = Settings(state=Path("/nowhere"), engine_cache=Path("/nowhere"))
KNOWN = Knowledge(lambda name: f"ID-{name}", dict)
NAMES = ("core-01", "core-02", "core-03")


@pytest.fixture
def lab() -> StageLab:
    return StageLab()


@pytest.fixture
def site(lab: StageLab, tmp_path: Path) -> Site:
    return Site(lab, Pki(tmp_path / "pki"))


def made(lab: StageLab, name: str, style: Style, scheme: str) -> UnitSpec:
    peers = Static({one: peer_url(machine, scheme=scheme) for one, machine in lab.stage.items()})
    return member_spec(lab.stage[name], SETTINGS, peers, style=style)


async def plain_members(lab: StageLab, site: Site) -> None:
    for name in NAMES:
        await lab.stage[name].unit("etcd").configure(made(lab, name, Style(), "http"))
    await site.look()


def environment(lab: StageLab, name: str) -> dict[str, str]:
    spec = lab.stage[name].units["etcd"].spec
    assert spec is not None
    return dict(spec.environment)


async def restart(lab: StageLab, site: Site, name: str, plain_text: PlainText) -> None:
    op = secure(lab.stage[name], site, KNOWN, plain_text=plain_text, deadline=1.0)[-1]
    await op.resolve()
    await op.run(quiet)


async def do(*ops: Op) -> None:
    for op in ops:
        await op.run(quiet)


async def test_each_machine_gets_its_own_papers_and_nothing_restarts(lab: StageLab, site: Site) -> None:
    await plain_members(lab, site)
    await do(*certify([lab.stage["core-01"], lab.stage["core-02"]], site))
    for name in ("core-01", "core-02"):
        machine = lab.stage[name]
        roles = ("ca.crt", "server.crt", "server.key", "peer.crt", "peer.key", "client.crt", "client.key")
        assert set(machine.files) == {f"pki/etcd/{file}" for file in roles}
        assert all(mode == 0o600 for path, (_, mode) in machine.files.items() if path.endswith(".key"))
        assert machine.profile == etcdctl_profile(machine)
        assert all(one.startswith("put ") for one in machine.done)
    assert lab.stage["core-01"].files["pki/etcd/peer.crt"] != lab.stage["core-02"].files["pki/etcd/peer.crt"]
    assert set(lab.desk.profile) == {"ETCDCTL_CACERT", "ETCDCTL_CERT", "ETCDCTL_KEY"}
    access = site.etcd_access()
    assert access is not None
    assert set(lab.desk.profile.values()) == {str(access.ca), str(access.cert), str(access.key)}


async def test_first_both_are_spoken_at_one_port_and_peers_stay_as_they_are(lab: StageLab, site: Site) -> None:
    await plain_members(lab, site)
    before = environment(lab, "core-02")
    await restart(lab, site, "core-02", "allowed")
    after = environment(lab, "core-02")
    both = "http://localhost:2379,http://10.0.0.2:2379,https://localhost:2379,https://10.0.0.2:2379"
    assert after["ETCD_LISTEN_CLIENT_URLS"] == both
    assert after["ETCD_ADVERTISE_CLIENT_URLS"] == "http://10.0.0.2:2379,https://10.0.0.2:2379"
    assert {name: after[name] for name in before if "PEER" in name} == {
        name: before[name] for name in before if "PEER" in name
    }
    assert after["ETCD_PEER_CERT_FILE"] == "/nowhere/pki/etcd/peer.crt"
    assert (site.is_secured("core-02"), site.is_secured("core-01")) == (True, False)
    assert (site.scheme_of("core-02"), site.peer_scheme_of("core-02")) == ("https", "http")
    await restart(lab, site, "core-02", "allowed")
    assert environment(lab, "core-02") == after


async def test_in_the_end_a_member_is_as_if_it_had_been_made_with_certificates(lab: StageLab, site: Site) -> None:
    await plain_members(lab, site)
    for plain_text in ("allowed", "refused"):
        await restart(lab, site, "core-03", plain_text)
    assert lab.stage["core-03"].units["etcd"].spec == made(lab, "core-03", Style(secured=True), "https")
    assert (site.scheme_of("core-03"), site.peer_scheme_of("core-03")) == ("https", "https")


async def test_the_list_is_told_before_the_member_restarts(lab: StageLab, site: Site) -> None:
    await plain_members(lab, site)
    await restart(lab, site, "core-02", "allowed")
    update, again = secure(lab.stage["core-02"], site, KNOWN, plain_text="refused", deadline=9.0)
    assert isinstance(update, Retry) and (update.refusals, update.deadline) == (SETTLING, 9.0)
    url = "https://10.0.0.2"
    assert update.command() == (f"etcdctl --endpoints={url}:2379 member update ID-core-02 --peer-urls={url}:2380")
    assert again.command() == "restart etcd"


async def test_where_there_is_no_member_none_is_secured(lab: StageLab, site: Site) -> None:
    with pytest.raises(LabError, match="core-01 has no member that could be restarted"):
        await restart(lab, site, "core-01", "allowed")


async def test_a_rotation_replaces_every_pair_and_keeps_the_authority(lab: StageLab, site: Site) -> None:
    machines = [lab.stage[name] for name in ("core-01", "core-02")]
    await do(*certify(machines, site))
    before = [dict(machine.files) for machine in machines]
    await do(*rotate(machines, site))
    for machine, old in zip(machines, before, strict=True):
        assert set(machine.files) == set(old)
        assert machine.files["pki/etcd/ca.crt"] == old["pki/etcd/ca.crt"]
        for path in set(old) - {"pki/etcd/ca.crt"}:
            assert machine.files[path] != old[path], path
        for role in ("server", "peer", "client"):
            certificate = x509.load_pem_x509_certificate(machine.files[f"pki/etcd/{role}.crt"][0])
            key = site.pki.directory / "etcd" / (f"{machine.name}-{role}.key" if role != "client" else "presenter.key")
            assert machine.files[f"pki/etcd/{role}.key"][0] == key.read_bytes()
            assert certificate.subject is not None
    one, other = (machine.files["pki/etcd/client.crt"] for machine in machines)
    assert one == other, "the presenter has one certificate, and shows it on every machine"
