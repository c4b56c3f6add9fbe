"""Who gets which certificate: every address under which a program is dialled must be in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from support.story_fakes import StageLab

from rwk_tui.cluster import roles
from rwk_tui.cluster.kubernetes.units import API_PORT
from rwk_tui.cluster.pki import Pki
from rwk_tui.cluster.roles import ETCD_PORTS, SERVICE_IP
from rwk_tui.lab.open import open_lab
from rwk_tui.lab.protocol import Lab
from rwk_tui.settings import Settings


@pytest.fixture(params=["loopback", "ports"])
async def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Lab:
    """A lab of that address plan in which nothing was ever started."""
    return open_lab(Settings(state=tmp_path, engine_cache=tmp_path, addresses=request.param), {})


def host(url: str) -> str:
    return urlsplit(url).hostname or ""


async def api_addresses(lab: Lab, name: str) -> set[str]:
    """Every host under which somebody dials the API server of that machine."""
    machine = lab.machines[name]

    def way_in() -> Iterator[str]:
        yield host(machine.url(API_PORT))  # another machine, through the link
        yield machine.bind(API_PORT, public=True)[0]  # its own controller manager and scheduler
        yield lab.any_address(API_PORT)[0]  # the presenter's kubectl
        for other in lab.machines.values():
            yield host(other.any_url(API_PORT))  # any machine's kubelet, through that machine's balancer
        yield SERVICE_IP  # pods, where there are containers

    return {*way_in(), (await machine.reach(API_PORT))[0]}  # and our own probe


@pytest.mark.parametrize("name", ["core-01", "core-02", "core-03"])
async def test_an_api_server_is_known_by_every_address_that_is_dialled(lab: Lab, name: str) -> None:
    serving, etcd_client, front_proxy = roles.api_server(lab.machines[name], lab)
    assert await api_addresses(lab, name) <= set(serving.identity.hosts)
    assert {"kubernetes", "kubernetes.default.svc", "localhost", name} <= set(serving.identity.hosts)
    assert (serving.authority, serving.file, serving.identity.usage) == ("kubernetes", "apiserver", "server")
    assert (etcd_client.authority, etcd_client.identity.usage) == ("etcd", "client")
    assert (front_proxy.authority, front_proxy.identity.name) == ("front-proxy", "front-proxy-client")


@pytest.mark.parametrize("name", ["core-01", "core-03"])
async def test_a_member_is_known_by_every_address_that_is_dialled(lab: Lab, name: str) -> None:
    machine = lab.machines[name]
    server, peer, client = roles.etcd_member(machine)
    dialled = {(await machine.reach(port))[0] for port in ETCD_PORTS}
    for port in ETCD_PORTS:
        dialled |= {host(url) for url in (machine.url(port), *machine.listen_urls(port, public=True))}
    # etcd compares where a peer dials from, and within loopback that is 127.0.0.1.
    assert dialled | {"127.0.0.1"} <= set(server.identity.hosts) == set(peer.identity.hosts)
    assert (server.identity.usage, peer.identity.usage, client.identity.usage) == ("both", "both", "client")


async def test_a_certificate_for_both_plans_is_really_issued(lab: Lab, tmp_path: Path) -> None:
    serving = roles.api_server(lab.machines["core-02"], lab)[0]
    pair = roles.issue(Pki(tmp_path / "pki"), serving)
    found = x509.load_pem_x509_certificate(pair.cert.read_bytes())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    listed = {*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))}
    assert listed == set(serving.identity.hosts)
    assert (pair.cert.name, pair.key.name) == ("core-02-apiserver.crt", "core-02-apiserver.key")


def test_machines_have_files_of_the_same_name_and_certificates_of_their_own() -> None:
    lab = StageLab()
    papers = [roles.api_server(machine, lab)[0] for machine in lab.stage.values()]
    papers += [roles.etcd_member(machine)[0] for machine in lab.stage.values()]
    assert len({(one.authority, one.issued_as) for one in papers}) == 6
    assert {one.file for one in papers} == {"apiserver", "server"}


def test_nodes_may_only_speak_for_themselves_and_the_presenter_for_everything() -> None:
    node = roles.node(StageLab().stage["core-02"])
    assert (node.identity.name, node.identity.group) == ("system:node:core-02", "system:nodes")
    assert roles.ADMIN.identity.group == "system:masters"
    assert roles.SCHEDULER.identity.name == "system:kube-scheduler"
    assert roles.CONTROLLER_MANAGER.identity.name == "system:kube-controller-manager"
    clients = (node, roles.ADMIN, roles.SCHEDULER, roles.CONTROLLER_MANAGER, roles.PRESENTER)
    assert {one.identity.usage for one in clients} == {"client"}


def test_where_files_lie_on_a_machine() -> None:
    machine = StageLab().stage["core-01"]
    assert roles.place(machine, "etcd", "server.crt") == "/nowhere/pki/etcd/server.crt"
