"""Certificates that the others refuse: on which members, seen in whose words, and mended without a restart."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from support.faults_etcd import EtcdMachine, EtcdWorld
from support.watch_etcd import refused

from rwk_tui.board.rows import FaultRow
from rwk_tui.cluster import roles
from rwk_tui.faults import certificates

TARGET = "core-03/etcd"
EXPIRED = "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time …"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[EtcdWorld]:
    made = EtcdWorld(tmp_path, secured=True)
    await made.start()
    await made.until(lambda board: len(made.targets("expired-certificate")) == 4)
    yield made
    await made.stop()


def refuse(world: EtcdWorld) -> None:
    """Let nobody reach the member on core-03."""
    world.cluster.statuses.pop("core-03")
    world.cluster.broken["core-03"] = refused()


def says(world: EtcdWorld, machine: str, error: str, at: float) -> None:
    moment = datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat().replace("+00:00", "Z")
    line = json.dumps({"level": "warn", "ts": moment, "msg": "prober detected unhealthy status", "error": error})
    world.machine(machine).logs["etcd"].append(line)


def certificate(machine: EtcdMachine, file: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(machine.files[f"pki/etcd/{file}.crt"][0])


def authority(world: EtcdWorld) -> x509.Certificate:
    return x509.load_pem_x509_certificate(world.ground.site.pki.authority("etcd").cert.read_bytes())


async def effect(world: EtcdWorld) -> str:
    await world.until(lambda board: any(row.effect for row in board.rows(FaultRow)))
    return world.hub.board.rows(FaultRow)[0].effect


async def test_only_members_that_ask_for_certificates_are_hit(tmp_path: Path) -> None:
    world = EtcdWorld(tmp_path)
    await world.start()
    try:
        await world.until(lambda board: len(world.targets("kill-unit")) == 4)
        assert world.targets("expired-certificate") == world.targets("foreign-certificate") == ()
    finally:
        await world.stop()


async def test_it_gets_expired_ones_and_is_restarted(world: EtcdWorld) -> None:
    await world.faults.inject("expired-certificate", TARGET)
    assert world.ran() == [
        *(f"put core-03/pki/etcd/{file}" for file in ("server.crt", "server.key", "peer.crt", "peer.key")),
        "restart core-03/etcd",
    ]
    machine, now = world.machine("core-03"), datetime.datetime.now(datetime.UTC)
    for file in certificates.SERVED:
        found = certificate(machine, file)
        found.verify_directly_issued_by(authority(world))
        assert found.not_valid_after_utc < now - datetime.timedelta(minutes=59)
        assert machine.files[f"pki/etcd/{file}.key"][1] == 0o600
    commands = [line.text for line in world.hub.board.output if line.stream == "command"]
    assert commands[0] == "# core-03 gets certificates that ended an hour ago"


async def test_it_gets_those_of_a_foreign_authority(world: EtcdWorld) -> None:
    await world.faults.inject("foreign-certificate", TARGET)
    for file in certificates.SERVED:
        found = certificate(world.machine("core-03"), file)
        assert found.issuer.rfc4514_string() == "CN=rwk next etcd authority"
        with pytest.raises(ValueError):
            found.verify_directly_issued_by(authority(world))
    assert "pki/etcd/ca.crt" not in world.machine("core-03").files, "whom it trusts itself is not touched"


async def test_nothing_of_it_is_kept_among_the_good_ones(world: EtcdWorld) -> None:
    await world.faults.inject("foreign-certificate", TARGET)
    for path in world.ground.site.pki.directory.rglob("*.crt"):
        x509.load_pem_x509_certificate(path.read_bytes()).verify_directly_issued_by(authority(world))


async def test_it_is_seen_in_the_words_of_a_peer_that_refuses_it(world: EtcdWorld) -> None:
    says(world, "core-01", EXPIRED, time.time() - 60)
    await world.faults.inject("expired-certificate", TARGET)
    refuse(world)
    await world.until(lambda _: world.member("core-03").health == "down")
    assert world.hub.board.rows(FaultRow)[0].effect == "", "what a peer said before is not about this"
    says(world, "core-02", "EOF", time.time())
    says(world, "core-02", EXPIRED, time.time())
    words = "core-03 is down; core-02 says: x509: certificate has expired or is not yet valid: current time …"
    assert await effect(world) == words


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("tls: bad certificate", "tls: bad certificate"),
        ("failed to dial c3 on stream Message (tls: failed: x509: signed by nobody)", "x509: signed by nobody"),
        ('Get "https://10.0.0.3:2380/version": tls: failed: x509: it ended (yesterday)', "x509: it ended (yesterday)"),
    ],
)
def test_only_what_is_wrong_is_told(why: str, words: str) -> None:
    assert certificates._plainly(why) == words


async def test_the_refused_side_s_own_vague_words_wait_for_a_peer_s(world: EtcdWorld) -> None:
    await world.faults.inject("foreign-certificate", TARGET)
    refuse(world)
    says(world, "core-03", "remote error: tls: bad certificate", time.time())
    await world.until(lambda _: world.member("core-03").health == "down")
    assert await certificates.ForeignCertificate().shows(world.case(TARGET)) is None
    says(world, "core-01", "tls: failed: x509: certificate signed by unknown authority", time.time())
    assert await effect(world) == "core-03 is down; core-01 says: x509: certificate signed by unknown authority"


async def test_where_no_peer_tells_its_own_words_count(world: EtcdWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "TELLS_WITHIN", 0.0)
    await world.faults.inject("foreign-certificate", TARGET)
    refuse(world)
    says(world, "core-03", "remote error: tls: unknown certificate authority", time.time())
    assert await effect(world) == "core-03 is down; core-03 says: remote error: tls: unknown certificate authority"


async def test_a_member_that_is_well_shows_nothing(world: EtcdWorld) -> None:
    await world.ground.site.look()
    says(world, "core-02", EXPIRED, time.time() + 60)
    kind = certificates.ExpiredCertificate()
    assert await kind.shows(world.case(TARGET)) is None
    refuse(world)
    await world.until(lambda _: world.member("core-03").health == "down")
    assert await kind.shows(world.case(TARGET)) is not None


async def test_good_ones_are_put_back_and_it_goes_on_without_a_restart(world: EtcdWorld) -> None:
    papers = roles.etcd_member(world.machine("core-03"))[0]
    good = x509.load_pem_x509_certificate(roles.issue(world.ground.site.pki, papers).cert.read_bytes())
    await world.faults.inject("expired-certificate", TARGET)
    refuse(world)
    await world.until(lambda _: world.member("core-03").health == "down")
    before = {good.serial_number, certificate(world.machine("core-03"), "server").serial_number}
    world.journal.clear()
    put = EtcdMachine.put

    async def let_in(machine: EtcdMachine, path: str, content: bytes, mode: int = 0o600) -> None:
        await put(machine, path, content, mode)
        if path.endswith("peer.key"):
            world.etcd_lab.joined("core-03")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EtcdMachine, "put", let_in)
        await world.faults.heal()
    assert all(line.startswith("put core-03/pki/etcd/") for line in world.ran())
    found = certificate(world.machine("core-03"), "server")
    found.verify_directly_issued_by(authority(world))
    assert found.serial_number not in before
    assert found.not_valid_after_utc > datetime.datetime.now(datetime.UTC)
    await world.faults.settled()
    assert [card.verdict for card in world.cards()] == ["holds"]


async def test_one_that_ended_meanwhile_is_started(world: EtcdWorld) -> None:
    await world.faults.inject("expired-certificate", TARGET)
    machine = world.machine("core-03")
    machine.units["etcd"] = replace(machine.units["etcd"], state="failed", exit="exit code 1")
    world.etcd_lab.left("core-03")
    await world.faults.heal()
    assert world.ran()[-1] == "start core-03/etcd"


async def test_a_machine_that_is_off_gets_them_later(world: EtcdWorld) -> None:
    await world.faults.inject("expired-certificate", TARGET)
    machine = world.machine("core-03")
    machine.now = replace(machine.now, power="off")
    world.journal.clear()
    assert await world.faults.heal() == ()
    assert world.ran() == []
    assert "core-03 is off, switch it on first" in world.told("heal")[-1]


async def test_other_certificates_by_other_hands_end_it(world: EtcdWorld) -> None:
    await world.faults.inject("expired-certificate", TARGET)
    refuse(world)
    await world.until(lambda _: world.member("core-03").health == "down")
    world.etcd_lab.joined("core-03")
    await world.until(lambda board: not board.rows(FaultRow))
