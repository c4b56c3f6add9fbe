"""The lab's own authorities and what they vouch for, kept as files that only the presenter may read."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import os
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rwk_tui.lab.protocol import LabError

Authority = Literal["etcd", "kubernetes", "front-proxy"]
Usage = Literal["server", "client", "both"]

CA_DAYS, DAYS = 3650, 365
"""How long an authority and a certificate are good for."""
LEFT_DAYS = 7
"""A certificate with less time left than that is made anew."""
EARLY = datetime.timedelta(minutes=5)
"""Certificates are good from a little before they are made: clocks of machines differ."""

_USAGES = {
    "server": [ExtendedKeyUsageOID.SERVER_AUTH],
    "client": [ExtendedKeyUsageOID.CLIENT_AUTH],
    "both": [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a certificate names: common name, organisation (a group, to Kubernetes), and host names or addresses."""

    name: str
    group: str = ""
    hosts: tuple[str, ...] = ()
    usage: Usage = "client"


@dataclass(frozen=True, slots=True)
class Pair:
    """The files of a certificate and its key, in PEM."""

    cert: Path
    key: Path


class Pki:
    """Authorities and certificates in a directory; whatever is missing, near its end or for other hosts is made.

    Every method may be called in any thread, and raises LabError if the directory can't be read or written.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.RLock()

    @property
    def directory(self) -> Path:
        """Where the files lie."""
        return self._directory

    def exists(self, authority: Authority) -> bool:
        """Whether that authority was ever asked for anything."""
        return (self._directory / authority / "ca.crt").exists()

    def authority(self, authority: Authority) -> Pair:
        """The authority's own certificate."""
        pair = self._pair(authority, "ca")
        with self._lock:
            if not _is_good(pair, None):
                _write(pair, _self_signed(f"rwk {authority} authority"))
        return pair

    def issue(self, authority: Authority, file: str, identity: Identity) -> Pair:
        """A certificate of that authority; `file` is the name of its files, without an ending."""
        with self._lock:
            ca, pair = self.authority(authority), self._pair(authority, file)
            if not _is_good(pair, identity, ca):
                _write(pair, _signed(ca, identity))
        return pair

    def key_pair(self, file: str) -> Pair:
        """A bare key pair, as service accounts are signed with: `cert` holds the public key."""
        pair = Pair(self._directory / f"{file}.pub", self._directory / f"{file}.key")
        with self._lock:
            if not (pair.cert.exists() and pair.key.exists()) or _public(_load_key(pair.key)) != _read(pair.cert):
                key = ec.generate_private_key(ec.SECP256R1())
                _write(pair, (_public(key), _private(key)))
        return pair

    def _pair(self, authority: Authority, file: str) -> Pair:
        directory = self._directory / authority
        return Pair(directory / f"{file}.crt", directory / f"{file}.key")


def _self_signed(name: str) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        _builder(subject, subject, key, CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return _pem(builder.sign(key, hashes.SHA256())), _private(key)


def _signed(ca: Pair, identity: Identity) -> tuple[bytes, bytes]:
    authority, authority_key = _load(ca.cert), _load_key(ca.key)
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(NameOID.COMMON_NAME, identity.name)]
    if identity.group:
        names.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, identity.group))
    builder = (
        _builder(x509.Name(names), authority.subject, key, DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(_USAGES[identity.usage]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
    )
    if identity.hosts:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_host(host) for host in identity.hosts]), critical=False
        )
    return _pem(builder.sign(authority_key, hashes.SHA256())), _private(key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLY)
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _is_good(pair: Pair, identity: Identity | None, ca: Pair | None = None) -> bool:
    """Whether the files are there, will be good for a while, and are what was asked for."""
    if not (pair.cert.exists() and pair.key.exists()):
        return False
    found = _load(pair.cert)
    if found.public_key() != _load_key(pair.key).public_key():
        return False  # they were written by halves
    left = found.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    if left < datetime.timedelta(days=LEFT_DAYS):
        return False
    if identity is None or ca is None:
        return True
    try:
        found.verify_directly_issued_by(_load(ca.cert))
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        hosts = {str(host) for host in names.get_values_for_type(x509.IPAddress)}
        hosts |= set(names.get_values_for_type(x509.DNSName))
    except x509.ExtensionNotFound:
        hosts = set()
    except Exception:  # noqa: BLE001 - each kind of mismatch has an exception of its own
        return False
    return hosts == set(identity.hosts) and _subject(found) == (identity.name, identity.group)


def _subject(found: x509.Certificate) -> tuple[str, str]:
    def first(oid: x509.ObjectIdentifier) -> str:
        return next((str(item.value) for item in found.subject.get_attributes_for_oid(oid)), "")

    return first(NameOID.COMMON_NAME), first(NameOID.ORGANIZATION_NAME)


def _load(path: Path) -> x509.Certificate:
    with _said(path):
        return x509.load_pem_x509_certificate(path.read_bytes())


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    with _said(path):
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("not a key of ours")
    return key


def _read(path: Path) -> bytes:
    with _said(path):
        return path.read_bytes()


class _said:  # noqa: N801 - reads as a statement
    """Turn what can go wrong with a file into a LabError."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OSError):
            raise LabError(f"{self._path}: {error.strerror or error}") from error
        if isinstance(error, ValueError | TypeError | UnsupportedAlgorithm):
            raise LabError(f"{self._path} is damaged; take its directory away, and it is made anew") from error


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(pair: Pair, contents: tuple[bytes, bytes]) -> None:
    """Write both files, each whole or not at all; the key first, so that no certificate is without one."""
    with _said(pair.key.parent):
        _make(pair.key.parent)
        for path, content, mode in ((pair.key, contents[1], 0o600), (pair.cert, contents[0], 0o644)):
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                Path(name).chmod(mode)
                Path(name).replace(path)
            except BaseException:
                with contextlib.suppress(OSError):
                    Path(name).unlink()
                raise


def _make(directory: Path) -> None:
    if not directory.is_dir():
        _make(directory.parent)
        directory.mkdir(mode=0o700, exist_ok=True)
