"""Authorities and certificates: who vouches for whom and for how long, in files that are whole, private and match."""

from __future__ import annotations

import datetime
import ipaddress
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rwk_tui.cluster import certificates
from rwk_tui.cluster import pki as module
from rwk_tui.cluster.certificates import CA_DAYS, DAYS, Identity
from rwk_tui.cluster.pki import LEFT_DAYS, Pair, Pki
from rwk_tui.lab.protocol import LabError

SERVER = Identity("core-01", "a group", ("core-01", "localhost", "127.0.0.1", "fd00::1"), "both")


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki(tmp_path / "state" / "pki")


def load(pair: Pair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.cert.read_bytes())


def belong_together(pair: Pair) -> bool:
    key = serialization.load_pem_private_key(pair.key.read_bytes(), None)
    return load(pair).public_key() == key.public_key()


def days_left(pair: Pair) -> float:
    return (load(pair).not_valid_after_utc - datetime.datetime.now(datetime.UTC)) / datetime.timedelta(days=1)


def test_a_certificate_names_whom_it_was_asked_for(pki: Pki) -> None:
    found = load(pki.issue("etcd", "server", SERVER))
    assert found.subject.rfc4514_string() == "CN=core-01,O=a group"
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["core-01", "localhost"]
    assert names.get_values_for_type(x509.IPAddress) == [
        ipaddress.ip_address("127.0.0.1"),
        ipaddress.ip_address("fd00::1"),
    ]
    assert not found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert found.not_valid_before_utc < datetime.datetime.now(datetime.UTC)


@pytest.mark.parametrize(
    ("usage", "oids"),
    [
        ("server", [ExtendedKeyUsageOID.SERVER_AUTH]),
        ("client", [ExtendedKeyUsageOID.CLIENT_AUTH]),
        ("both", [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
    ],
)
def test_a_certificate_is_good_for_what_it_was_asked_for(
    pki: Pki, usage: certificates.Usage, oids: list[x509.ObjectIdentifier]
) -> None:
    found = load(pki.issue("etcd", "one", Identity("one", usage=usage)))
    assert list(found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == oids


def test_each_authority_signs_its_own_and_no_other(pki: Pki) -> None:
    pair = pki.issue("kubernetes", "admin", Identity("admin"))
    found = load(pair)
    found.verify_directly_issued_by(load(pki.authority("kubernetes")))
    with pytest.raises(ValueError):
        found.verify_directly_issued_by(load(pki.authority("etcd")))
    authority = load(pki.authority("kubernetes"))
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert authority.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    assert authority.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "rwk kubernetes authority"
    assert belong_together(pair) and belong_together(pki.authority("kubernetes"))
    assert CA_DAYS - 1 < days_left(pki.authority("etcd")) <= CA_DAYS
    assert DAYS - 1 < days_left(pair) <= DAYS


def test_an_authority_exists_once_it_was_asked_for_anything(pki: Pki) -> None:
    assert not pki.exists("etcd")
    pki.issue("etcd", "one", Identity("one"))
    assert pki.exists("etcd") and not pki.exists("front-proxy")


def test_what_is_there_and_good_stays(pki: Pki) -> None:
    before = pki.issue("etcd", "server", SERVER).cert.read_bytes()
    again = Pki(pki.directory)
    assert again.issue("etcd", "server", SERVER).cert.read_bytes() == before
    assert pki.key_pair("accounts").key.read_bytes() == again.key_pair("accounts").key.read_bytes()


@pytest.mark.parametrize(
    "other",
    [
        Identity("core-01", "a group", ("core-01", "localhost"), "both"),
        Identity("core-02", "a group", SERVER.hosts, "both"),
        Identity("core-01", "", SERVER.hosts, "both"),
        Identity("core-01", "a group", (), "both"),
        Identity("core-01", "a group", SERVER.hosts, "server"),
    ],
    ids=["other hosts", "another name", "no group", "no hosts", "another use"],
)
def test_for_somebody_else_it_is_made_anew(pki: Pki, other: Identity) -> None:
    before = pki.issue("etcd", "server", SERVER).cert.read_bytes()
    pair = pki.issue("etcd", "server", other)
    assert pair.cert.read_bytes() != before
    assert belong_together(pair)
    assert pki.issue("etcd", "server", other).cert.read_bytes() == pair.cert.read_bytes()


def test_asked_for_anew_even_a_good_one_is_replaced(pki: Pki) -> None:
    before = pki.issue("etcd", "server", SERVER).cert.read_bytes()
    ca = pki.authority("etcd").cert.read_bytes()
    pair = pki.issue("etcd", "server", SERVER, anew=True)
    assert pair.cert.read_bytes() != before
    assert belong_together(pair)
    assert pki.authority("etcd").cert.read_bytes() == ca
    load(pair).verify_directly_issued_by(load(pki.authority("etcd")))


def files(pki: Pki) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in pki.directory.rglob("*") if path.is_file()}


def test_an_expired_one_is_signed_by_the_authority_and_kept_nowhere(pki: Pki) -> None:
    pki.issue("etcd", "server", SERVER)
    before = files(pki)
    ((cert, key),) = pki.expired("etcd", [SERVER], ago=datetime.timedelta(hours=1))
    found = x509.load_pem_x509_certificate(cert)
    ended = datetime.datetime.now(datetime.UTC) - found.not_valid_after_utc
    assert datetime.timedelta(minutes=59) < ended < datetime.timedelta(minutes=61)
    assert found.not_valid_before_utc < found.not_valid_after_utc
    found.verify_directly_issued_by(load(pki.authority("etcd")))
    private = serialization.load_pem_private_key(key, None)
    assert found.public_key() == private.public_key()
    assert files(pki) == before


def test_a_foreign_authority_s_certificate_names_the_same_and_nobody_vouches_for_it(pki: Pki) -> None:
    pki.issue("etcd", "server", SERVER)
    before = files(pki)
    (cert, _), (other, _) = module.foreign("another authority", [SERVER, SERVER])
    found = x509.load_pem_x509_certificate(cert)
    assert found.subject == load(pki.issue("etcd", "server", SERVER)).subject
    assert found.issuer.rfc4514_string() == "CN=another authority"
    assert found.issuer == x509.load_pem_x509_certificate(other).issuer
    with pytest.raises(ValueError):
        found.verify_directly_issued_by(load(pki.authority("etcd")))
    assert files(pki) == before


@pytest.mark.parametrize(("left", "renewed"), [(LEFT_DAYS - 1, True), (LEFT_DAYS + 1, False), (-1, True)])
def test_near_its_end_it_is_made_anew(pki: Pki, left: int, renewed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(certificates, "DAYS", left)
        patch.setattr(certificates, "EARLY", datetime.timedelta(days=9))
        before = pki.issue("etcd", "server", SERVER).cert.read_bytes()
    pair = pki.issue("etcd", "server", SERVER)
    assert (pair.cert.read_bytes() != before) is renewed
    assert days_left(pair) > (DAYS - 1 if renewed else left - 1)


def test_an_authority_near_its_end_is_made_anew_with_all_that_it_signed(
    pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(certificates, "CA_DAYS", 1)
        old = pki.authority("etcd").cert.read_bytes()
        ca = pki._pair("etcd", "ca")
        before = certificates.signed(module._load(ca.cert), module._load_key(ca.key), SERVER)
        module._write(pki._pair("etcd", "server"), before)
    pair = pki.issue("etcd", "server", SERVER)
    assert pki.authority("etcd").cert.read_bytes() != old
    assert pair.cert.read_bytes() != before[0]
    load(pair).verify_directly_issued_by(load(pki.authority("etcd")))


def issue_all(pki: Pki) -> None:
    pki.issue("etcd", "server", SERVER)
    pki.key_pair("accounts")


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:60])


def with_foreign_key(path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    path.write_bytes(key.private_bytes(*form, serialization.NoEncryption()))


def with_a_pass_phrase(path: Path) -> None:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    path.write_bytes(key.private_bytes(*form, serialization.BestAvailableEncryption(b"secret")))


@pytest.mark.parametrize("file", ["etcd/ca.crt", "etcd/ca.key", "etcd/server.crt", "etcd/server.key", "accounts.key"])
@pytest.mark.parametrize("harm", [cut_short, with_foreign_key, with_a_pass_phrase])
def test_a_damaged_file_is_one_line_that_names_it(pki: Pki, file: str, harm: Callable[[Path], None]) -> None:
    issue_all(pki)
    path = pki.directory / file
    if harm is with_a_pass_phrase and path.suffix == ".crt":
        harm = cut_short
    harm(path)
    with pytest.raises(LabError) as error:
        issue_all(pki)
    assert str(error.value) == f"{path} is damaged; take its directory away, and it is made anew"


def test_a_file_in_the_way_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "pki").write_text("not a directory")
    with pytest.raises(LabError) as error:
        Pki(tmp_path / "pki").authority("etcd")
    assert str(tmp_path / "pki") in str(error.value)
    assert "\n" not in str(error.value)


def test_a_certificate_without_its_key_is_made_anew(pki: Pki) -> None:
    pair = pki.issue("etcd", "server", SERVER)
    before = pair.cert.read_bytes()
    pair.key.unlink()
    assert pki.issue("etcd", "server", SERVER).cert.read_bytes() != before
    assert belong_together(pair)


def test_what_was_written_by_halves_is_made_anew(pki: Pki) -> None:
    pair, other = pki.issue("etcd", "server", SERVER), pki.issue("etcd", "other", SERVER)
    pair.key.write_bytes(other.key.read_bytes())
    pki.issue("etcd", "server", SERVER)
    assert belong_together(pair)
    accounts, more = pki.key_pair("accounts"), pki.key_pair("more")
    accounts.key.write_bytes(more.key.read_bytes())
    pki.key_pair("accounts")
    assert accounts.cert.read_bytes() != more.cert.read_bytes()
    key = serialization.load_pem_private_key(accounts.key.read_bytes(), None)
    assert key.public_key() == serialization.load_pem_public_key(accounts.cert.read_bytes())


def test_keys_and_directories_are_nobody_elses(pki: Pki) -> None:
    before = os.umask(0)
    try:
        pki.issue("etcd", "server", SERVER)
        pki.issue("kubernetes", "admin", Identity("admin"))
        pki.key_pair("accounts")
    finally:
        os.umask(before)
    modes = {path: path.stat().st_mode & 0o777 for path in (pki.directory, *pki.directory.rglob("*"))}
    assert {modes[path] for path in modes if path.is_dir()} == {0o700}
    assert {modes[path] for path in modes if path.suffix == ".key"} == {0o600}
    assert pki.directory.parent.stat().st_mode & 0o777 == 0o700
    assert [path for path in modes if path.name.startswith(".")] == [], "no half file is left"


def test_asked_by_many_at_once_it_is_made_once(pki: Pki) -> None:
    """A thread that puts files on a machine and the loop that watches ask for the presenter's certificate together."""
    askers = 8
    start = threading.Barrier(askers)

    def ask(number: int) -> tuple[bytes, bytes]:
        start.wait()
        pair = pki.issue("kubernetes", "admin", Identity("admin"))
        return pair.cert.read_bytes(), pair.key.read_bytes()

    with ThreadPoolExecutor(askers) as pool:
        assert len(set(pool.map(ask, range(askers)))) == 1
    pair = pki.issue("kubernetes", "admin", Identity("admin"))
    assert belong_together(pair) and belong_together(pki.authority("kubernetes"))
    load(pair).verify_directly_issued_by(load(pki.authority("kubernetes")))
