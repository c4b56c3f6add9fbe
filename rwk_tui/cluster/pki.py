"""The lab's own authorities and what they vouch for, kept as files that only the presenter may read."""

from __future__ import annotations

import contextlib
import datetime
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rwk_tui.cluster.certificates import USAGES, Identity, private_pem, public_pem, self_signed, signed
from rwk_tui.lab.protocol import LabError
from rwk_tui.private import make_private, write_whole

Authority = Literal["etcd", "kubernetes", "front-proxy"]

LEFT_DAYS = 7
"""A certificate with less time left than that is made anew."""


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
                _write(pair, self_signed(f"rwk {authority} authority"))
        return pair

    def issue(self, authority: Authority, file: str, identity: Identity, *, anew: bool = False) -> Pair:
        """A certificate of that authority; `file` is the name of its files, without an ending.

        With `anew` another one takes the place of one that is still good.
        """
        with self._lock:
            ca, pair = self.authority(authority), self._pair(authority, file)
            if anew or not _is_good(pair, identity, ca):
                _write(pair, signed(_load(ca.cert), _load_key(ca.key), identity))
        return pair

    def expired(
        self, authority: Authority, identities: Iterable[Identity], *, ago: datetime.timedelta
    ) -> list[tuple[bytes, bytes]]:
        """Certificates of that authority that ended so long `ago`, with their keys, in PEM; kept nowhere."""
        ended = datetime.datetime.now(datetime.UTC) - ago
        with self._lock:
            ca = self.authority(authority)
            cert, key = _load(ca.cert), _load_key(ca.key)
        return [signed(cert, key, identity, ended=ended) for identity in identities]

    def key_pair(self, file: str) -> Pair:
        """A bare key pair, as service accounts are signed with: `cert` holds the public key."""
        pair = Pair(self._directory / f"{file}.pub", self._directory / f"{file}.key")
        with self._lock:
            if not (pair.cert.exists() and pair.key.exists()) or public_pem(_load_key(pair.key)) != _read(pair.cert):
                key = ec.generate_private_key(ec.SECP256R1())
                _write(pair, (public_pem(key), private_pem(key)))
        return pair

    def _pair(self, authority: Authority, file: str) -> Pair:
        directory = self._directory / authority
        return Pair(directory / f"{file}.crt", directory / f"{file}.key")


def foreign(name: str, identities: Iterable[Identity]) -> list[tuple[bytes, bytes]]:
    """Certificates by an authority of that name that nobody trusts, with their keys, in PEM; kept nowhere."""
    cert, key = self_signed(name)
    authority, authority_key = x509.load_pem_x509_certificate(cert), serialization.load_pem_private_key(key, None)
    assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
    return [signed(authority, authority_key, identity) for identity in identities]


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
        extensions = found.extensions
        hosts, usages = _hosts(extensions), _usages(extensions)
    except (ValueError, TypeError, InvalidSignature, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return False
    named = _subject(found) == (identity.name, identity.group) and hosts == set(identity.hosts)
    return named and usages == set(USAGES[identity.usage])


def _hosts(extensions: x509.Extensions) -> set[str]:
    try:
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    addresses = {str(host) for host in names.get_values_for_type(x509.IPAddress)}
    return addresses | set(names.get_values_for_type(x509.DNSName))


def _usages(extensions: x509.Extensions) -> set[x509.ObjectIdentifier]:
    try:
        return set(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return set()


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


@contextlib.contextmanager
def _said(path: Path) -> Iterator[None]:
    """Turn what can go wrong with a file into a LabError."""
    try:
        yield
    except OSError as error:
        raise LabError(f"{path}: {error.strerror or error}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise LabError(f"{path} is damaged; take its directory away, and it is made anew") from error


def _write(pair: Pair, contents: tuple[bytes, bytes]) -> None:
    """Write both files; the key first, so that no certificate is without one."""
    with _said(pair.key.parent):
        make_private(pair.key.parent)
        write_whole(pair.key, contents[1])
        write_whole(pair.cert, contents[0], 0o644)
