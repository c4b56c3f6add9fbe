"""Keys and certificates: made in memory, as PEM."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Usage = Literal["server", "client", "both"]

CA_DAYS, DAYS = 3650, 365
"""How long an authority and a certificate are good for."""
EARLY = datetime.timedelta(minutes=5)
"""Certificates are good from a little before they are made: clocks of machines differ."""

USAGES = {
    "server": [ExtendedKeyUsageOID.SERVER_AUTH],
    "client": [ExtendedKeyUsageOID.CLIENT_AUTH],
    "both": [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
}
"""What a certificate says that it may be shown for."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a certificate names: common name, organisation (a group, to Kubernetes), and host names or addresses."""

    name: str
    group: str = ""
    hosts: tuple[str, ...] = ()
    usage: Usage = "client"


def self_signed(name: str) -> tuple[bytes, bytes]:
    """An authority's own certificate, and its key."""
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
        _builder(subject, subject, key, *_from_now(CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return _pem(builder.sign(key, hashes.SHA256())), private_pem(key)


def signed(
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    identity: Identity,
    *,
    ended: datetime.datetime | None = None,
) -> tuple[bytes, bytes]:
    """A certificate by that authority, and its key; good from now on, or one that has `ended`."""
    begins, ends = _from_now(DAYS) if ended is None else (ended - datetime.timedelta(days=DAYS), ended)
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(NameOID.COMMON_NAME, identity.name)]
    if identity.group:
        names.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, identity.group))
    builder = (
        _builder(x509.Name(names), authority.subject, key, begins, ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(USAGES[identity.usage]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
    )
    if identity.hosts:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_host(host) for host in identity.hosts]), critical=False
        )
    return _pem(builder.sign(authority_key, hashes.SHA256())), private_pem(key)


def _from_now(days: int) -> tuple[datetime.datetime, datetime.datetime]:
    now = datetime.datetime.now(datetime.UTC)
    return now - EARLY, now + datetime.timedelta(days=days)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    begins: datetime.datetime,
    ends: datetime.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def public_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public half of a key."""
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A key, not protected by a pass phrase: its file is."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
